/** Protocol §5: a machine that slept, whose clock was set, or that has other addresses now says so to everybody, once. */
import { describe, expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const HOUR = 3_600_000;
const HELLO = 0;

interface Scene {
  readonly world: World;
  readonly alice: VirtualPeer;
  /** It follows alice, and has a session with her. */
  readonly laptop: VirtualPeer;
}

async function begin(): Promise<Scene> {
  const world = new World(23);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  const laptop = await world.addPeer('laptop', { follow: ['alice'], host: world.network.hostAt('10.0.1.2') });
  for (const { peer } of [alice, laptop]) await world.settle(peer.whenListed());
  await world.settle(laptop.peer.sync('alice'));
  await world.clock.advance(2 * timing.sweepInterval);
  return { world, alice, laptop };
}

const changes = ({ laptop }: Scene) =>
  laptop.facts.flatMap((fact) => (fact.type === 'network.changed' ? [fact.why] : []));
const listings = ({ laptop }: Scene) => laptop.facts.filter(({ type }) => type === 'peer.listed').length;
/** Under whatever address it has. */
const hellosToAlice = ({ world, alice }: Scene) =>
  world.network.log.filter(({ from, to, bytes }) => {
    return from.ip !== world.directoryAddress.ip && to.ip === alice.ip && bytes[4] === HELLO;
  }).length;

describe('everybody in session is said Hello to anew, and the peer is registered anew, once', () => {
  test.each([
    [
      // Nobody can tell it from a clock that was set ahead.
      'after a sleep, during which timers and monotonic time stand still',
      'clock',
      async ({ world, laptop }: Scene) => {
        laptop.host.sleep();
        await world.clock.advance(600_000);
        laptop.host.wake();
      },
    ],
    [
      'after the clock was set ahead a little',
      'clock',
      ({ laptop }: Scene) => {
        laptop.host.clock.wallOffsetMs += 10_000;
      },
    ],
    [
      'after the clock was set back',
      'clock',
      ({ laptop }: Scene) => {
        laptop.host.clock.wallOffsetMs -= 8 * HOUR;
      },
    ],
    [
      'after the machine got another address',
      'addresses',
      ({ laptop }: Scene) => laptop.host.moveTo({ ip: '10.0.7.7' }),
    ],
  ])('%s', async (_, why, happen) => {
    const scene = await begin();
    const before = hellosToAlice(scene);
    await happen(scene);
    await scene.world.clock.advance(6 * timing.sweepInterval);
    expect(changes(scene)).toEqual([why]);
    expect(hellosToAlice(scene)).toBe(before + 1);
    expect(listings(scene)).toBe(2);
    await scene.world.close();
  });
});

test('nothing of that happens while all is well', async () => {
  const scene = await begin();
  await scene.world.clock.advance(10 * 60_000);
  expect(changes(scene)).toEqual([]);
  await scene.world.close();
});
