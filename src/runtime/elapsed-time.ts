/**
 * Time for intervals: it goes on with the monotonic clock, and with the wall clock where that jumps ahead, as after a laptop's
 * sleep, during which the monotonic clock stands still. It never goes back, so that a clock that is set back makes nothing
 * young again (protocol §5). It begins at wall time, so that people can read it in a journal.
 */
import type { Clock } from './clock.ts';

/** Two clocks that are fine drift apart by less than this within a few seconds. */
const DRIFT_MS = 2_000;

export class ElapsedTime implements Clock {
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  /** Wall minus monotonic, at the last look. */
  #offsetMs: number;
  #skippedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAtMs = clock.now() - clock.monotonicNow();
    this.#offsetMs = this.#startedAtMs;
  }

  /** Milliseconds, whole. */
  now(): number {
    return Math.floor(this.#startedAtMs + this.#skippedMs + this.#clock.monotonicNow());
  }

  monotonicNow(): number {
    return this.now();
  }

  setTimeout(callback: () => void, ms: number): unknown {
    return this.#clock.setTimeout(callback, ms);
  }

  clearTimeout(timer: unknown): void {
    this.#clock.clearTimeout(timer);
  }

  /** By how much the wall clock has jumped against the monotonic one since the last look; 0: it has not. */
  jumpMs(): number {
    const offsetMs = this.#clock.now() - this.#clock.monotonicNow();
    const jumpMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(jumpMs) < DRIFT_MS) return 0;
    if (jumpMs > 0) this.#skippedMs += jumpMs;
    return jumpMs;
  }
}
