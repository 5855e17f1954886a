/** Protocol §9: what comes of trees that nobody honest would make. */
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/wire/hash.ts';
import { message, Publisher, parent } from '../support/publisher.ts';
import { bodiesOf, worldWithReader } from '../support/scenarios.ts';
import { fromHex, loadVectors } from '../support/vectors.ts';

describe('an invalid node under a correct hash', () => {
  const child = message('child');
  test.each([
    ['an internal node with one child', Uint8Array.of(1, ...Buffer.from(hashOf(child), 'hex'))],
    ['an internal node with 33 children', Uint8Array.of(1, ...new Array(33 * 32).fill(7))],
    ['an internal node cut short', parent(child, child).subarray(0, 40)],
  ])('%s ends the walk of that tree with a named error', async (_, invalid) => {
    const { world, reader } = await worldWithReader();
    const verified = message('verified');
    await Publisher.join(world, 'odd', [verified, invalid], parent(verified, invalid));
    const report = await world.settle(reader.peer.sync('odd'));
    expect(report).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(report.error?.message).toMatch(/tree of odd is not valid: .*node/);
    expect(report.error?.message).toContain(hashOf(invalid));
    expect(bodiesOf(reader, 'odd')).toEqual([]);
    expect(reader.store.currentRoot('odd')).toBeUndefined();
    await world.close();
  });

  test('what was verified is kept, and not fetched again when the tree is mended', async () => {
    const { world, reader } = await worldWithReader();
    const verified = Array.from({ length: 8 }, (_, i) => message(`verified ${i}`));
    const invalid = Uint8Array.of(1, 1);
    const odd = await Publisher.join(world, 'odd', [...verified, invalid], parent(...verified, invalid));
    await world.settle(reader.peer.sync('odd'));
    const fetched = new Set(odd.asked);
    expect(fetched.size).toBeGreaterThan(2);
    const mended = parent(...verified, message('mended'));
    for (const node of [mended, message('mended')]) odd.nodes.set(hashOf(node), node);
    odd.root = hashOf(mended);
    odd.asked.length = 0;
    expect(await world.settle(reader.peer.sync('odd'))).toMatchObject({ status: 'updated', newMessages: 9 });
    const again = odd.asked.filter((hash) => fetched.has(hash));
    expect(again).toEqual([]);
    await world.close();
  });
});

describe('a leaf that cannot be read', () => {
  const { brokenLeaves } = loadVectors<{ brokenLeaves: readonly { name: string; bytes: string }[] }>('nodes');

  test.each(brokenLeaves.map(({ name, bytes }) => [name, fromHex(bytes)] as const))(
    '%s: shows nothing, is kept, and the rest of the feed is read, also when it is read again',
    async (_, broken) => {
      const { world, reader } = await worldWithReader();
      const messages = ['first', 'last', 'later'].map((body) => message(body));
      const [first, last, later] = messages as [Uint8Array, Uint8Array, Uint8Array];
      const root = parent(first, broken, last);
      const odd = await Publisher.join(world, 'odd', [first, broken, last], root);
      const report = await world.settle(reader.peer.sync('odd'));
      expect(report).toMatchObject({ status: 'updated', newMessages: 2, totalMessages: 2 });
      expect(bodiesOf(reader, 'odd').sort()).toEqual(['first', 'last']);
      expect(reader.store.statusOf([hashOf(root)])).toEqual(['complete']);
      expect(reader.store.getNode(hashOf(broken))).toEqual(broken);
      expect(reader.store.message(hashOf(broken))).toBeUndefined();
      expect(reader.store.search({ text: 'first' })).toHaveLength(1);

      reader.store.collectGarbage();
      const longer = parent(root, later);
      for (const node of [longer, later]) odd.nodes.set(hashOf(node), node);
      odd.root = hashOf(longer);
      expect(await world.settle(reader.peer.sync('odd'))).toMatchObject({ status: 'updated', newMessages: 1 });
      await world.close();
    },
  );
});

describe('few nodes that expand to billions of leaves', () => {
  test('each hash is fetched once; the leaves are computed, not enumerated; past the quota the walk ends with a named error', async () => {
    const { world, reader } = await worldWithReader();
    const layers = [message('echo')];
    for (let level = 0; level < 8; level++) layers.push(parent(...new Array(32).fill(layers.at(-1))));
    const bomb = await Publisher.join(world, 'bomb', layers, layers.at(-1) as Uint8Array);
    const report = await world.settle(reader.peer.sync('bomb'));
    expect(report).toMatchObject({ status: 'failed', nodesFetched: 9, error: { code: 'invalid-data' } });
    expect(report.error?.message).toContain(`${32 ** 8} messages, more than the quota of 1000000`);
    expect(bomb.asked).toHaveLength(9);
    expect(bodiesOf(reader, 'bomb')).toEqual([]);
    await world.close();
  });

  test('below the quota the same message in many places is one message', async () => {
    const { world, reader } = await worldWithReader();
    const leaf = message('echo');
    const level = parent(...new Array(32).fill(leaf));
    await Publisher.join(world, 'echo', [leaf, level], parent(...new Array(32).fill(level)));
    expect(await world.settle(reader.peer.sync('echo'))).toMatchObject({ status: 'updated', totalMessages: 1 });
    expect(bodiesOf(reader, 'echo')).toEqual(['echo']);
    await world.close();
  });
});

describe('a deep chain', () => {
  const chain = (length: number): { nodes: Uint8Array[]; root: Uint8Array } => {
    const nodes: Uint8Array[] = [];
    let root = message('0');
    for (let i = 1; i < length; i++) {
      const leaf = message(String(i));
      nodes.push(root, leaf);
      root = parent(root, leaf);
    }
    return { nodes, root };
  };

  test('is walked iteratively to its end', async () => {
    const { world, reader } = await worldWithReader();
    const { nodes, root } = chain(3_000);
    await Publisher.join(world, 'deep', nodes, root);
    const report = await world.settle(reader.peer.sync('deep'));
    expect(report).toMatchObject({ status: 'updated', newMessages: 3_000, nodesFetched: 5_999 });
    await world.close();
  });

  test('is bounded by the quota', async () => {
    const { world, reader } = await worldWithReader({ quota: 100 });
    const { nodes, root } = chain(3_000);
    await Publisher.join(world, 'deep', nodes, root);
    const report = await world.settle(reader.peer.sync('deep'));
    expect(report).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    // Two nodes a message, and what was in flight.
    expect(report.nodesFetched).toBeLessThanOrEqual(260);
    expect(bodiesOf(reader, 'deep')).toEqual([]);
    await world.close();
  });
});

describe('a root that was seen before and superseded', () => {
  test('is accepted, and told as history that went back', async () => {
    const { world, reader } = await worldWithReader();
    const [one, two] = [message('one'), message('two')];
    const old = parent(one, two);
    const recent = parent(one, two, message('three'));
    const undecided = await Publisher.join(world, 'undecided', [one, two, message('three'), old], recent);
    const sync = async (root: Uint8Array) => {
      undecided.root = hashOf(root);
      return world.settle(reader.peer.sync('undecided'));
    };
    await sync(old);
    await sync(recent);
    expect(reader.facts.some(({ type }) => type === 'history.wentBack')).toBe(false);
    expect(await sync(old)).toMatchObject({ status: 'updated', withdrawnMessages: 1, totalMessages: 2 });
    expect(reader.facts.filter(({ type }) => type === 'history.wentBack')).toMatchObject([{ name: 'undecided' }]);
    expect(bodiesOf(reader, 'undecided')).toEqual(['one', 'two']);
    await world.close();
  });
});
