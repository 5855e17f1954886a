/** Long work on the thread that pauses now and then: the event loop turns, so that signals are heard and timers fire. */
import { setImmediate } from 'node:timers/promises';

export class Turns {
  readonly #every: number;
  readonly #signal: AbortSignal | undefined;
  #pieces = 0;

  /** A turn after so many pieces of work. */
  constructor(every: number, signal?: AbortSignal) {
    this.#every = every;
    this.#signal = signal;
  }

  /** To be called after each piece of work. @throws what the signal was aborted with */
  async pause(): Promise<void> {
    this.#pieces += 1;
    if (this.#pieces % this.#every !== 0) return;
    await setImmediate();
    this.#signal?.throwIfAborted();
  }
}
