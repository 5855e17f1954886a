import { describe, expect, test } from 'vitest';
import { appendLeaf, loadRightEdge, type RightEdge } from '../../../src/merkle/append.ts';
import { buildTree, levelSizes } from '../../../src/merkle/build.ts';
import { ForeignShapeError } from '../../../src/merkle/foreign-shape-error.ts';
import { InvalidNodeError } from '../../../src/merkle/invalid-node-error.ts';
import { MissingNodeError } from '../../../src/merkle/missing-node-error.ts';
import { EMPTY_ROOT, ZERO_HASH } from '../../../src/wire/hash.ts';
import { Forest } from './forest.ts';
import { treeVectors } from './vectors.ts';

const NO_MESSAGES: RightEdge = { count: 0, runs: [] };

describe('appending a message', () => {
  test('one by one, gives every root of the vectors and keeps exactly the nodes of the tree', () => {
    const expected = new Map(treeVectors.map((vector) => [vector.messages, vector]));
    const forest = new Forest();
    const internal = new Set<string>();
    // Collected and checked at the end: an assertion costs more than an append.
    const wrong: { index: number; why: string }[] = [];
    let edge = NO_MESSAGES;
    for (let index = 0; index < 32_769; index += 1) {
      const step = appendLeaf(edge, forest.leaf(index));
      for (const { hash } of step.created) {
        if (internal.has(hash)) wrong.push({ index, why: 'created what was there' });
        internal.add(hash);
      }
      for (const hash of step.superseded) {
        if (!internal.delete(hash)) wrong.push({ index, why: 'superseded what was not there' });
      }
      if (step.created.length >= levelSizes(index + 1).length) wrong.push({ index, why: 'more than a node per level' });
      edge = step.edge;

      const vector = expected.get(index + 1);
      if (!vector) continue;
      expect(step.root).toBe(vector.root);
      expect(internal.size + index + 1).toBe(vector.distinctNodes);
    }
    expect(wrong).toEqual([]);
  });

  test('changes one node per level', () => {
    const forest = new Forest();
    const { root, nodes } = buildTree(forest.leaves(30_000));
    forest.addAll(nodes);
    const step = appendLeaf(loadRightEdge(root, 30_000, forest.read), forest.leaf(30_000));
    expect(step.created).toHaveLength(3);
    expect(step.superseded).toHaveLength(3);
    expect(step.superseded.at(-1)).toBe(root);
    expect(step.created.at(-1)?.hash).toBe(step.root);
  });

  test('makes no node for the first message, and supersedes none when a level is added on top', () => {
    const forest = new Forest();
    const first = appendLeaf(NO_MESSAGES, forest.leaf(0));
    expect(first).toMatchObject({ root: forest.leaf(0), created: [], superseded: [] });

    const { root, nodes } = buildTree(forest.leaves(1024));
    forest.addAll(nodes);
    const grown = appendLeaf(loadRightEdge(root, 1024, forest.read), forest.leaf(1024));
    expect(grown.created).toHaveLength(1);
    expect(grown.superseded).toEqual([]);
  });

  test('leaves the edge it started from as it was', () => {
    const forest = new Forest();
    const { root, nodes } = buildTree(forest.leaves(40));
    forest.addAll(nodes);
    const edge = loadRightEdge(root, 40, forest.read);
    const copy = structuredClone(edge);
    const one = appendLeaf(edge, forest.leaf(40));
    const other = appendLeaf(edge, forest.leaf(41));
    expect(edge).toEqual(copy);
    expect(one.root).not.toBe(other.root);
  });
});

describe('the right edge', () => {
  test('is found from the root and the count with at most one read per level', () => {
    const forest = new Forest();
    const leaves = forest.leaves(2100);
    let edge = NO_MESSAGES;
    for (const [index, leaf] of leaves.entries()) {
      const step = appendLeaf(edge, leaf);
      for (const { value } of step.created) forest.add(value);
      edge = step.edge;
      const { result, reads } = forest.counting(() => loadRightEdge(step.root, index + 1, forest.read));
      expect(result).toEqual(edge);
      expect(reads).toBeLessThan(levelSizes(index + 1).length);
    }
  });

  test('of an empty tree is empty, under either hash that means "no messages"', () => {
    expect(loadRightEdge(EMPTY_ROOT, 0, () => undefined)).toEqual(NO_MESSAGES);
    expect(loadRightEdge(ZERO_HASH, 0, () => undefined)).toEqual(NO_MESSAGES);
  });

  test('is refused for a count that does not fit the tree', () => {
    const forest = new Forest();
    const { root, nodes } = buildTree(forest.leaves(50));
    forest.addAll(nodes);
    for (const count of [0, 3, 32, 49, 51, 1026]) {
      expect(() => loadRightEdge(root, count, forest.read), `${count}`).toThrow(ForeignShapeError);
    }
    expect(() => loadRightEdge(EMPTY_ROOT, 1, forest.read)).toThrow(ForeignShapeError);
    for (const count of [-1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => loadRightEdge(root, count, forest.read), `${count}`).toThrow(RangeError);
    }
  });

  test('names the node that is missing or not valid', () => {
    const forest = new Forest();
    const broken = forest.add(new Uint8Array([1, 2, 3]));
    expect(() => loadRightEdge('ab'.repeat(32), 2, forest.read)).toThrow(MissingNodeError);
    expect(() => loadRightEdge(broken, 2, forest.read)).toThrow(InvalidNodeError);
    expect(() => loadRightEdge(broken, 2, forest.read)).toThrow(
      expect.objectContaining({ hash: broken, code: 'invalid-data' }),
    );
  });
});
