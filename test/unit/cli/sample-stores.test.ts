/** The demo's sample messages. */
import { expect, test } from 'vitest';
import { createSampleStores } from '../../../src/cli/demo/sample-stores.ts';
import { messages, neighbours } from '../../../src/cli/demo/script.ts';
import { leavesOf } from '../../../src/merkle/leaves.ts';
import { decodeNode } from '../../../src/wire/node.ts';

const NOW = Date.UTC(2026, 0, 31);
const stores = createSampleStores(NOW);

test.for([...neighbours])('$name serves a whole $shape tree', ({ name, shape }) => {
  const store = stores.get(name);
  if (store === undefined) throw new Error('no store');
  const { root, messages: count } = store.ownFeed();
  const bodies = [...leavesOf(root, (hash) => store.getNode(hash))].map((hash) => {
    const node = decodeNode(store.getNode(hash) ?? new Uint8Array());
    return node.ok && node.value.kind === 'message' ? node.value.body : undefined;
  });
  expect(bodies).toEqual(messages.filter(({ author }) => author === name).map(({ body }) => body));
  expect(bodies).toHaveLength(count);
  if (shape === 'canonical') return;
  const node = decodeNode(store.getNode(root) ?? new Uint8Array());
  expect(node).toMatchObject({ value: { kind: 'internal', children: { length: 2 } } });
});

test('there are trees of two levels, chains both ways, and a single message', () => {
  const counts = neighbours.map(({ name }) => stores.get(name)?.ownFeed().messages ?? 0);
  expect(Math.max(...counts)).toBeGreaterThan(32);
  expect(counts).toContain(1);
  expect(new Set(neighbours.map(({ shape }) => shape)).size).toBe(3);
});

test('every reply names an earlier message', () => {
  const keys = new Set<string>();
  for (const { answers, key } of messages) {
    if (answers !== undefined) expect(keys).toContain(answers);
    if (key !== undefined) keys.add(key);
  }
});
