/** A post that is published just as a follower says Hello: whatever happens first, it arrives. */
import { expect, test } from 'vitest';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';

/** From the look-up of the author to the first answer: every millisecond of it is tried. */
const OFFSETS = Array.from({ length: 40 }, (_, offsetMs) => offsetMs);

test.each([false, true])('a post reaches a follower that is just saying Hello (guarded: %s)', async (guarded) => {
  const sameDelay = { loss: 0, duplication: 0, minDelayMs: 10, maxDelayMs: 10 };
  const world = await listedPeers(7, ['reader'], sameDelay, { signatures: 'seals' });
  const [reader] = world.peers;
  const authors = await Promise.all(OFFSETS.map((offsetMs) => world.addPeer(`author ${offsetMs}`, { guarded })));
  for (const { peer } of authors) await world.settle(peer.whenListed());
  for (const { peer } of authors) reader?.peer.follow(peer.name);
  for (const { peer } of authors) {
    peer.post(`by ${peer.name}`);
    await world.clock.advance(1);
  }
  await world.clock.advance(10_000);
  const missed = authors.filter(({ peer }) => reader && bodiesOf(reader, peer.name).length !== 1);
  expect(missed.map(({ peer }) => peer.name)).toEqual([]);
  await world.close();
});
