/** Protocol §8: NAT traversal. */
import { describe, expect, test } from 'vitest';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { Stranger } from '../support/stranger.ts';
import { type VirtualPeer, World } from '../support/world.ts';

async function worldBehindNat(): Promise<{ world: World; alice: VirtualPeer; bob: VirtualPeer }> {
  const world = new World(9);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  world.network.putBehindNat(alice.ip);
  const bob = await world.addPeer('bob');
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
  return { world, alice, bob };
}

describe('a peer behind a NAT', () => {
  test('is registered, and reached with the help of the directory', async () => {
    const { world, alice, bob } = await worldBehindNat();
    alice.peer.post('from behind the NAT');
    const report = await world.settle(bob.peer.sync('alice'));
    expect(report).toMatchObject({ status: 'updated', newMessages: 1 });
    const types = world.network.log.map(({ bytes }) => bytes[4]);
    expect(types).toContain(132);
    expect(types).toContain(133);
    await world.close();
  });

  test('and both behind one each, too', async () => {
    const { world, alice, bob } = await worldBehindNat();
    world.network.putBehindNat(bob.ip);
    alice.peer.post('hello');
    await world.clock.advance(5_000);
    expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated' });
    await world.close();
  });
});

describe('NatTraversalServer', () => {
  test('is acted upon only if it comes from the directory', async () => {
    const { world, bob } = await worldBehindNat();
    const impostor = await Stranger.join(world, 'impostor');
    const victim = await Stranger.join(world, 'victim', '10.0.9.2');
    const to = bob.peer.addresses[0] as SocketAddress;
    await impostor.sendSigned(to, { type: 'NatTraversalServer', id: 0, address: victim.address });
    await world.clock.advance(5_000);
    expect(victim.heard).toEqual([]);
    await world.close();
  });
});

describe('NatTraversalServer from a directory’s address', () => {
  test('is not acted upon before there is a session with that directory', async () => {
    const world = new World(9);
    await world.startDirectory();
    const bob = await world.addPeer('bob');
    const victim = await Stranger.join(world, 'victim', '10.0.9.2');
    const directory = { ip: '10.0.0.1', port: 1194 };
    const order = encodeDatagram({ type: 'NatTraversalServer', id: 0, address: victim.address });
    // The directory's address is known by now; its HelloReply is still to come.
    await world.clock.advance(6);
    world.network.forge(directory, bob.peer.addresses[0] as SocketAddress, order);
    await world.clock.advance(100);
    expect(victim.heard).toEqual([]);
    await world.settle(bob.peer.whenListed());
    world.network.forge(directory, bob.peer.addresses[0] as SocketAddress, order);
    await world.clock.advance(100);
    expect(victim.heardOf('HelloReply')).toHaveLength(1);
    await world.close();
  });
});

describe('a directory', () => {
  test('forwards only for a sender with a live session, and only to an address that is listed', async () => {
    const { world, bob } = await worldBehindNat();
    const directory = { ip: '10.0.0.1', port: 1194 };
    const stranger = await Stranger.join(world, 'stranger');
    const unlisted = await Stranger.join(world, 'unlisted', '10.0.9.2');
    const toBob = () => world.network.log.filter(({ from, bytes }) => from.ip === directory.ip && bytes[4] === 133);
    const listed = bob.peer.addresses[0] as SocketAddress;
    stranger.send(directory, { type: 'NatTraversalClient', id: 0, address: listed });
    await world.clock.advance(1_000);
    expect(toBob()).toEqual([]);
    stranger.send(directory, { type: 'Hello', id: 1, flags: 0, name: 'stranger' });
    await world.clock.advance(1_000);
    stranger.send(directory, { type: 'NatTraversalClient', id: 0, address: unlisted.address });
    await world.clock.advance(1_000);
    expect(toBob()).toEqual([]);
    stranger.send(directory, { type: 'NatTraversalClient', id: 5, address: listed });
    await world.clock.advance(1_000);
    expect(toBob()).toHaveLength(1);
    for (let i = 0; i < 100; i++) stranger.send(directory, { type: 'NatTraversalClient', id: 0, address: listed });
    await world.clock.advance(1_000);
    expect(toBob().length).toBeLessThanOrEqual(20);
    await world.close();
  });
});
