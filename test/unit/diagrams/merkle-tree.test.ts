/** The picture of a tree that grows by a message shows what a reader fetches. */
import { expect, test } from 'vitest';
import { merkleTreePicture } from '../../../diagrams/draw/merkle-tree.ts';
import { colors } from '../../../diagrams/draw/palette.ts';

test('a node is marked as fetched if it stands in the second tree only: one on each level', () => {
  const { boxes } = merkleTreePicture();
  const nodes = [...boxes].map(([path, box]) => ({ path, isFetched: box.includes(colors.fetched[0]) }));
  const before = nodes.filter(({ path }) => path.startsWith('before '));
  const after = nodes.filter(({ path }) => path.startsWith('after '));
  expect(before.filter(({ isFetched }) => isFetched)).toEqual([]);
  expect(after.filter(({ isFetched }) => isFetched)).toHaveLength(3);
  const had = new Set(before.map(({ path }) => path.replace('before ', '')));
  for (const { path, isFetched } of after) expect(had.has(path.replace('after ', '')), path).toBe(!isFetched);
});
