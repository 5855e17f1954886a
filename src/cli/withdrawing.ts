/** What one has to know before withdrawing a message. */
export const WHAT_WITHDRAWING_CANNOT_DO =
  'Peers drop the message when they download next. Nobody can be made to forget it: whoever has read it has read it, copies may remain, and replies still show that something was there.';
