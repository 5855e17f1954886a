/** Properties of trees of any shape, against definitions too plain to be wrong. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendLeaf, loadRightEdge, type RightEdge } from '../../src/merkle/append.ts';
import { buildTree } from '../../src/merkle/build.ts';
import { compareTrees } from '../../src/merkle/compare.ts';
import { countLeaves, leavesOf } from '../../src/merkle/leaves.ts';
import { EMPTY_ROOT, type Hash } from '../../src/wire/hash.ts';
import { Forest } from '../unit/merkle/forest.ts';

/**
 * A handful of leaves, then nodes over whatever came before, picked with a bias towards the latest: deep graphs, full of repeats and of
 * subtrees shared at different depths. `before` and `after` pick the two roots.
 */
const anyForest = fc.record({
  leaves: fc.integer({ min: 1, max: 8 }),
  nodes: fc.array(fc.array(fc.nat(), { minLength: 2, maxLength: 5 }), { maxLength: 24 }),
  recent: fc.boolean(),
  before: fc.nat(),
  after: fc.nat(),
});

function grow({ leaves, nodes, recent, before, after }: typeof anyForest extends fc.Arbitrary<infer T> ? T : never) {
  const forest = new Forest();
  const all: Hash[] = [EMPTY_ROOT, ...forest.leaves(leaves)];
  for (const picks of nodes) {
    const from = recent ? Math.max(1, all.length - 6) : 1;
    all.push(forest.internal(...picks.map((pick) => all[from + (pick % (all.length - from))] ?? EMPTY_ROOT)));
  }
  const pick = (index: number): Hash => all[all.length - 1 - (index % all.length)] ?? EMPTY_ROOT;
  return { forest, before: pick(before), after: pick(after) };
}

/** The leaves of a tree, each once, by the plainest of walks. */
function leafSet(root: Hash, forest: Forest): Set<Hash> {
  const leaves = new Set<Hash>();
  const seen = new Set<Hash>();
  const visit = (hash: Hash): void => {
    const bytes = forest.nodes.get(hash);
    if (!bytes || seen.has(hash)) return;
    seen.add(hash);
    if (bytes[0] !== 1) leaves.add(hash);
    else for (let at = 1; at < bytes.length; at += 32) visit(Buffer.from(bytes.subarray(at, at + 32)).toString('hex'));
  };
  visit(root);
  return leaves;
}

describe('trees of any shape', () => {
  test('differ by exactly the leaves that only one of them has, in tree order', () => {
    fc.assert(
      fc.property(anyForest, fc.boolean(), (plan, indexed) => {
        const { forest, before, after } = grow(plan);
        const [old, current] = [leafSet(before, forest), leafSet(after, forest)];
        const counts = new Map<Hash, number>();
        for (const root of [before, after]) countLeaves(root, forest.read, counts);
        const leafCount = (hash: Hash) => counts.get(hash);
        const options = indexed ? { hadLeaf: (leaf: Hash) => old.has(leaf), leafCount } : {};
        expect(compareTrees(before, after, forest.read, options)).toEqual({
          added: [...current].filter((leaf) => !old.has(leaf)),
          removed: [...old].filter((leaf) => !current.has(leaf)),
        });
      }),
      { numRuns: 2000 },
    );
  });

  test('have as many leaves as are counted, and counting reads each distinct node once', () => {
    fc.assert(
      fc.property(anyForest, (plan) => {
        const { forest, after } = grow({ ...plan, nodes: plan.nodes.slice(0, 8) });
        const leaves = [...leavesOf(after, forest.read)].length;
        const memo = new Map<Hash, number>();
        const { result, reads } = forest.counting(() => countLeaves(after, forest.read, memo));
        expect(result).toEqual({ complete: true, leaves });
        expect(reads).toBe(memo.size);
      }),
    );
  });
});

describe('canonical trees', () => {
  const sizes = fc.oneof(fc.nat(200), fc.constantFrom(31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 1056, 1057));

  test('give back the leaves they were built from, repeated ones included', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 50 }), (count, distinct) => {
        const forest = new Forest();
        const leaves = Array.from({ length: count }, (_, index) => forest.leaf(index % distinct));
        const tree = buildTree(leaves);
        forest.addAll(tree.nodes);
        expect([...leavesOf(tree.root, forest.read)]).toEqual(leaves);
      }),
      { numRuns: 50 },
    );
  });

  test('are the same built at once and appended to, from any point and with repeated messages', () => {
    fc.assert(
      fc.property(sizes, fc.nat(70), fc.integer({ min: 1, max: 2000 }), (count, more, distinct) => {
        const forest = new Forest();
        const leaves = Array.from({ length: count + more }, (_, index) => forest.leaf(index % distinct));
        const start = buildTree(leaves.slice(0, count));
        const nodes = new Map(start.nodes);
        let root = start.root;
        let edge: RightEdge = loadRightEdge(root, count, (hash) => nodes.get(hash));
        for (const leaf of leaves.slice(count)) {
          const step = appendLeaf(edge, leaf);
          for (const { hash, value } of step.created) nodes.set(hash, value);
          for (const hash of step.superseded) nodes.delete(hash);
          ({ edge, root } = step);
        }
        expect({ root, nodes }).toEqual(buildTree(leaves));
      }),
      { numRuns: 100 },
    );
  });
});
