/** Whoever follows a thousand peers, none of them online, asks about them together, and keeps little busy. */
import { describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { MINUTE, SECOND } from '../support/delivery/arrivals.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const COUNT = 1_000;
const names = Array.from({ length: COUNT }, (_, i) => `peer ${i + 1}`);

/** A reader of all of them; each has a key, and is `listed` at an address where nobody is, or not at all. */
async function follow(isListed: boolean): Promise<{ world: World; reader: VirtualPeer }> {
  const world = new World(47, undefined, { isLong: true });
  await world.startDirectory();
  for (const [i, name] of isListed ? names.entries() : []) {
    const { keyPair } = await world.identity(name);
    const address = { ip: `10.1.${Math.floor(i / 250)}.${1 + (i % 250)}`, port: 5_000 };
    world.registry.prove(name, keyPair.publicKey, address, world.clock.now());
  }
  const reader = await world.addPeer('reader', { follow: names });
  await world.settle(reader.peer.whenListed());
  return { world, reader };
}

describe('1,000 followed peers, none online', () => {
  test.each([
    ['and none listed', false],
    ['though all are listed', true],
  ])(
    '%s: each is asked about by name once a minute at most, no more than 64 walks run, and one that comes is read',
    async (_, isListed) => {
      const { world, reader } = await follow(isListed);
      let mostWalks = 0;
      const lookUpsBefore = world.lookUps;
      for (let second = 0; second < 180; second++) {
        await world.clock.advance(SECOND);
        mostWalks = Math.max(
          mostWalks,
          reader.peer.actors.filter((path) => /^peer\/merkle-walk\.[^/]*$/.test(path)).length,
        );
      }
      // To be said Hello to, if it is listed; and once at the start.
      expect((world.lookUps - lookUpsBefore) / COUNT).toBeLessThanOrEqual((3 * MINUTE) / timing.followInterval + 1);
      expect(mostWalks).toBeLessThanOrEqual(limits.walks);

      const author = await world.addPeer('peer 500');
      await world.settle(author.peer.whenListed());
      author.peer.post('here I am');
      // It does not know its reader, which therefore has to find out by itself.
      // It waits for one of the walks that wait for somebody who does not answer.
      const limitMs = timing.greetingPatience + 2 * SECOND;
      await world.until(() => bodiesOf(reader, 'peer 500').length > 0, limitMs);
      await world.close();
    },
  );
});
