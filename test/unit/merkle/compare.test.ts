import { describe, expect, test } from 'vitest';
import { appendLeaf, loadRightEdge } from '../../../src/merkle/append.ts';
import { buildTree } from '../../../src/merkle/build.ts';
import { compareTrees } from '../../../src/merkle/compare.ts';
import { countLeaves } from '../../../src/merkle/leaves.ts';
import { MissingNodeError } from '../../../src/merkle/missing-node-error.ts';
import { EMPTY_ROOT, type Hash, ZERO_HASH } from '../../../src/wire/hash.ts';
import { Forest } from './forest.ts';

const ABSENT = 'ab'.repeat(32);

function plant(forest: Forest, leaves: readonly Hash[]): Hash {
  const { root, nodes } = buildTree(leaves);
  forest.addAll(nodes);
  return root;
}

describe('what changed between two trees', () => {
  test('is nothing if they are the same, and nothing is read then', () => {
    const forest = new Forest();
    expect(compareTrees(ABSENT, ABSENT, forest.read)).toEqual({ added: [], removed: [] });
    expect(compareTrees(EMPTY_ROOT, ZERO_HASH, forest.read)).toEqual({ added: [], removed: [] });
    expect(forest.reads).toBe(0);
  });

  test('is every leaf, once and in tree order, if one of them is empty', () => {
    const forest = new Forest();
    const [a, b, c] = [forest.leaf(0), forest.leaf(1), forest.leaf(2)];
    const root = forest.internal(c, forest.internal(a, c), b, a);
    expect(compareTrees(EMPTY_ROOT, root, forest.read)).toEqual({ added: [c, a, b], removed: [] });
    expect(compareTrees(root, ZERO_HASH, forest.read)).toEqual({ added: [], removed: [c, a, b] });
  });

  test('is nothing if the same leaves only stand in another shape', () => {
    const forest = new Forest();
    const leaves = forest.leaves(100);
    const chain = leaves.reduce((root, leaf) => forest.internal(root, leaf));
    expect(compareTrees(chain, plant(forest, leaves), forest.read)).toEqual({ added: [], removed: [] });
  });

  test('does not include a leaf that also stands inside a shared subtree', () => {
    const forest = new Forest();
    const [a, b, c, d] = [forest.leaf(0), forest.leaf(1), forest.leaf(2), forest.leaf(3)];
    const shared = forest.internal(forest.internal(a, b), c);
    const once = forest.internal(shared, d);
    const twice = forest.internal(shared, d, a);
    expect(compareTrees(once, twice, forest.read)).toEqual({ added: [], removed: [] });
    expect(compareTrees(twice, once, forest.read)).toEqual({ added: [], removed: [] });
  });

  test('takes a node that is missing from the old tree for a leaf, as that tree may be partly collected', () => {
    const forest = new Forest();
    const [a, b] = [forest.leaf(0), forest.leaf(1)];
    const change = compareTrees(forest.internal(a, ABSENT), forest.internal(a, b), forest.read);
    expect(change).toEqual({ added: [b], removed: [ABSENT] });
    expect(compareTrees(ABSENT, a, forest.read)).toEqual({ added: [a], removed: [ABSENT] });
  });

  test('cannot be told if a node is missing from the new tree, and the error names it', () => {
    const forest = new Forest();
    const [a, b] = [forest.leaf(0), forest.leaf(1)];
    expect(() => compareTrees(forest.internal(a, b), forest.internal(a, ABSENT), forest.read)).toThrow(
      MissingNodeError,
    );
    expect(() => compareTrees(a, forest.internal(b, ABSENT), forest.read)).toThrow(
      expect.objectContaining({ hash: ABSENT, code: 'invalid-data' }),
    );
  });
});

describe('the cost of comparing follows the change', () => {
  const forest = new Forest();
  const leaves = forest.leaves(33_000);
  const indexOf = new Map(leaves.map((leaf, index) => [leaf, index]));

  /** Reads for comparing the canonical trees over the first `from` and the first `to` leaves. */
  function readsFor(from: number, to: number): number {
    const [before, after] = [plant(forest, leaves.slice(0, from)), plant(forest, leaves.slice(0, to))];
    const hadLeaf = (leaf: Hash) => (indexOf.get(leaf) ?? from) < from;
    const { result, reads } = forest.counting(() => compareTrees(before, after, forest.read, { hadLeaf }));
    expect(result).toEqual({ added: leaves.slice(from, to), removed: [] });
    return reads;
  }

  test('one message appended to 10,000: fewer than 20 reads', () => {
    expect(readsFor(10_000, 10_001)).toBeLessThan(20);
  });

  test('one message appended, wherever the tree is about to grow', () => {
    for (const from of [1, 2, 31, 32, 33, 34, 1023, 1024, 1025, 1056, 1057, 9984, 32_767, 32_768, 32_769]) {
      expect(readsFor(from, from + 1), `${from}`).toBeLessThan(20);
    }
  });

  test('many messages appended: what is new, and two nodes a level', () => {
    for (const from of [1000, 1024, 9999, 32_700]) expect(readsFor(from, from + 100), `${from}`).toBeLessThan(100 + 40);
    expect(readsFor(32_768, 32_868)).toBeLessThan(100 + 40);
  });

  test('leaves are not read where the nodes above are known to have nothing else', () => {
    const root = plant(forest, leaves.slice(0, 10_000));
    const counts = new Map<Hash, number>();
    countLeaves(root, forest.read, counts);
    const leafCount = (hash: Hash) => counts.get(hash);
    const { result, reads } = forest.counting(() => compareTrees(EMPTY_ROOT, root, forest.read, { leafCount }));
    expect(result.added).toEqual(leaves.slice(0, 10_000));
    expect(reads).toBeLessThan(10_000 / 30);
  });

  test('the message withdrawn last is found by its disappearance, then made sure of', () => {
    const [before, after] = [plant(forest, leaves.slice(0, 1000)), plant(forest, leaves.slice(0, 999))];
    expect(compareTrees(before, after, forest.read)).toEqual({ added: [], removed: [leaves[999]] });
  });

  test('a chain whose new root holds the old one: two reads', () => {
    const before = leaves.slice(0, 5000).reduce((root, leaf) => forest.internal(root, leaf));
    const news = forest.leaf(50_000);
    const after = forest.internal(before, news);
    const hadLeaf = (leaf: Hash) => indexOf.has(leaf);
    const { result, reads } = forest.counting(() => compareTrees(before, after, forest.read, { hadLeaf }));
    expect(result).toEqual({ added: [news], removed: [] });
    expect(reads).toBe(2);
  });

  test('an append through the right edge is found again', () => {
    const before = plant(forest, leaves.slice(0, 20_000));
    const step = appendLeaf(loadRightEdge(before, 20_000, forest.read), forest.leaf(60_000));
    for (const { value } of step.created) forest.add(value);
    const change = compareTrees(before, step.root, forest.read, { hadLeaf: (leaf) => indexOf.has(leaf) });
    expect(change).toEqual({ added: [forest.leaf(60_000)], removed: [] });
  });

  test('two chains 200,000 nodes deep are compared without recursion', () => {
    const [seed, left, right] = [forest.leaf(70_000), forest.leaf(70_001), forest.leaf(70_002)];
    let [before, after] = [left, right];
    for (let depth = 0; depth < 200_000; depth += 1) {
      before = forest.internal(before, seed);
      after = forest.internal(after, seed);
    }
    expect(compareTrees(before, after, forest.read)).toEqual({ added: [right], removed: [left] });
  });
});
