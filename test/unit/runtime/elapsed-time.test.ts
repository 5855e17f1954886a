/** Protocol §5: a forward jump of the wall clock ages, a backward one makes nothing young. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ElapsedTime } from '../../../src/runtime/elapsed-time.ts';

const WALL_MS = 1_800_000_000_000;
const HOUR = 3_600_000;

/** Both times, as a test sets them. */
class TwoClocks {
  wallMs = WALL_MS;
  monotonicMs = 12_345.678;
  readonly timers: { readonly callback: () => void; readonly ms: number }[] = [];

  now = (): number => this.wallMs;
  monotonicNow = (): number => this.monotonicMs;
  setTimeout = (callback: () => void, ms: number): unknown => this.timers.push({ callback, ms });
  clearTimeout = (): void => {
    this.timers.length = 0;
  };

  pass(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }
}

let clocks: TwoClocks;
let time: ElapsedTime;

beforeEach(() => {
  clocks = new TwoClocks();
  time = new ElapsedTime(clocks);
});

test('begins at wall time, in whole milliseconds', () => {
  expect(time.now()).toBe(WALL_MS);
  clocks.pass(0.4);
  expect(time.now()).toBe(WALL_MS);
  clocks.pass(0.7);
  expect(time.now()).toBe(WALL_MS + 1);
});

test('goes on with the monotonic clock', () => {
  clocks.pass(1_500);
  expect(time.now()).toBe(WALL_MS + 1_500);
  expect(time.monotonicNow()).toBe(time.now());
  expect(time.jumpMs()).toBe(0);
});

describe('a wall clock that is set back', () => {
  test('has no effect, and is told once', () => {
    clocks.pass(1_000);
    clocks.wallMs -= HOUR;
    expect(time.now()).toBe(WALL_MS + 1_000);
    expect(time.jumpMs()).toBe(-HOUR);
    expect(time.now()).toBe(WALL_MS + 1_000);
    clocks.pass(1_000);
    expect(time.jumpMs()).toBe(0);
    expect(time.now()).toBe(WALL_MS + 2_000);
  });
});

describe('a wall clock that jumps ahead', () => {
  test('ages everything by as much, and is told once', () => {
    clocks.wallMs += HOUR;
    expect(time.jumpMs()).toBe(HOUR);
    expect(time.now()).toBe(WALL_MS + HOUR);
    clocks.pass(1_000);
    expect(time.jumpMs()).toBe(0);
    expect(time.now()).toBe(WALL_MS + HOUR + 1_000);
  });

  test('as after a sleep, during which the monotonic clock stands still', () => {
    clocks.pass(5_000);
    expect(time.jumpMs()).toBe(0);
    clocks.wallMs += 8 * HOUR;
    clocks.pass(5_000);
    expect(time.jumpMs()).toBe(8 * HOUR);
    expect(time.now()).toBe(WALL_MS + 8 * HOUR + 10_000);
  });
});

test('clocks that drift apart slowly have not jumped, however far they are in the end', () => {
  for (let i = 0; i < 100; i++) {
    clocks.pass(5_000);
    clocks.wallMs += 1_900;
    expect(time.jumpMs()).toBe(0);
  }
  expect(time.now()).toBe(WALL_MS + 500_000);
});

test('timers are those of the clock', () => {
  const callback = () => {};
  expect(time.setTimeout(callback, 7)).toBe(1);
  expect(clocks.timers).toEqual([{ callback, ms: 7 }]);
  time.clearTimeout(1);
  expect(clocks.timers).toEqual([]);
});

test('never goes back, and is never behind the monotonic clock, whatever is done to the wall clock', () => {
  const anyStep = fc.record({
    passMs: fc.integer({ min: 0, max: 100_000 }),
    setMs: fc.integer({ min: -10 * HOUR, max: 10 * HOUR }),
    isLookedAt: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyStep), (steps) => {
      clocks = new TwoClocks();
      time = new ElapsedTime(clocks);
      const startedAt = clocks.monotonicMs;
      let before = time.now();
      for (const { passMs, setMs, isLookedAt } of steps) {
        clocks.pass(passMs);
        clocks.wallMs += setMs;
        const jumpMs = isLookedAt ? time.jumpMs() : 0;
        expect(time.now()).toBeGreaterThanOrEqual(before + passMs + Math.max(0, jumpMs) - 1);
        expect(time.now() - WALL_MS).toBeGreaterThanOrEqual(Math.floor(clocks.monotonicMs - startedAt));
        before = time.now();
      }
    }),
  );
});
