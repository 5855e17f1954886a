/** Protocol §9: what hostile input gets. */
import { describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { Publisher } from '../support/publisher.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import { fromHex, loadVectors } from '../support/vectors.ts';
import { type VirtualPeer, World, type WorldOptions } from '../support/world.ts';

const message = (body: string) => encodeMessage({ date: 1, inReplyTo: null, body });
const parent = (...children: Uint8Array[]) => encodeInternal(children.map(hashOf));
const addressOf = ({ peer }: VirtualPeer) => peer.addresses[0] as SocketAddress;

async function worldWith(
  options: { quota?: number } = {},
  worldOptions?: WorldOptions,
): Promise<{ world: World; reader: VirtualPeer }> {
  const world = new World(1, undefined, worldOptions);
  await world.startDirectory();
  return { world, reader: await world.addPeer('reader', options) };
}

describe('malformed datagrams', () => {
  test('are dropped and counted; never a crash, never an answer', async () => {
    const { world, reader } = await worldWith();
    const stranger = await Stranger.join(world, 'stranger');
    for (const hex of ['', '00', '000000010000', '0000000100ffff', '00000001020001ff', '0000000100000500000000ff']) {
      stranger.sendBytes(addressOf(reader), new Uint8Array(Buffer.from(hex, 'hex')));
    }
    await world.clock.advance(60_000);
    expect(stranger.heard).toEqual([]);
    expect(reader.peer.traffic.dropped).toEqual({ malformed: 6 });
    await world.close();
  });
});

describe('a Datum with the wrong hash, or that nobody asked for', () => {
  test('is dropped and counted; the request goes on', async () => {
    const { world, reader } = await worldWith();
    const [one, two] = [message('one'), message('two')];
    const liar = await Publisher.join(world, 'liar', [one, two], parent(one, two));
    let lies = 0;
    liar.tamper = (hash, id) => {
      if (hash !== hashOf(one) || lies++ > 0) return false;
      const to = addressOf(reader);
      // A forged value, a value for another hash, another source's answer: none may end the request.
      liar.stranger.send(to, { type: 'Datum', id, hash, value: message('forged') });
      liar.stranger.send(to, { type: 'Datum', id, hash: hashOf(two), value: two });
      liar.stranger.send(to, { type: 'Datum', id: id ^ 1, hash, value: one });
      liar.stranger.send(to, { type: 'Root', id, hash });
      const value = encodeDatagram({ type: 'Datum', id, hash, value: one });
      world.network.forge({ ip: '10.9.9.9', port: 9 }, to, value);
      return true;
    };
    const report = await world.settle(reader.peer.sync('liar'));
    expect(report).toMatchObject({ status: 'updated', newMessages: 2, retransmissions: 1 });
    expect(bodiesOf(reader, 'liar')).toEqual(['one', 'two']);
    expect(reader.peer.traffic.dropped).toEqual({
      'answer does not fit its request': 3,
      'answer to no request': 2,
    });
    await world.close();
  });

  test('is not kept: nobody can put nodes into our store', async () => {
    const { world, reader } = await worldWith();
    const stranger = await Stranger.join(world, 'stranger');
    const value = message('unasked');
    stranger.send(addressOf(reader), { type: 'Datum', id: 5, hash: hashOf(value), value });
    await world.clock.advance(1_000);
    expect(reader.store.getNode(hashOf(value))).toBeUndefined();
    await world.close();
  });
});

describe('an invalid node under a correct hash', () => {
  const child = message('child');
  test.each([
    ['an internal node with one child', Uint8Array.of(1, ...Buffer.from(hashOf(child), 'hex'))],
    ['an internal node with 33 children', Uint8Array.of(1, ...new Array(33 * 32).fill(7))],
    ['an internal node cut short', parent(child, child).subarray(0, 40)],
  ])('%s ends the walk of that tree with a named error', async (_, invalid) => {
    const { world, reader } = await worldWith();
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
    const { world, reader } = await worldWith();
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
      const { world, reader } = await worldWith();
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
    const { world, reader } = await worldWith();
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
    const { world, reader } = await worldWith();
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
    const { world, reader } = await worldWith();
    const { nodes, root } = chain(3_000);
    await Publisher.join(world, 'deep', nodes, root);
    const report = await world.settle(reader.peer.sync('deep'));
    expect(report).toMatchObject({ status: 'updated', newMessages: 3_000, nodesFetched: 5_999 });
    await world.close();
  });

  test('is bounded by the quota', async () => {
    const { world, reader } = await worldWith({ quota: 100 });
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

describe('Errors', () => {
  test('an Error is never answered, and always told', async () => {
    const { world, reader } = await worldWith();
    const stranger = await Stranger.join(world, 'stranger');
    for (const id of [0, 7]) stranger.send(addressOf(reader), { type: 'Error', id, text: 'go away' });
    await world.clock.advance(60_000);
    expect(stranger.heard).toEqual([]);
    const told = reader.facts.filter(({ type }) => type === 'error.received');
    expect(told).toMatchObject([{ text: 'go away', from: stranger.address }, { text: 'go away' }]);
    await world.close();
  });

  test('ours have at most 64 bytes of body, and are limited per source', async () => {
    const { world, reader } = await worldWith();
    const stranger = await Stranger.join(world, 'stranger');
    for (let id = 1; id <= 200; id++) stranger.send(addressOf(reader), { type: 'RootRequest', id });
    await world.clock.advance(1_000);
    const errors = stranger.heardOf('Error');
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(5);
    for (const { text } of errors) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64);
    await world.close();
  });

  test('and limited in all, from however many sources they are provoked', async () => {
    const { world, reader } = await worldWith();
    for (let i = 0; i < 1_000; i++) {
      const from = { ip: `10.${1 + (i >> 8)}.${i & 255}.9`, port: 9 };
      world.network.forge(from, addressOf(reader), encodeDatagram({ type: 'RootRequest', id: i + 1 }));
    }
    await world.clock.advance(1_000);
    const errors = world.network.log.filter(({ from, bytes }) => from.ip === reader.ip && bytes[4] === 254);
    expect(errors.length).toBe(200);
    await world.close();
  });
});

describe('Hello floods', () => {
  const forgedHello = (i: number) => encodeDatagram({ type: 'Hello', id: i + 1, flags: 0, name: `nobody ${i}` });
  const flood = (world: World, target: SocketAddress, count: number, first = 0) => {
    for (let i = first; i < first + count; i++) {
      world.network.forge({ ip: `10.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, port: 9 }, target, forgedHello(i));
    }
  };

  test('the session table is bounded; proven sessions are not evicted by unproven ones', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const friend = await world.addPeer('friend');
    await world.settle(friend.peer.whenListed());
    reader.peer.post('for a friend');
    expect(await world.settle(friend.peer.sync('reader'))).toMatchObject({ status: 'updated' });
    // No more than a few lookups of one source at a time: forged sources come in waves.
    for (let wave = 0; wave < 6; wave++) {
      flood(world, addressOf(reader), 1_000);
      await world.clock.advance(10);
    }
    expect(reader.peer.sessions.incoming).toBeLessThanOrEqual(1_024);
    reader.peer.post('another one');
    const hellos = () => world.network.log.filter(({ from, bytes }) => from.ip === friend.ip && bytes[4] === 0).length;
    const before = hellos();
    expect(await world.settle(friend.peer.sync('reader'))).toMatchObject({ newMessages: 1 });
    expect(hellos()).toBe(before);
    await world.close();
  });

  test('of a flood no more sessions are kept than can still be proven', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    for (let wave = 0; wave < 6; wave++) {
      flood(world, addressOf(reader), 400, wave * 400);
      await world.clock.advance(2_000);
    }
    expect(reader.peer.sessions.incoming).toBeGreaterThan(100);
    await world.clock.advance(10_000);
    expect(reader.peer.sessions.incoming).toBeLessThanOrEqual(limits.unprovenSessions + 1);
    await world.close();
  });

  test('one host takes at most 128 places, however many ports it answers from', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const join = async (i: number, ip: string) => {
      const stranger = await Stranger.join(world, `stranger ${i}`, ip, 5_000 + i);
      stranger.answer = ({ datagram: { type, id }, from }) => {
        if (type === 'Hello') stranger.send(from, { type: 'HelloReply', id, flags: 0, name: `stranger ${i}` });
      };
      stranger.send(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: `stranger ${i}` });
      await world.clock.advance(200);
      return stranger;
    };
    for (let i = 0; i < 140; i++) await join(i, '10.0.9.1');
    // And the directory.
    expect(reader.peer.sessions.incoming).toBe(limits.incomingSessionsPerHost + 1);
    const newcomer = await join(140, '10.0.9.2');
    expect(newcomer.heardOf('HelloReply')).toHaveLength(1);
    await world.close();
  });

  test('an expired session keeps no place from a newcomer, nor does one lose its place that we have proven ourselves', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const join = async (name: string, port: number) => {
      const stranger = await Stranger.join(world, name, '10.0.9.1', port);
      stranger.answer = ({ datagram: { type, id }, from }) => {
        if (type === 'Hello') void stranger.sendSigned(from, { type: 'HelloReply', id, flags: 0, name });
      };
      await stranger.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name });
      await world.clock.advance(200);
      return stranger;
    };
    for (let i = 0; i < limits.incomingSessionsPerHost; i++) await join(`stranger ${i}`, 5_000 + i);
    await world.clock.advance(timing.sessionLifetime + 60_000);
    expect((await join('newcomer', 9_000)).heardOf('HelloReply')).toHaveLength(1);

    // Does not answer our Hello, so that it is not proven; but then answers when we want something.
    const friend = await Stranger.join(world, 'friend', '10.0.9.2');
    world.registry.prove('friend', friend.keyPair.publicKey, friend.address, world.clock.now());
    await friend.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'friend' });
    await world.clock.advance(60_000);
    friend.answer = ({ datagram: { type, id }, from }) => {
      if (type === 'Hello') void friend.sendSigned(from, { type: 'HelloReply', id, flags: 0, name: 'friend' });
    };
    reader.peer.sync('friend').catch(() => {});
    await world.clock.advance(5_000);
    flood(world, addressOf(reader), 1_100);
    await world.clock.advance(200);
    friend.send(addressOf(reader), { type: 'RootRequest', id: 7 });
    await world.clock.advance(200);
    expect(friend.heardOf('Root')).toHaveLength(1);
    await world.close();
  });

  test('forged names do not use up what the directory lets a peer ask', async () => {
    let lookUps = 0;
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const lookup = world.registry.lookup.bind(world.registry);
    world.registry.lookup = (...args) => {
      lookUps += 1;
      return lookup(...args);
    };
    for (let wave = 0; wave < 100; wave++) {
      flood(world, addressOf(reader), 30, wave * 30);
      await world.clock.advance(100);
    }
    // 256 at once, 64 a second for ten seconds: of three hundred a second. Many of them go together in one request.
    expect(lookUps).toBeGreaterThan(256);
    expect(lookUps).toBeLessThanOrEqual(256 + 10 * 64 + 10);
    await world.close();
  });

  test('with 40 forged names a second, newcomers get in', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    let isIn = 0;
    for (let newcomer = 0; newcomer < 20; newcomer++) {
      const name = `newcomer ${newcomer}`;
      const stranger = await Stranger.join(world, name, `10.0.${20 + newcomer}.1`);
      for (let tenth = 0; tenth < 20; tenth++) {
        flood(world, addressOf(reader), 4, 80 * newcomer + 4 * tenth);
        // As every program says Hello: again after two seconds, which is the next newcomer's time.
        if (tenth === 5) void stranger.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name });
        await world.clock.advance(100);
      }
      isIn += stranger.heardOf('HelloReply').length;
    }
    expect(isIn).toBeGreaterThanOrEqual(19);
    await world.close();
  });

  test('whoever has proven its address is served during a flood of 8,000 Hellos a second; what is too much is dropped unread', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const friend = await world.addPeer('friend');
    await world.settle(friend.peer.whenListed());
    reader.peer.post('before');
    expect(await world.settle(friend.peer.sync('reader'))).toMatchObject({ status: 'updated' });
    const opened = () => reader.facts.filter(({ type }) => type === 'session.opened').length;
    const before = opened();
    let isFlooding = true;
    const flooding = (async () => {
      for (let i = 0; isFlooding; i++) {
        flood(world, addressOf(reader), 80, 80 * (i % 500));
        await new Promise((resolve) => world.clock.setTimeout(() => resolve(undefined), 10));
      }
    })();
    await world.clock.advance(3_000);
    reader.peer.post('during');
    const report = await world.settle(friend.peer.sync('reader'), 2_000);
    expect(report).toMatchObject({ newMessages: 1 });
    isFlooding = false;
    await world.clock.advance(100);
    await flooding;
    // 1,024 at once, 64 a second: of 24,000 and more. Each would have cost a session, a look-up and two signatures.
    expect(opened() - before).toBeLessThan(1_024 + 6 * 128);
    await world.close();
  });

  test('a forged Hello under the name of a listed peer leaves nothing in the store', async () => {
    const { world, reader } = await worldWith();
    const bob = await world.addPeer('bob');
    await world.settle(bob.peer.whenListed());
    const mallory = await Stranger.join(world, 'mallory');
    mallory.send(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'bob' });
    await mallory.sendSigned(addressOf(reader), { type: 'Hello', id: 2, flags: 0, name: 'bob' });
    await world.clock.advance(60_000);
    expect(reader.store.peer('bob')).toBeUndefined();
    await world.settle(bob.peer.sync('reader'));
    expect(reader.store.peer('bob')).toMatchObject({ key: bob.keyPair.publicKey });
    await world.close();
  });

  test('repeats of a Hello that is shorter than our answer are answered as often as they have paid for it', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const victim = { ip: '10.200.0.1', port: 9 };
    let sent = 0;
    for (let id = 1; id <= 100; id++) {
      const hello = encodeDatagram({ type: 'Hello', id, flags: 0, name: 'x' });
      sent += hello.length;
      world.network.forge(victim, addressOf(reader), hello);
      await world.clock.advance(100);
    }
    await world.clock.advance(60_000);
    const got = world.network.log
      .filter(({ to }) => to.ip === victim.ip)
      .reduce((sum, { bytes }) => sum + bytes.length, 0);
    // The first HelloReply and one Hello of ours go out in any case.
    expect(got).toBeLessThanOrEqual(3 * sent + 200);
    await world.close();
  });

  test('of 13 bytes, from ever new ports of one host, draw three times as much at most; who repeats one gets in', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const ip = '10.200.0.2';
    const small = encodeDatagram({ type: 'Hello', id: 1, flags: 0, name: 'x' });
    expect(small.length).toBe(13);
    let sent = 0;
    for (let port = 1_000; port < 3_000; port++) {
      world.network.forge({ ip, port }, addressOf(reader), small);
      sent += small.length;
      await world.clock.advance(100);
    }
    const drawn = world.network.log.filter(({ to }) => to.ip === ip).reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(drawn).toBeLessThanOrEqual(3 * sent);
    const late = await Stranger.join(world, 'x', ip);
    for (let id = 1; id <= 4; id++) {
      late.send(addressOf(reader), { type: 'Hello', id, flags: 0, name: 'x' });
      await world.clock.advance(100);
    }
    expect(late.heardOf('HelloReply').length).toBeGreaterThanOrEqual(1);
    await world.close();
  });

  test('nor is each of them, said after our Hello has failed, worth another Hello of ours', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    const victim = { ip: '10.200.0.1', port: 9 };
    let sent = 0;
    for (let id = 1; id <= 100; id++) {
      const hello = encodeDatagram({ type: 'Hello', id, flags: 0, name: 'x' });
      sent += hello.length;
      world.network.forge(victim, addressOf(reader), hello);
      await world.clock.advance(10_000);
    }
    const got = world.network.log
      .filter(({ to }) => to.ip === victim.ip)
      .reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(got).toBeLessThanOrEqual(3 * sent + 200);
    await world.close();
  });

  test('what a source gets before it is proven is at most three times what it sent, our Hellos included', async () => {
    const { world, reader } = await worldWith({}, { signatures: 'seals' });
    reader.peer.post('x'.repeat(900));
    const victim = { ip: '10.200.0.1', port: 9 };
    const root = reader.peer.root;
    let sent = 0;
    const forge = (bytes: Uint8Array) => {
      sent += bytes.length;
      world.network.forge(victim, addressOf(reader), bytes);
    };
    forge(encodeDatagram({ type: 'Hello', id: 1, flags: 0, name: 'victim' }));
    for (let id = 2; id < 40; id++) {
      await world.clock.advance(500);
      forge(encodeDatagram({ type: 'GetDatum', id, hash: root }));
    }
    await world.clock.advance(60_000);
    const got = world.network.log
      .filter(({ to }) => to.ip === victim.ip)
      .reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(got).toBeGreaterThan(0);
    // One Hello of ours always goes out: without it nobody could ever be proven.
    expect(got).toBeLessThanOrEqual(3 * sent + 100);
    await world.close();
  });
});

describe('a root that was seen before and superseded', () => {
  test('is accepted, and told as history that went back', async () => {
    const { world, reader } = await worldWith();
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
