/** Time, provided: the system's in a real peer, a virtual one in tests and replays. Also the clock that XState's delays run on. */
export interface Clock {
  /** Unix ms. */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** Lets whatever is due have its turn. The system's timers would wait for a millisecond. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => (clock === systemClock ? setImmediate(resolve) : clock.setTimeout(resolve, 0)));
}
