/** What one has to know before withdrawing a message. */
export const WHAT_WITHDRAWING_CANNOT_DO =
  'Peers drop it when they download next. Nobody can be made to forget it: who has read it has read it, copies may be kept, and an answer still says that there was something.';
