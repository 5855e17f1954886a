/** Withdrawing a message, against the tree built anew with another leaf in its place. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendLeaf, loadRightEdge } from '../../src/merkle/append.ts';
import { buildTree, levelSizes } from '../../src/merkle/build.ts';
import { canonicalLeaves, replaceLeaf, TOMBSTONE } from '../../src/merkle/withdraw.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { nodeKind } from '../../src/wire/node.ts';
import { Forest } from '../unit/merkle/forest.ts';

const sizes = fc.oneof(
  fc.integer({ min: 1, max: 200 }),
  fc.constantFrom(1, 2, 31, 32, 33, 64, 65, 1023, 1024, 1025, 1056, 1057),
);

function grow(count: number) {
  const forest = new Forest();
  const leaves = Array.from({ length: count }, (_, index) => forest.leaf(index));
  const { root, nodes } = buildTree(leaves);
  forest.addAll(nodes);
  return { forest, leaves, root };
}

test('what takes its place is of no known type', () => {
  expect(nodeKind(TOMBSTONE)).toBe('unknown');
});

test('one leaf replaced gives the tree built with it, along one path, and it can be added to', () => {
  fc.assert(
    fc.property(sizes, fc.nat(), fc.integer({ min: 0, max: 40 }), (count, pick, more) => {
      const { forest, leaves, root } = grow(count);
      expect(canonicalLeaves(root, count, forest.read)).toEqual(leaves);
      const position = pick % count;
      const tombstone = forest.add(TOMBSTONE);
      const { result: replaced, reads } = forest.counting(() =>
        replaceLeaf(root, count, position, tombstone, forest.read),
      );
      const expected = leaves.with(position, tombstone);
      expect(replaced.root).toBe(buildTree(expected).root);
      expect(replaced.created.length).toBeLessThan(levelSizes(count).length);
      expect(reads).toBeLessThan(levelSizes(count).length);

      for (const { value } of replaced.created) forest.add(value);
      let edge = loadRightEdge(replaced.root, count, forest.read);
      let after: Hash = replaced.root;
      for (let i = 0; i < more; i++) {
        expected.push(forest.leaf(count + i));
        ({ edge, root: after } = appendLeaf(edge, forest.leaf(count + i)));
      }
      expect(after).toBe(buildTree(expected).root);
    }),
    { numRuns: 150 },
  );
});

test('stores that publish and withdraw in any order have the tree of what they hold', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20 }).map((text) => ({ publish: `${text}` })) },
    { weight: 1, arbitrary: fc.nat().map((withdraw) => ({ withdraw })) },
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 70 }), fc.array(step, { maxLength: 40 }), (start, steps) => {
      using store = openSqliteStore(':memory:');
      let leaves: Hash[] = [];
      const publish = (body: string) => {
        const { hash, root } = store.publish('me', { date: 1, inReplyTo: null, body }, 0);
        leaves.push(hash);
        expect(root).toBe(buildTree(leaves).root);
      };
      for (let i = 0; i < start; i++) publish(`start ${i % 50}`);
      for (const one of steps) {
        if ('publish' in one) publish(one.publish);
        else if (leaves.length > 0) {
          const hash = leaves[one.withdraw % leaves.length] ?? '';
          const withdrawn = store.withdraw('me', hash, 0);
          leaves = leaves.map((leaf) => (leaf === hash ? hashOf(TOMBSTONE) : leaf));
          if (withdrawn !== undefined) expect(withdrawn.root).toBe(buildTree(leaves).root);
          expect(store.message(hash)).toBeUndefined();
        }
      }
      expect(store.ownFeed()).toEqual({ root: buildTree(leaves).root, messages: leaves.length });
      expect(store.countMessages()).toBe(new Set(leaves.filter((leaf) => leaf !== hashOf(TOMBSTONE))).size);
      expect(store.ownLeaves().map(hashOf)).toEqual(leaves);
    }),
    { numRuns: 40 },
  );
});
