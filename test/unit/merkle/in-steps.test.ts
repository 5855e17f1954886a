import { expect, test } from 'vitest';
import { buildTree } from '../../../src/merkle/build.ts';
import { compareTrees, comparingTrees } from '../../../src/merkle/compare.ts';
import { advance, finish, type InSteps } from '../../../src/merkle/in-steps.ts';
import { countingLeaves, countLeaves } from '../../../src/merkle/leaves.ts';
import { Forest } from './forest.ts';

const forest = new Forest();
const leaves = forest.leaves(3_000);
const [before, after] = [leaves.slice(0, 2_000), leaves.slice(1_000)].map((some) => {
  const { root, nodes } = buildTree(some);
  forest.addAll(nodes);
  return root;
}) as [string, string];

/** The most that was read in one step, and what it came to. */
function inSteps<T>(work: InSteps<T>, nodes: number): { most: number; steps: number; value: T } {
  let most = 0;
  for (let steps = 1; ; steps++) {
    const { result, reads } = forest.counting(() => advance(work, nodes));
    most = Math.max(most, reads);
    if (result.done) return { most, steps, value: result.value };
  }
}

test('counting in steps comes to the same, and no step reads more than it may', () => {
  const { most, steps, value } = inSteps(countingLeaves(after, forest.read, new Map()), 100);
  expect(value).toEqual(countLeaves(after, forest.read, new Map()));
  expect(most).toBeLessThanOrEqual(101);
  expect(steps).toBeGreaterThan(2_000 / 100);
});

test.each([
  ['with an index of the old leaves', { hadLeaf: () => false }],
  ['without one', {}],
])('comparing in steps, %s, comes to the same, and no step reads more than it may', (_, options) => {
  const { most, steps, value } = inSteps(comparingTrees(before, after, forest.read, options), 100);
  expect(value).toEqual(compareTrees(before, after, forest.read, options));
  expect(most).toBeLessThanOrEqual(101);
  expect(steps).toBeGreaterThan(10);
});

test('work that is done at once is never left', () => {
  const { result, reads } = forest.counting(() => finish(countingLeaves(after, forest.read, new Map())));
  expect(result).toEqual({ complete: true, leaves: 2_000 });
  expect(reads).toBeGreaterThan(2_000);
});
