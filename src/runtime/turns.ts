/** Long work on the thread that pauses now and then: the event loop turns, so that signals are heard and timers fire. */
import { setImmediate } from 'node:timers/promises';

/** How long such work goes on before everybody else has a turn, ms. */
const TURN_MS = 20;

export class Turns {
  readonly #signal: AbortSignal | undefined;
  #endsAtMs = performance.now() + TURN_MS;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** To be called after each small piece of work. @throws what the signal was aborted with */
  async pause(): Promise<void> {
    if (performance.now() < this.#endsAtMs) return;
    await setImmediate();
    this.#signal?.throwIfAborted();
    this.#endsAtMs = performance.now() + TURN_MS;
  }
}
