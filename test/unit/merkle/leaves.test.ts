import { beforeAll, describe, expect, test } from 'vitest';
import { InvalidNodeError } from '../../../src/merkle/invalid-node-error.ts';
import { countLeaves, leavesOf } from '../../../src/merkle/leaves.ts';
import { MissingNodeError } from '../../../src/merkle/missing-node-error.ts';
import { EMPTY_ROOT, type Hash, ZERO_HASH } from '../../../src/wire/hash.ts';
import { Forest } from './forest.ts';

const ABSENT = 'ab'.repeat(32);

/** `levels` nodes, each with 32 times the one below. */
function bomb(forest: Forest, levels: number): Hash {
  let node = forest.leaf(0);
  for (let level = 0; level < levels; level += 1) node = forest.internal(...Array.from({ length: 32 }, () => node));
  return node;
}

describe('protocol §2: the messages of a peer are the leaves, depth first, left to right', () => {
  test('in an arbitrary tree, with the same hash in several places', () => {
    const forest = new Forest();
    const [a, b, c] = [forest.leaf(0), forest.leaf(1), forest.leaf(2)];
    const pair = forest.internal(a, b);
    const root = forest.internal(c, forest.internal(pair, c, pair), a);
    expect([...leavesOf(root, forest.read)]).toEqual([c, a, b, c, a, b, a]);
  });

  test('an unknown node is a leaf, and so is a message that cannot be read', () => {
    const forest = new Forest();
    const unknown = forest.add(new Uint8Array([77, 1, 2]));
    const truncated = forest.add(new Uint8Array([0, 1]));
    const root = forest.internal(unknown, truncated);
    expect([...leavesOf(root, forest.read)]).toEqual([unknown, truncated]);
    expect(countLeaves(root, forest.read, new Map())).toEqual({ complete: true, leaves: 2 });
  });

  test('both hashes that mean "no messages" have no leaf, and nothing is read', () => {
    const forest = new Forest();
    for (const root of [EMPTY_ROOT, ZERO_HASH]) {
      expect([...leavesOf(root, forest.read)]).toEqual([]);
      expect(countLeaves(root, forest.read, new Map())).toEqual({ complete: true, leaves: 0 });
    }
    expect(forest.reads).toBe(0);
  });

  test('a limit ends the walk, in a tree of 32⁸ leaves too', () => {
    const forest = new Forest();
    const root = bomb(forest, 8);
    expect([...leavesOf(root, forest.read, { limit: 100 })]).toHaveLength(100);
    expect([...leavesOf(root, forest.read, { limit: 0 })]).toEqual([]);
  });

  test('a missing node and an invalid one are named', () => {
    const forest = new Forest();
    const leaf = forest.leaf(0);
    expect(() => [...leavesOf(forest.internal(leaf, ABSENT), forest.read)]).toThrow(
      expect.objectContaining({ name: 'MissingNodeError', hash: ABSENT }),
    );
    expect(() => [...leavesOf(ABSENT, forest.read)]).toThrow(MissingNodeError);
    const broken = forest.add(new Uint8Array(34).fill(1));
    expect(() => [...leavesOf(forest.internal(leaf, broken), forest.read)]).toThrow(InvalidNodeError);
    expect(() => countLeaves(forest.internal(leaf, broken), forest.read, new Map())).toThrow(InvalidNodeError);
  });
});

describe('protocol §9: few nodes that expand to billions of leaves', () => {
  test('are counted with one read per distinct node', () => {
    const forest = new Forest();
    const root = bomb(forest, 8);
    const { result, reads } = forest.counting(() => countLeaves(root, forest.read, new Map()));
    expect(result).toEqual({ complete: true, leaves: 32 ** 8 });
    expect(reads).toBe(9);
  });

  test('saturate instead of overflowing', () => {
    const forest = new Forest();
    const { result, reads } = forest.counting(() => countLeaves(bomb(forest, 40), forest.read, new Map()));
    expect(result).toEqual({ complete: true, leaves: Number.MAX_SAFE_INTEGER });
    expect(reads).toBe(41);
  });
});

describe('counting leaves', () => {
  test('reads nothing that the memo knows', () => {
    const forest = new Forest();
    const memo = new Map<Hash, number>();
    const old = bomb(forest, 3);
    countLeaves(old, forest.read, memo);
    const root = forest.internal(old, forest.leaf(1));
    const { result, reads } = forest.counting(() => countLeaves(root, forest.read, memo));
    expect(result).toEqual({ complete: true, leaves: 32 ** 3 + 1 });
    expect(reads).toBe(2);
  });

  test('of a tree that is not whole names the first missing node, and remembers only whole subtrees', () => {
    const forest = new Forest();
    const memo = new Map<Hash, number>();
    const whole = forest.internal(forest.leaf(0), forest.leaf(1));
    const partial = forest.internal(forest.leaf(2), ABSENT);
    const root = forest.internal(whole, partial, 'cd'.repeat(32));
    expect(countLeaves(root, forest.read, memo)).toEqual({ complete: false, missing: ABSENT });
    expect(memo.get(whole)).toBe(2);
    expect(memo.has(partial)).toBe(false);
    expect(memo.has(root)).toBe(false);
  });
});

describe('protocol §9: a chain 200,000 nodes deep', () => {
  const DEPTH = 200_000;
  const forest = new Forest();
  let leaningLeft: Hash;
  let leaningRight: Hash;
  beforeAll(() => {
    const leaf = forest.leaf(0);
    leaningLeft = leaf;
    leaningRight = leaf;
    for (let depth = 0; depth < DEPTH; depth += 1) {
      leaningLeft = forest.internal(leaningLeft, leaf);
      leaningRight = forest.internal(leaf, leaningRight);
    }
  }, 60_000);

  test('is walked, whichever way it leans', () => {
    for (const root of [leaningLeft, leaningRight]) {
      expect(leavesOf(root, forest.read).reduce((count) => count + 1, 0)).toBe(DEPTH + 1);
    }
  });

  test('is counted, whichever way it leans', () => {
    for (const root of [leaningLeft, leaningRight]) {
      expect(countLeaves(root, forest.read, new Map())).toEqual({ complete: true, leaves: DEPTH + 1 });
    }
  });
});
