import { describe, expect, test } from 'vitest';
import { buildTree, levelSizes } from '../../../src/merkle/build.ts';
import { leavesOf } from '../../../src/merkle/leaves.ts';
import { childrenOf } from '../../../src/merkle/read-node.ts';
import { EMPTY_ROOT } from '../../../src/wire/hash.ts';
import { Forest } from './forest.ts';
import { treeVectors } from './vectors.ts';

const forest = new Forest();
const leaves = forest.leaves(Math.max(...treeVectors.map(({ messages }) => messages)));

describe('protocol §2: the shape that this project publishes', () => {
  test.each(treeVectors)(
    '$messages messages have the root of the vectors',
    ({ messages, root, distinctNodes, depth }) => {
      const some = leaves.slice(0, messages);
      const tree = buildTree(some);
      expect(tree.root).toBe(root);
      expect(new Set([...some, ...tree.nodes.keys()]).size).toBe(distinctNodes);
      expect(Math.max(0, levelSizes(messages).length - 1)).toBe(depth);

      forest.addAll(tree.nodes);
      let steps = 0;
      for (let [first] = messages ? (childrenOf(root, forest.read) ?? []) : []; first; steps += 1) {
        [first] = childrenOf(first, forest.read) ?? [];
      }
      expect(steps).toBe(depth);
      expect([...leavesOf(root, forest.read)]).toEqual(some);
    },
  );

  test('no message: the root is the hash of the empty string, and there is no node', () => {
    expect(buildTree([])).toEqual({ root: EMPTY_ROOT, nodes: new Map() });
  });

  test('one message: the root is the message itself', () => {
    const [leaf = ''] = leaves;
    expect(buildTree([leaf])).toEqual({ root: leaf, nodes: new Map() });
  });

  test('a run of one stands for itself on the next level', () => {
    const tree = buildTree(leaves.slice(0, 33));
    const root = childrenOf(tree.root, (hash) => tree.nodes.get(hash));
    expect(root).toEqual([buildTree(leaves.slice(0, 32)).root, leaves[32]]);
  });

  test('the same message in several places is one node', () => {
    const [leaf = ''] = leaves;
    const tree = buildTree(Array.from({ length: 32 * 32 }, () => leaf));
    expect(tree.nodes.size).toBe(2);
    expect([...leavesOf(tree.root, (hash) => tree.nodes.get(hash) ?? forest.read(hash))]).toHaveLength(1024);
  });

  test('the sizes of the levels follow from the number of leaves', () => {
    expect(levelSizes(0)).toEqual([]);
    expect(levelSizes(1)).toEqual([1]);
    expect(levelSizes(1025)).toEqual([1025, 33, 2, 1]);
  });
});
