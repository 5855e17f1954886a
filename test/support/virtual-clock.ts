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

const isBefore = (a: Timer, b: Timer) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** 2027-01-15: after the protocol's epoch, and no wall-clock time. */
const START_MS = 1_800_000_000_000;

export class VirtualClock implements Clock {
  #nowMs = START_MS;
  #order = 0;
  readonly #timers = new Set<Timer>();
  /** A binary heap, the next one first; cleared timers stay until they would be next. Floods set many thousands. */
  readonly #heap: Timer[] = [];

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
    this.#push(timer);
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
    while (this.#heap[0] !== undefined && !this.#timers.has(this.#heap[0])) this.#dropFirst();
    return this.#heap[0];
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Timer;
      if (isBefore(above, timer)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  #dropFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      const below = right !== undefined && isBefore(right, left as Timer) ? right : left;
      if (below === undefined || isBefore(last, below)) break;
      heap[at] = below;
      at = 2 * at + (below === left ? 1 : 2);
    }
    heap[at] = last;
  }
}

/** All promises that are settled, and what follows from them. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
