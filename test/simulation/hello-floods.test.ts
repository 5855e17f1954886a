/** Protocol §9: what floods of forged Hellos cost, and who gets in during one. */
import { describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { addressOf, worldWithReader } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { World } from '../support/world.ts';

describe('Hello floods', () => {
  const forgedHello = (i: number) => encodeDatagram({ type: 'Hello', id: i + 1, flags: 0, name: `nobody ${i}` });
  const flood = (world: World, target: SocketAddress, count: number, first = 0) => {
    for (let i = first; i < first + count; i++) {
      world.network.forge({ ip: `10.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, port: 9 }, target, forgedHello(i));
    }
  };

  test('the session table is bounded; proven sessions are not evicted by unproven ones', async () => {
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader();
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
    const { world, reader } = await worldWithReader({}, { signatures: 'seals' });
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
