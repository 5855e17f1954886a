/** Protocol §10, §10.1: nodes in bulk, between peers that both promise it, and what is done if that fails. */
import { describe, expect, test } from 'vitest';
import { limits } from '../../machines/timing.ts';
import { buildTree } from '../../src/merkle/build.ts';
import { calm } from '../../src/simulation/virtual-network.ts';
import { BULK_FLAG, MAX_ITEM_NODE } from '../../src/wire/bulk.ts';
import { type Datagram, decodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { type BulkHabits, joinWithBulk } from '../support/bulk-publisher.ts';
import { listedPeers, stormy } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const messageOf = (date: number, body = `message ${date}`) => encodeMessage({ date, inReplyTo: null, body });

function feedOf(leaves: readonly Uint8Array[]) {
  const { nodes, root } = buildTree(leaves.map(hashOf));
  return { nodes: [...leaves, ...nodes.values()], root: nodes.get(root) as Uint8Array };
}

/** Datagrams of this type that went out from this address. */
function sentFrom<T extends Datagram['type']>(world: World, ip: string, type: T) {
  return world.network.log.flatMap(({ from, bytes, atMs }) => {
    const decoded = decodeDatagram(bytes);
    const isIt = from.ip === ip && decoded.ok && decoded.value.datagram.type === type;
    return isIt ? [{ atMs, datagram: decoded.value.datagram as Datagram & { type: T } }] : [];
  });
}

describe('between two peers, with and without the extension on either side', () => {
  test.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('reader %s, author %s: the feed arrives, and only if both have it in bulk', async (reader, author) => {
    for (const weather of [calm, stormy(0.05)]) {
      const world = new World(1, weather);
      await world.startDirectory();
      const [alice, bob] = [
        await world.addPeer('alice', { bulk: author }),
        await world.addPeer('bob', { bulk: reader }),
      ];
      for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
      for (let i = 0; i < 1_100; i++) alice.peer.post(`message ${i}`);
      const report = await world.settle(bob.peer.sync('alice'), 600_000);
      expect(report).toMatchObject({ status: 'updated', newMessages: 1_100 });
      const asked = sentFrom(world, bob.ip, 'GetNodes').length;
      if (reader && author) expect(report.datagramsSent).toBeLessThan(1_100 / 4);
      else expect(asked).toBe(0);
      alice.peer.post('one more');
      const { nodesFetched } = await world.settle(bob.peer.sync('alice'), 600_000);
      // The message, its run of 32, the run of runs, and the root.
      expect(nodesFetched).toBe(4);
      await world.close();
    }
  });
});

describe('the newest messages of a cold start', () => {
  test('are there after four round trips from the first Hello in a feed of three levels', async () => {
    const delayMs = 50;
    const world = await listedPeers(2, ['alice', 'bob'], { ...calm, minDelayMs: delayMs, maxDelayMs: delayMs });
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    for (let i = 0; i < 1_500; i++) alice.peer.post(`message ${i}`);
    const newest = alice.store.messages({ authors: ['alice'], limit: 20 }).map(({ hash }) => hash);
    await world.settle(bob.peer.sync('alice'));
    // And a fraction, for the look-up of a key over HTTPS and the pauses between datagrams.
    expect(roundTripsUntil(world, bob.ip, newest, delayMs)).toBeLessThan(4.5);
    await world.close();
  });

  test('are there after five round trips from the first Hello in a feed as deep as 32⁴ messages make it', async () => {
    const delayMs = 50;
    const world = await listedPeers(3, [], { ...calm, minDelayMs: delayMs, maxDelayMs: delayMs });
    const bob = await world.settle(world.addPeer('bob', { register: false, quota: 2_000_000 }));
    const leaves = Array.from({ length: 32 }, (_, i) => messageOf(i));
    const nodes = [...leaves];
    // All but the newest children are one and the same: a million messages, of which few are different.
    let [old, newest] = [messageOf(99), encodeInternal(leaves.map(hashOf))];
    nodes.push(old, newest);
    for (let level = 2; level <= 4; level++) {
      old = encodeInternal(new Array(32).fill(hashOf(old)));
      newest = encodeInternal([...new Array(31).fill(hashOf(old)), hashOf(newest)]);
      nodes.push(old, newest);
    }
    await joinWithBulk(world, 'alice', nodes, newest);
    const report = await world.settle(bob.peer.sync('alice'));
    expect(report).toMatchObject({ status: 'updated', newMessages: 33 });
    expect(roundTripsUntil(world, bob.ip, leaves.slice(-20).map(hashOf), delayMs)).toBeLessThan(5.5);
    await world.close();
  });
});

/** From the first Hello to the peer from which they come until the last of these nodes has arrived. */
function roundTripsUntil(world: World, readerIp: string, hashes: readonly string[], delayMs: number): number {
  const arrivals = world.network.log.flatMap(({ to, from, bytes, atMs }) => {
    const decoded = decodeDatagram(bytes);
    if (to.ip !== readerIp || !decoded.ok || decoded.value.datagram.type !== 'Nodes') return [];
    const { items } = decoded.value.datagram;
    return items.map(({ value }) => ({
      from,
      hash: typeof value === 'string' ? '' : hashOf(value),
      atMs: atMs + delayMs,
    }));
  });
  const author = arrivals[0]?.from.ip;
  const hello = sentFrom(world, readerIp, 'Hello');
  const first = world.network.log.find(
    ({ from, to, bytes }) => from.ip === readerIp && to.ip === author && bytes[4] === 0,
  );
  expect(hello.length).toBeGreaterThan(0);
  const lastMs = Math.max(...hashes.map((hash) => arrivals.find((arrival) => arrival.hash === hash)?.atMs ?? Infinity));
  return (lastMs - (first?.atMs ?? 0)) / (2 * delayMs);
}

describe('what does not come in bulk comes one by one', () => {
  const leaves = Array.from({ length: 400 }, (_, i) => messageOf(i));
  const { nodes, root } = feedOf(leaves);

  async function syncFrom(seed: number, habits: BulkHabits, of = { nodes, root }) {
    const world = await listedPeers(seed, []);
    const bob = await world.settle(world.addPeer('bob', { register: false }));
    const author = await joinWithBulk(world, 'alice', of.nodes, of.root, habits);
    const report = await world.settle(bob.peer.sync('alice'), 600_000);
    return { world, bob, author, report };
  }
  /** GetNodes that are under way before it shows that they are of no use. */
  const MOST_AT_ONCE = 8;
  const whole = { status: 'updated', newMessages: 400 };

  test('all of it: nothing is asked for by its hash', async () => {
    const { world, author, report } = await syncFrom(4, {});
    expect(report).toMatchObject(whole);
    expect(author.asked).toEqual([]);
    await world.close();
  });

  test('GetNodes that is never answered, while single requests are: the extension is off for the session', async () => {
    const { world, report, author } = await syncFrom(5, { refuse: () => true });
    expect(report).toMatchObject(whole);
    expect(new Set(author.asked).size).toBe(nodes.length);
    const asked = author.stranger.heardOf('GetNodes').map(({ id }) => id);
    expect(new Set(asked).size).toBeLessThanOrEqual(MOST_AT_ONCE);
    await world.close();
  });

  test('GetNodes that is refused: Hello is said once, and after a second Error the extension is off', async () => {
    const { world, bob, report, author } = await syncFrom(6, {
      refuse: ({ id }, send) => {
        send({ type: 'Error', id, text: 'what is that?' });
        return true;
      },
    });
    expect(report).toMatchObject(whole);
    expect(new Set(author.asked).size).toBe(nodes.length);
    expect(author.stranger.heardOf('GetNodes').length).toBeLessThanOrEqual(MOST_AT_ONCE);
    expect(bob.facts.some((fact) => fact.type === 'error.received' && fact.text === 'what is that?')).toBe(true);
    await world.close();
  });

  test('GetNodes for the root that is not answered: the root comes by GetDatum, and the rest in as few requests as ever', async () => {
    let ignored = 0;
    const { world, report, author } = await syncFrom(13, { refuse: () => ignored++ < 2 });
    expect(report).toMatchObject(whole);
    expect(author.asked).toEqual([hashOf(root)]);
    expect(author.stranger.heardOf('GetNodes').length).toBeLessThan(nodes.length / 8);
    await world.close();
  });

  test('hostile: empty answers that claim to be all', async () => {
    const { world, report } = await syncFrom(7, { tamper: (sent) => ({ ...sent, items: [], isLast: true }) });
    expect(report).toMatchObject(whole);
    await world.close();
  });

  test('hostile: empty answers that never end', async () => {
    const { world, report } = await syncFrom(8, { tamper: (sent) => ({ ...sent, items: [], isLast: false }) });
    expect(report).toMatchObject(whole);
    await world.close();
  });

  test('hostile: other bytes than were asked for are dropped, counted, and not kept', async () => {
    const forged = messageOf(7, 'forged');
    const { world, bob, report } = await syncFrom(9, {
      tamper: (sent) => ({ ...sent, items: sent.items.map((item) => ({ ...item, value: forged })) }),
    });
    expect(report).toMatchObject(whole);
    expect(bob.store.getNode(hashOf(forged))).toBeUndefined();
    expect(bob.peer.traffic.dropped['answer does not fit its request']).toBeGreaterThan(0);
    await world.close();
  });

  test('nodes that fit in no Nodes come by GetDatum, and nothing else does', async () => {
    const large = encodeMessage({ date: 1, inReplyTo: null, body: 'x' });
    const padded = new Uint8Array(MAX_ITEM_NODE + 1);
    padded.set(large);
    const of = feedOf([...leaves.slice(0, 50), padded, ...leaves.slice(50)]);
    const { world, author, report } = await syncFrom(10, {}, of);
    expect(report).toMatchObject({ status: 'updated', newMessages: 401 });
    expect(author.asked).toEqual([hashOf(padded)]);
    await world.close();
  });

  test('a node that the author does not have ends the walk with its name', async () => {
    const of = { nodes: nodes.slice(1), root };
    const { world, report } = await syncFrom(11, {}, of);
    expect(report).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(report.error?.message).toContain(hashOf(nodes[0] as Uint8Array));
    await world.close();
  });

  test('every third datagram lost: what is missing is asked for again, and nothing twice without need', async () => {
    let count = 0;
    const { world, author, report } = await syncFrom(12, { tamper: (sent) => (count++ % 3 === 2 ? undefined : sent) });
    expect(report).toMatchObject(whole);
    expect(author.asked.length).toBeLessThan(nodes.length / 4);
    expect(report.nodesFetched).toBeLessThan(2 * nodes.length);
    await world.close();
  });
});

describe('a peer that is asked for nodes in bulk', () => {
  const HELLO = 0x01020304;

  /** Alice has written; a stranger has said Hello, and answered hers, whose id it gives. */
  async function asked(seed: number, flags = BULK_FLAG) {
    const world = await listedPeers(seed, ['alice']);
    const [alice] = world.peers as [VirtualPeer];
    for (let i = 0; i < 300; i++) alice.peer.post(`message ${i}`);
    const stranger = await Stranger.join(world, 'reader');
    world.registry.prove('reader', stranger.keyPair.publicKey, stranger.address, world.clock.now());
    const [to] = alice.peer.addresses;
    if (to === undefined) throw new Error('alice has no address');
    stranger.answer = ({ datagram }) => {
      if (datagram.type !== 'Hello') return;
      void stranger.sendSigned(to, { type: 'HelloReply', id: datagram.id, flags: 0, name: 'reader' });
    };
    await stranger.sendSigned(to, { type: 'Hello', id: HELLO, flags, name: 'reader' });
    await world.clock.advance(1_000);
    const proof = stranger.heardOf('Hello')[0]?.id ?? 0;
    const entries = [{ kind: 'node', hash: alice.peer.root } as const];
    const ask = async (fields: Partial<Extract<Datagram, { type: 'GetNodes' }>>) => {
      stranger.send(to, { type: 'GetNodes', id: 9, proof, gap: 0, grant: 255, entries, ...fields });
      await world.clock.advance(5_000);
    };
    return { world, alice, stranger, to, proof, ask };
  }

  test('serves whoever carries the id of the Hello that proved the address, and nobody else', async () => {
    const { world, stranger, ask } = await asked(20);
    await ask({ proof: 1 });
    expect(stranger.heardOf('Nodes')).toEqual([]);
    expect(stranger.heardOf('Error')).toEqual([]);
    await ask({});
    expect(stranger.heardOf('Nodes')).toMatchObject([
      { id: 9, sequence: 0, isLast: true, items: [{ entry: 0, child: 0 }] },
    ]);
    await world.close();
  });

  test('sends no more datagrams than are granted, as far apart as is asked', async () => {
    const { world, alice, ask, stranger } = await asked(21);
    const gapMs = 20;
    const all = [{ kind: 'children', parent: alice.peer.root, mask: 0xffffffff } as const];
    await ask({ gap: gapMs * 1_000, grant: 4, entries: all });
    expect(stranger.heardOf('Nodes').map(({ sequence, isLast }) => [sequence, isLast])).toEqual([
      [0, false],
      [1, false],
      [2, false],
      [3, true],
    ]);
    const times = sentFrom(world, alice.ip, 'Nodes').map(({ atMs }) => atMs);
    for (const [index, atMs] of times.slice(1).entries()) {
      expect(atMs - (times[index] as number)).toBeGreaterThanOrEqual(gapMs);
    }
    await world.close();
  });

  test.each([
    ['a malformed GetNodes', BULK_FLAG, new Uint8Array(7), 'malformed GetNodes'],
    ['a GetNodes of somebody who has not promised it', 0, undefined, 'unknown request type'],
  ])('answers %s with an Error that has its id', async (_, flags, body, text) => {
    const { world, stranger, to, ask } = await asked(22, flags);
    if (body === undefined) await ask({});
    else stranger.send(to, { type: 'Unknown', id: 9, code: 16, body });
    await world.clock.advance(1_000);
    expect(stranger.heardOf('Error')).toMatchObject([{ id: 9, text }]);
    expect(stranger.heardOf('Nodes')).toEqual([]);
    await world.close();
  });

  test('has at most 255 datagrams outstanding for one address, however many are granted', async () => {
    const { world, alice, stranger, to, proof } = await asked(23);
    const entries = [{ kind: 'children', parent: alice.peer.root, mask: 0xffffffff } as const];
    for (let id = 100; id < 110; id++) {
      stranger.send(to, { type: 'GetNodes', id, proof, gap: 65_535, grant: 100, entries });
    }
    await world.clock.advance(60_000);
    const answered = new Set(stranger.heardOf('Nodes').map(({ id }) => id));
    expect(answered.size).toBe(Math.floor(limits.grantsPerAddress / 100));
    await world.close();
  });
});
