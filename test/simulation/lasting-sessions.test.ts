/** Protocol §5 and §6: what sessions are for: pushes over them, how long they last, and where to when a peer moves. */
import { describe, expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import { Publisher } from '../support/publisher.ts';
import { addressOf, bodiesOf, listedPeers, listedReader } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const MINUTE = 60_000;
const hellosFrom = (world: World, ip: string) =>
  world.network.log.filter(({ from, bytes }) => from.ip === ip && bytes[4] === 0).length;

describe('new roots', () => {
  test('a signed unsolicited Root over a session makes the receiver walk the new tree, fetching only what it lacks', async () => {
    const world = await listedPeers(5, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    for (let i = 0; i < 100; i++) alice.peer.post(`message ${i}`);
    bob.peer.follow('alice');
    await world.until(() => bodiesOf(bob, 'alice').length === 100);
    bob.facts.length = 0;
    alice.peer.post('pushed');
    await world.clock.advance(1_000);
    expect(bob.facts).toContainEqual(
      expect.objectContaining({ report: expect.objectContaining({ newMessages: 1, nodesFetched: 3 }) }),
    );
    await world.close();
  });

  test('of a peer that is not followed nothing is downloaded', async () => {
    const world = await listedPeers(5, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    await world.settle(bob.peer.sync('alice'));
    alice.peer.post('pushed');
    await world.clock.advance(1_000);
    expect(bodiesOf(bob, 'alice')).toEqual([]);
    await world.close();
  });

  test('an unsolicited Root without a valid signature, or from nobody we know, is ignored', async () => {
    const { world, reader } = await listedReader(3);
    const silent = await Publisher.join(world, 'alice', [], new Uint8Array([2]));
    reader.peer.follow('alice');
    await world.clock.advance(1_000);
    silent.asked.length = 0;
    const hash = 'ab'.repeat(32);
    const forger = await Stranger.join(world, 'forger', '10.0.9.2');
    silent.stranger.send(addressOf(reader), { type: 'Root', id: 0, hash });
    await forger.sendSigned(addressOf(reader), { type: 'Root', id: 0, hash });
    await world.clock.advance(MINUTE);
    expect(silent.asked).toEqual([]);
    await silent.stranger.sendSigned(addressOf(reader), { type: 'Root', id: 0, hash });
    await world.clock.advance(1_000);
    expect(silent.asked).toEqual([hash]);
    await world.close();
  });
});

describe('sessions last', () => {
  test('nobody repeats a handshake that is not needed', async () => {
    const world = await listedPeers(5, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    alice.peer.post('hello');
    await world.settle(bob.peer.sync('alice'));
    const before = hellosFrom(world, bob.ip) + hellosFrom(world, alice.ip);
    for (let i = 0; i < 20; i++) {
      await world.clock.advance(MINUTE);
      expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'unchanged', datagramsSent: 1 });
      await world.settle(alice.peer.sync('bob'));
    }
    expect(hellosFrom(world, bob.ip) + hellosFrom(world, alice.ip)).toBe(before);
    await world.close();
  });

  test('beyond the hour, as long as they are used: registration and sessions are renewed in time', async () => {
    const world = await listedPeers(6, ['alice', 'bob'], undefined, { signatures: 'seals' });
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    bob.peer.follow('alice');
    for (let i = 0; i < 10; i++) {
      alice.peer.post(`message ${i}`);
      await world.clock.advance(25 * MINUTE);
      expect(world.registry.peers(world.clock.now())).toEqual(['alice', 'bob']);
      expect(bodiesOf(bob, 'alice')).toHaveLength(i + 1);
    }
    expect(alice.facts.concat(bob.facts).filter(({ type }) => type === 'error.received')).toEqual([]);
    const registeredAtMs = world.registrations.filter(({ name }) => name === 'alice').map(({ atMs }) => atMs);
    const helloAtMs = world.network.log
      .filter(({ from, to, bytes }) => from.ip === bob.ip && to.ip === alice.ip && bytes[4] === 0)
      .map(({ atMs }) => atMs);
    for (const times of [registeredAtMs, helloAtMs]) {
      // In 250 minutes, each before the hour since the last time was over.
      expect(times.length).toBeGreaterThanOrEqual(5);
      const pauses = times.slice(1).map((atMs, i) => atMs - (times[i] ?? 0));
      expect(Math.max(...pauses)).toBeLessThan(timing.sessionLifetime);
    }
    await world.close();
  });

  test('a side that forgot answers with Error: Hello is said once more, and the sync goes on where it was', async () => {
    const world = await listedPeers(7, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    alice.peer.post('one');
    await world.settle(bob.peer.sync('alice'));
    const binds = alice.peer.addresses.map(({ ip, port }) => `${ip}:${port}`);
    await alice.peer.close();
    // The same home, name and address: but no memory of sessions.
    await world.addPeer('alice', { store: alice.store, udp: binds, keyPair: alice.keyPair });
    const report = await world.settle(bob.peer.sync('alice'));
    expect(report).toMatchObject({ status: 'unchanged' });
    expect(report.error).toBeUndefined();
    await world.close();
  });
});

test('a registration that cannot be renewed over UDP is tried again, well before it is forgotten', async () => {
  const world = await listedPeers(9, ['alice']);
  const [alice] = world.peers as [VirtualPeer];
  await world.clock.advance(49 * MINUTE);
  world.network.cut(alice.ip, '10.0.0.1');
  await world.clock.advance(3 * MINUTE);
  world.network.heal();
  await world.clock.advance(3 * MINUTE);
  for (let minute = 55; minute < 90; minute += 5) {
    expect(world.registry.peers(world.clock.now())).toEqual(['alice']);
    await world.clock.advance(5 * MINUTE);
  }
  await world.close();
});

test('pushes go to where a peer is now, when it has said Hello from another address', async () => {
  const world = await listedPeers(11, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  bob.peer.follow('alice');
  await world.clock.advance(5_000);
  await bob.peer.close();
  const again = await world.addPeer('bob', { store: bob.store, keyPair: bob.keyPair });
  await world.settle(again.peer.whenListed());
  // The former address is given three timeouts to show that it still answers.
  await world.clock.advance(10_000);
  alice.peer.post('are you still there?');
  await world.clock.advance(5_000);
  expect(again.facts).toContainEqual(expect.objectContaining({ type: 'messages.received', peer: 'alice' }));
  await world.close();
});

test('a request that stays unanswered ends the belief in a session: the peer is looked for anew, and read where it is now', async () => {
  const world = await listedPeers(12, ['alice']);
  const [alice] = world.peers as [VirtualPeer];
  const reader = await world.addPeer('reader', { register: false });
  alice.peer.post('one');
  await world.settle(reader.peer.sync('alice'));
  await alice.peer.close();
  const again = await world.addPeer('alice', { store: alice.store, keyPair: alice.keyPair });
  await world.settle(again.peer.whenListed());
  again.peer.post('two');
  expect(await world.settle(reader.peer.sync('alice'))).toMatchObject({ status: 'updated', newMessages: 1 });
  await world.close();
});

test('a session is not taken away from an address that still answers: a relayed Hello moves nothing', async () => {
  const world = await listedPeers(13, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.follow('bob');
  await world.clock.advance(5_000);
  // A second process of bob's, which is gone a moment later: to alice it looks like a Hello that somebody relayed.
  const second = await world.addPeer('bob', { store: bob.store, keyPair: bob.keyPair, register: false });
  second.peer.hello(addressOf(alice));
  await world.clock.advance(1_000);
  await second.peer.close();
  await world.clock.advance(1_000);
  bob.peer.post('still here');
  await world.clock.advance(2_000);
  expect(alice.facts).toContainEqual(expect.objectContaining({ type: 'messages.received', peer: 'bob' }));
  await world.close();
});
