/**
 * A clock that advances only on demand, from one deadline to the next. A timer that was set by another timer fires at its own time. Timers
 * with the same deadline fire in the order in which they were set. Before time goes on, everything that follows from settled promises runs.
 * This is the time of the world; `host-clock.ts` derives the time of one host from it.
 */
import type { Clock } from '../runtime/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  /** Undefined: cleared, or has fired. */
  callback: (() => void) | undefined;
}

/** 2027-01-15: after the protocol's epoch, and not the real time. */
const START_MS = 1_800_000_000_000;

/** Every so many waits, the event loop turns once, so that the time limit of a test can end a long run. */
const TURNS = 1_024;

export interface VirtualClockOptions {
  /**
   * What runs between two deadlines: promises and immediates, or only promises, which costs a third. The latter is for worlds in which
   * nothing waits for the event loop, as files and sockets would. A browser passes a function of its own. Default `immediates`.
   */
  readonly settles?: 'immediates' | 'promises' | (() => Promise<void>);
}

export class VirtualClock implements Clock {
  #elapsedMs = 0;
  #order = 0;
  #pending = 0;
  #settled = 0;
  readonly #timers = new TimerHeap();
  readonly #settles: NonNullable<VirtualClockOptions['settles']>;

  constructor({ settles = 'immediates' }: VirtualClockOptions = {}) {
    this.#settles = settles;
  }

  now(): number {
    return START_MS + Math.floor(this.#elapsedMs);
  }

  monotonicNow(): number {
    return this.#elapsedMs;
  }

  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Timers that are set: for leak tests. */
  get pending(): number {
    return this.#pending;
  }

  /** In whole milliseconds, like the system's timers. */
  setTimeout = (callback: () => void, ms: number): Timer => this.after(Math.max(0, Math.round(ms)), callback);

  clearTimeout = (timer: unknown): void => {
    if ((timer as Timer | undefined)?.callback === undefined) return;
    (timer as Timer).callback = undefined;
    this.#pending -= 1;
  };

  /** Like `setTimeout`, but exact to fractions of a millisecond: datagrams on a fast link are less than one apart. */
  after(ms: number, callback: () => void): Timer {
    const timer = { atMs: this.#elapsedMs + ms, order: this.#order++, callback };
    this.#timers.push(timer);
    this.#pending += 1;
    return timer;
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await this.#run(() => false, endMs);
    this.#elapsedMs = endMs;
  }

  /** Lets time pass until `isDone`. @throws Error if that takes longer than `limitMs` of virtual time, or nothing is left to wait for */
  async runUntil(isDone: () => boolean, { limitMs = 600_000 }: { limitMs?: number } = {}): Promise<void> {
    if (await this.#run(isDone, this.#elapsedMs + limitMs)) return;
    throw new Error(`not done after ${limitMs} ms of virtual time, ${this.pending} timers pending`);
  }

  /** Lets `ms` pass without waiting for promises, which is a hundred times as fast: for models that use only timers. */
  advanceTimersOnly(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    for (let next = this.#timers.first(); next !== undefined && next.atMs <= endMs; next = this.#timers.first()) {
      this.#fire(next);
    }
    this.#elapsedMs = endMs;
  }

  async #run(isDone: () => boolean, endMs: number): Promise<boolean> {
    for (;;) {
      await this.#settle();
      if (isDone()) return true;
      const next = this.#timers.first();
      if (next === undefined || next.atMs > endMs) return false;
      this.#fire(next);
    }
  }

  #fire(next: Timer): void {
    this.#timers.shift();
    this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
    const { callback } = next;
    this.clearTimeout(next);
    callback?.();
  }

  /** Waits for settled promises and everything that follows from them, and for immediates unless told otherwise. */
  #settle(): Promise<void> {
    if (typeof this.#settles === 'function') return this.#settles();
    this.#settled += 1;
    if (this.#settles === 'promises' && this.#settled % TURNS !== 0) {
      // Node empties the queue of promises before it goes on with the queue of ticks.
      return new Promise((resolve) => process.nextTick(resolve));
    }
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/** A binary heap, by deadline and then by order. Cleared timers stay in it until they are due. */
class TimerHeap {
  readonly #heap: Timer[] = [];

  /** The next one that is not cleared. */
  first(): Timer | undefined {
    while (this.#heap.length > 0 && this.#heap[0]?.callback === undefined) this.shift();
    return this.#heap[0];
  }

  push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!isBefore(timer, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  /** Removes the first one. */
  shift(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
      const below = heap[child] as Timer;
      if (!isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
