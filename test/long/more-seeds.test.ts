/** What `npm test` samples, at length. */
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { anyTree, downloadsToItsLeaves } from '../support/any-tree.ts';
import { publishAndSync, stormy } from '../support/scenarios.ts';
import { underSeeds } from '../support/seeds.ts';

const SEEDS = 1_000;

describe('register, sync, a new message, its push, an incremental sync', () => {
  test.each([0, 0.05, 0.2])(`under ${SEEDS} seeds, with %d of the datagrams lost`, async (loss) => {
    await underSeeds(SEEDS, async (seed) => {
      const world = await publishAndSync(seed, loss);
      await world.close();
    });
  });
});

test('any tree of any legal shape downloads to exactly its leaves, in good weather and bad', async () => {
  await fc.assert(
    fc.asyncProperty(anyTree, fc.boolean(), (plan, isBad) =>
      downloadsToItsLeaves(plan, isBad ? stormy(0.03) : undefined),
    ),
    { numRuns: 1_000 },
  );
});
