/** An outage that nobody but its victim can notice: it is over, and what was posted meanwhile arrives within ten seconds. */
import { expect, test } from 'vitest';
import { addListed, MINUTE, postAndWait, SECOND, waitFor } from '../support/delivery/arrivals.ts';
import { type VirtualPeer, World } from '../support/world.ts';

type Pair = readonly [author: VirtualPeer, reader: VirtualPeer];

/** Whom of the two nobody can reach for so long; a post comes in the middle of it. @returns how long after that it arrived, ms */
async function arrivalAfter(whom: 0 | 1, outageMs: number, seed: number): Promise<number> {
  const world = new World(seed, { loss: 0.05, duplication: 0.01, minDelayMs: 10, maxDelayMs: 60 }, { isLong: true });
  await world.startDirectory();
  const pair = (await addListed(world, { author: [], reader: ['author'] })) as unknown as Pair;
  const [author, reader] = pair;
  // Each time somewhere else between two looks at the directory, and at the author.
  await world.clock.advance(seed * 8 * SECOND);
  await postAndWait(world, author, reader, 'before');
  pair[whom].host.unplug();
  await world.clock.advance(outageMs / 2);
  author.peer.post('missed');
  await world.clock.advance(outageMs / 2);
  pair[whom].host.plugIn();
  const delayMs = await waitFor(world, author, reader, 'missed');
  await world.close();
  return delayMs;
}

test.each([
  ['an author', 0, 3],
  ['an author', 0, 12],
  ['an author', 0, 20],
  ['an author', 0, 90],
  ['a reader', 1, 12],
  ['a reader', 1, 90],
] as const)('a post arrives within ten seconds of when %s can be reached again (case %#)', async (_, whom, seconds) => {
  for (const seed of [1, 2, 3, 4, 5, 6, 7]) {
    expect(await arrivalAfter(whom, seconds * SECOND, seed), `seed ${seed}`).toBeLessThanOrEqual(10 * SECOND);
  }
});

test('so does one for a reader that could not be reached for three hours', async () => {
  for (const seed of [1, 2]) {
    expect(await arrivalAfter(1, 180 * MINUTE, seed), `seed ${seed}`).toBeLessThanOrEqual(10 * SECOND);
  }
});
