import { expect, test } from 'vitest';
import { NodeBuffer } from '../../../src/peer/node-buffer.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';
import type { Store, StoredNode } from '../../../src/store/store.ts';

const node = (hash: string): StoredNode => ({ hash, value: Uint8Array.of(2) });

/** A store that keeps nodes unless its disk is full. */
function storeOn(disk: { isFull: boolean }) {
  const kept: string[] = [];
  const putNodes = (nodes: readonly StoredNode[]) => {
    if (disk.isFull) throw new Error('the disk is full');
    kept.push(...nodes.map(({ hash }) => hash));
  };
  return { kept, store: { putNodes } as unknown as Store };
}

test('nodes are written together, a moment later', async () => {
  const clock = new VirtualClock();
  const { kept, store } = storeOn({ isFull: false });
  const buffer = new NodeBuffer(store, clock);
  for (const hash of ['a', 'b']) buffer.add([node(hash)]);
  expect(kept).toEqual([]);
  await clock.advance(100);
  expect(kept).toEqual(['a', 'b']);
});

test('a disk that is full ends no program: whoever flushes next is told, and what came is still there', async () => {
  const clock = new VirtualClock();
  const disk = { isFull: true };
  const { kept, store } = storeOn(disk);
  const buffer = new NodeBuffer(store, clock);
  buffer.add([node('a')]);
  await clock.advance(1_000);
  buffer.add([node('b')]);
  expect(() => buffer.flush()).toThrow('the disk is full');
  disk.isFull = false;
  buffer.add([node('c')]);
  await clock.advance(1_000);
  expect(kept).toContain('c');
});

test('as soon as there are many, they are written at once', async () => {
  const clock = new VirtualClock();
  const { kept, store } = storeOn({ isFull: false });
  const buffer = new NodeBuffer(store, clock);
  const add = (count: number) => buffer.add(Array.from({ length: count }, () => node('a')));
  add(0);
  expect(clock.pending).toBe(0);
  add(511);
  expect([kept.length, clock.pending]).toEqual([0, 1]);
  add(1);
  expect([kept.length, clock.pending]).toEqual([512, 0]);
  buffer.flush();
  expect(kept).toHaveLength(512);
});
