/** Journals of honest runs replay identically, however large: what `npm test` samples, at length. */
import fc from 'fast-check';
import { test } from 'vitest';
import { anySyncReplays, syncPlan, syncReplays, together } from '../support/replays.ts';
import { stormy } from '../support/scenarios.ts';
import { seeds } from '../support/seeds.ts';

test.each([
  [20_000, 0.05],
  [60_000, 0],
  [100_000, 0],
  [100_000, 0.01],
])('a sync of %i messages replays identically, with %d of the datagrams lost', async (messages, loss) => {
  await syncReplays(messages, loss === 0 ? together : stormy(loss));
});

test('any number of peers that download from each other in any weather leave journals that replay identically', async () => {
  for (const seed of seeds(5)) {
    await fc.assert(
      fc.asyncProperty(syncPlan(5_000), (plan) => anySyncReplays({ seed, ...plan })),
      { numRuns: 20, seed },
    );
  }
});
