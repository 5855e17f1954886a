/** What one has to know before withdrawing a message. */
export const WHAT_WITHDRAWING_CANNOT_DO =
  'Other peers drop it at their next download, but cannot be made to forget it: some have read it, some may keep a copy, and replies still refer to it.';
