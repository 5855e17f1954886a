/** Time in a replay: timers do not run, they are fired. By their number, or all that are due at an instant. */
import type { Clock } from '../runtime/clock.ts';

interface Timer {
  readonly number: number;
  readonly dueAtMs: number;
  readonly callback: () => void;
}

export class ReplayClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  #count = 0;
  readonly #timers = new Map<number, Timer>();

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  readonly now = (): number => this.#nowMs;

  /** A journal has one time so far, `atMs`: this is what has passed of it since the start. */
  readonly monotonicNow = (): number => this.#nowMs - this.#startMs;

  readonly setTimeout = (callback: () => void, ms: number): number => {
    this.#count += 1;
    this.#timers.set(this.#count, { number: this.#count, dueAtMs: this.#nowMs + ms, callback });
    return this.#count;
  };

  readonly clearTimeout = (number: unknown): void => {
    this.#timers.delete(number as number);
  };

  /** Sets the time; it never goes back. */
  at(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  /** False if there is no such timer. */
  fire(number: number): boolean {
    const timer = this.#timers.get(number);
    this.#timers.delete(number);
    timer?.callback();
    return timer !== undefined;
  }

  /** Fires the first timer that is due until then; false if there is none. */
  fireNext(ms: number): boolean {
    const timer = this.#next(ms);
    if (timer === undefined) return false;
    this.at(timer.dueAtMs);
    return this.fire(timer.number);
  }

  #next(ms: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.dueAtMs <= ms && (first === undefined || timer.dueAtMs < first.dueAtMs)) first = timer;
    }
    return first;
  }
}
