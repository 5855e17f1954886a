/** Protocol §5: a machine that slept, whose clock was set, or that has other addresses now says so to everybody, once. */
import { describe, expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Network } from '../../src/runtime/network.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const HOUR = 3_600_000;
const HELLO = 0;

interface Laptop extends VirtualPeer {
  /** Its wall clock goes ahead or back by so much; nothing else notices. */
  readonly setClock: (ms: number) => void;
  readonly localIps: string[];
}

async function addLaptop(world: World, follow: string[]): Promise<Laptop> {
  let offsetMs = 0;
  const localIps = ['10.0.1.2'];
  const clock: Clock = {
    now: () => world.clock.now() + offsetMs,
    monotonicNow: () => world.clock.monotonicNow(),
    setTimeout: world.clock.setTimeout,
    clearTimeout: world.clock.clearTimeout,
  };
  const network: Network = {
    localIps: () => [...localIps],
    open: (bind, onArrivals) => world.network.open(bind, onArrivals),
  };
  const added = await world.addPeer('laptop', { follow, environment: { clock, network } });
  const setClock = (ms: number) => {
    offsetMs += ms;
  };
  return { ...added, setClock, localIps };
}

async function worldWith(): Promise<{ world: World; laptop: Laptop; hellosTo: (peer: VirtualPeer) => number }> {
  const world = new World(23);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  const laptop = await addLaptop(world, ['alice']);
  for (const { peer } of [alice, laptop]) await world.settle(peer.whenListed());
  await world.settle(laptop.peer.sync('alice'));
  await world.clock.advance(2 * timing.sweepInterval);
  const hellosTo = ({ ip }: VirtualPeer) =>
    world.network.log.filter(({ from, to, bytes }) => from.ip === laptop.ip && to.ip === ip && bytes[4] === HELLO)
      .length;
  return { world, laptop, hellosTo };
}

const changes = ({ facts }: VirtualPeer) =>
  facts.flatMap((fact) => (fact.type === 'network.changed' ? [fact.why] : []));

describe('everybody in session is said Hello to anew, and the peer is registered anew, once', () => {
  test.each([
    ['after a sleep, during which timers and monotonic time stand still', 8 * HOUR, 'sleep'],
    ['after the clock was set ahead a little', 10_000, 'clock'],
    ['after the clock was set back', -8 * HOUR, 'clock'],
  ])('%s', async (_, jumpMs, why) => {
    const { world, laptop, hellosTo } = await worldWith();
    const [alice] = world.peers as [VirtualPeer];
    const before = hellosTo(alice);
    laptop.setClock(jumpMs);
    await world.clock.advance(6 * timing.sweepInterval);
    expect(changes(laptop)).toEqual([why]);
    expect(hellosTo(alice)).toBe(before + 1);
    expect(laptop.facts.filter(({ type }) => type === 'peer.listed')).toHaveLength(2);
    await world.close();
  });

  test('after the machine got another address', async () => {
    const { world, laptop, hellosTo } = await worldWith();
    const [alice] = world.peers as [VirtualPeer];
    const before = hellosTo(alice);
    laptop.localIps.push('10.0.7.7');
    await world.clock.advance(6 * timing.sweepInterval);
    expect(changes(laptop)).toEqual(['addresses']);
    expect(hellosTo(alice)).toBe(before + 1);
    await world.close();
  });
});

test('nothing of that happens while all is well', async () => {
  const { world, laptop } = await worldWith();
  await world.clock.advance(10 * 60_000);
  expect(changes(laptop)).toEqual([]);
  await world.close();
});
