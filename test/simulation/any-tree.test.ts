import fc from 'fast-check';
import { test } from 'vitest';
import { anyTree, downloadsToItsLeaves } from '../support/any-tree.ts';

test('any tree of any legal shape downloads to exactly its leaves, each node fetched once', async () => {
  await fc.assert(
    fc.asyncProperty(anyTree, (plan) => downloadsToItsLeaves(plan)),
    { numRuns: 60, seed: 2022 },
  );
});
