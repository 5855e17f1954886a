/**
 * Time, provided: the system's in a real peer, a virtual one in tests and replays. It is also the clock that XState's delays run on.
 * There are two times. Wall time is for what people read and for what other programs are told; monotonic time is for every interval,
 * deadline and age, because somebody may set the wall clock at any moment.
 */
export interface Clock {
  /**
   * Wall time in Unix ms. It may jump in both directions. Use it for dates, for what is shown, and for instants that must outlive this
   * process; never subtract two of them to learn how long something took.
   */
  now(): number;
  /**
   * Milliseconds since an arbitrary start, with fractions. It never goes back, and nobody can set it. It means nothing in another process.
   * Use it for intervals, deadlines and ages. It may stand still while the machine sleeps, as the timers do: a jump of wall time against
   * monotonic time shows that it did, or that the clock was set.
   */
  monotonicNow(): number;
  /** Calls back after `ms` of monotonic time. */
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Lets whatever is due have its turn. The system's timers would wait for a millisecond. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => (clock === systemClock ? setImmediate(resolve) : clock.setTimeout(resolve, 0)));
}
