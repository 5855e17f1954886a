/**
 * Time that passes only when a test says so, and that stops at every deadline on the way: timers that a timer sets are
 * honoured at their own instant. Ties go in the order in which they were set. Between deadlines everything that is already
 * settled – promises, immediates – runs at that virtual instant.
 */
import type { Clock } from '../../src/runtime/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** 2027-01-15: after the protocol's epoch, and no wall-clock time. */
const START_MS = 1_800_000_000_000;

export class VirtualClock implements Clock {
  #nowMs = START_MS;
  #order = 0;
  /** A heap by deadline and order would be faster; tests have a few hundred timers. */
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#nowMs;
  }

  monotonicNow(): number {
    return this.#nowMs - START_MS;
  }

  get elapsedMs(): number {
    return this.#nowMs - START_MS;
  }

  /** Timers that are set: for leak tests. */
  get pending(): number {
    return this.#timers.size;
  }

  setTimeout = (callback: () => void, ms: number): Timer => {
    const timer = { atMs: this.#nowMs + Math.max(0, Math.round(ms)), order: this.#order++, callback };
    this.#timers.add(timer);
    return timer;
  };

  clearTimeout = (timer: unknown): void => {
    this.#timers.delete(timer as Timer);
  };

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.#run(() => false, endMs);
    this.#nowMs = endMs;
  }

  /** Lets time pass until `isDone`. @throws Error if that takes longer than `limitMs` of virtual time, or nothing is left to wait for */
  async runUntil(isDone: () => boolean, { limitMs = 600_000 }: { limitMs?: number } = {}): Promise<void> {
    if (await this.#run(isDone, this.#nowMs + limitMs)) return;
    throw new Error(`not done after ${limitMs} ms of virtual time, ${this.pending} timers pending`);
  }

  async #run(isDone: () => boolean, endMs: number): Promise<boolean> {
    for (;;) {
      await settle();
      if (isDone()) return true;
      const next = this.#next();
      if (next === undefined || next.atMs > endMs) return false;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.callback();
    }
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (first === undefined || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) {
        first = timer;
      }
    }
    return first;
  }
}

/** All promises that are settled, and what follows from them. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
