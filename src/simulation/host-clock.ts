/**
 * The time of one host, derived from the world's. Its owner may set its wall clock. It may sleep, as a laptop does: monotonic time and
 * timers stand still, while wall time goes on and is right again on waking (CLOCK_MONOTONIC on Linux).
 */
import type { Clock } from '../runtime/clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

interface HostTimer {
  /** Monotonic time of this host. */
  readonly dueMs: number;
  readonly callback: () => void;
  /** Of the world's clock; undefined while the host sleeps. */
  handle: unknown;
}

export class HostClock implements Clock {
  /** How far the wall clock is ahead of the world's, or, if negative, behind it. Change it to set the clock, as a person would. */
  wallOffsetMs = 0;
  readonly #world: VirtualClock;
  readonly #startMs: number;
  readonly #timers = new Set<HostTimer>();
  #sleptMs = 0;
  #asleepSinceMs: number | undefined;

  /** `startMs`: what the monotonic clock shows at the start of the world. It cannot be compared with that of another host. */
  constructor(world: VirtualClock, startMs = 0) {
    this.#world = world;
    this.#startMs = startMs;
  }

  get isAsleep(): boolean {
    return this.#asleepSinceMs !== undefined;
  }

  now = (): number => this.#world.now() + this.wallOffsetMs;

  monotonicNow = (): number => this.#startMs + (this.#asleepSinceMs ?? this.#world.elapsedMs) - this.#sleptMs;

  setTimeout = (callback: () => void, ms: number): HostTimer => {
    const timer: HostTimer = { dueMs: this.monotonicNow() + ms, callback, handle: undefined };
    this.#timers.add(timer);
    if (!this.isAsleep) this.#arm(timer, ms);
    return timer;
  };

  clearTimeout = (timer: unknown): void => {
    if (!this.#timers.delete(timer as HostTimer)) return;
    this.#world.clearTimeout((timer as HostTimer).handle);
  };

  /** The program that set them has ended. */
  forgetTimers(): void {
    for (const timer of this.#timers) this.#world.clearTimeout(timer.handle);
    this.#timers.clear();
  }

  sleep(): void {
    if (this.isAsleep) return;
    this.#asleepSinceMs = this.#world.elapsedMs;
    for (const timer of this.#timers) this.#world.clearTimeout(timer.handle);
  }

  wake(): void {
    if (this.#asleepSinceMs === undefined) return;
    this.#sleptMs += this.#world.elapsedMs - this.#asleepSinceMs;
    this.#asleepSinceMs = undefined;
    const nowMs = this.monotonicNow();
    for (const timer of this.#timers) this.#arm(timer, timer.dueMs - nowMs);
  }

  #arm(timer: HostTimer, ms: number): void {
    timer.handle = this.#world.setTimeout(() => {
      this.#timers.delete(timer);
      timer.callback();
    }, ms);
  }
}
