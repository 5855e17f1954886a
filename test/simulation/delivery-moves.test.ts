/** Protocol §3 and §5: while the directory is away, an author and its reader both move; nobody knows where the other one is. */
import { expect, test } from 'vitest';
import { MINUTE, postAndWait, SECOND, waitFor } from '../support/delivery/arrivals.ts';
import { World } from '../support/world.ts';

/** A post comes in the middle of the outage. @returns how long after its end it arrived, ms */
async function arrivalAfter(outageMs: number, seed: number): Promise<number> {
  const world = new World(seed, { loss: 0.05, duplication: 0.01, minDelayMs: 10, maxDelayMs: 60 }, { isLong: true });
  await world.startDirectory();
  const add = (name: string, ip: string, follow: string[]) =>
    world.addPeer(name, { guarded: true, follow, host: world.network.addHost([ip]) });
  const author = await add('author', '203.0.113.1', []);
  const reader = await add('reader', '203.0.113.2', ['author']);
  for (const { peer } of [author, reader]) await world.settle(peer.whenListed());
  await world.clock.advance(2 * MINUTE + seed * 3 * SECOND);
  await postAndWait(world, author, reader, 'before');
  world.isDirectoryDown = true;
  world.stopDirectory();
  await world.clock.advance(5 * SECOND);
  author.host.moveTo({ ip: '198.51.100.7' });
  reader.host.moveTo({ ip: '198.51.100.8' });
  await world.clock.advance(outageMs / 2);
  author.peer.post('missed');
  await world.clock.advance(outageMs / 2);
  world.isDirectoryDown = false;
  await world.restartDirectory();
  const delayMs = await waitFor(world, author, reader, 'missed');
  await world.close();
  return delayMs;
}

test.each([
  [10, [4]],
  [30, [3, 6]],
  [60, [4]],
  [300, [4]],
])('a post arrives within ten seconds of the return of a directory that was away for %i s', async (seconds, seeds) => {
  for (const seed of seeds) {
    expect(await arrivalAfter(seconds * SECOND, seed), `seed ${seed}`).toBeLessThanOrEqual(10 * SECOND);
  }
});
