import { expect, test } from 'vitest';
import { HostClock } from '../../../src/simulation/host-clock.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';

const HOUR = 3_600_000;

function clocks(startMs = 0): { world: VirtualClock; host: HostClock } {
  const world = new VirtualClock();
  return { world, host: new HostClock(world, startMs) };
}

test('setting a wall clock back moves neither monotonic time nor timers', async () => {
  const { world, host } = clocks(500);
  const fired: number[] = [];
  host.setTimeout(() => fired.push(host.monotonicNow()), 1_000);
  host.wallOffsetMs = -8 * HOUR;
  await world.advance(2_000);
  expect(fired).toEqual([1_500]);
  expect(host.monotonicNow()).toBe(2_500);
  expect(host.now()).toBe(world.now() - 8 * HOUR);
});

test('while a host sleeps its timers and its monotonic time stand still, and wall time goes on', async () => {
  const { world, host } = clocks();
  const fired: string[] = [];
  host.setTimeout(() => fired.push('due in 5 s'), 5_000);
  host.setTimeout(() => fired.push('due in 2 s'), 2_000);
  await world.advance(1_000);
  host.sleep();
  const set = host.setTimeout(() => fired.push('set asleep'), 10);
  host.clearTimeout(set);
  host.setTimeout(() => fired.push('set asleep, too'), 10);
  await world.advance(3 * HOUR);
  expect([fired, host.monotonicNow()]).toEqual([[], 1_000]);
  host.wake();
  expect(host.now()).toBe(world.now());
  await world.advance(1_000);
  expect(fired).toEqual(['set asleep, too', 'due in 2 s']);
  await world.advance(3_000);
  expect(fired).toEqual(['set asleep, too', 'due in 2 s', 'due in 5 s']);
  expect(host.monotonicNow()).toBe(5_000);
  expect(world.pending).toBe(0);
});

test('a cleared timer never fires, whether cleared awake or asleep', async () => {
  const { world, host } = clocks();
  let fired = 0;
  const [first, second] = [1_000, 2_000].map((ms) => host.setTimeout(() => (fired += 1), ms));
  host.clearTimeout(first);
  host.sleep();
  host.clearTimeout(second);
  host.wake();
  await world.advance(HOUR);
  expect([fired, world.pending]).toEqual([0, 0]);
});

test.each(['immediates', 'promises'] as const)(
  'timers fire in order, ties as they were set, promises in between: %s',
  async (settles) => {
    const world = new VirtualClock({ settles });
    const fired: string[] = [];
    world.setTimeout(() => fired.push('30'), 30);
    world.setTimeout(() => {
      fired.push('10');
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => fired.push('10, then'));
      world.setTimeout(() => fired.push('10 + 0'), 0);
      world.setTimeout(() => fired.push('10 + 20'), 20);
    }, 10);
    world.setTimeout(() => fired.push('10, second'), 10);
    for (let i = 0; i < 2_000; i++) world.clearTimeout(world.setTimeout(() => fired.push('cleared'), i % 40));
    await world.advance(100);
    expect(fired).toEqual(['10', '10, then', '10, second', '10 + 0', '30', '10 + 20']);
  },
);
