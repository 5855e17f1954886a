/** Somebody passes datagrams on between two peers, under an address of his own (protocol §5). */
import { describe, expect, test } from 'vitest';
import { decodeDatagram } from '../../src/wire/datagram.ts';
import { type SocketAddress, sameAddress } from '../../src/wire/socket-address.ts';
import { listedPeers } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { VirtualPeer, World } from '../support/world.ts';

/** Passes on whatever comes from one to the other. */
async function joinRelay(world: World, one: SocketAddress, other: SocketAddress): Promise<Stranger> {
  const relay = await Stranger.join(world, 'relay');
  relay.answer = ({ bytes, from }) => relay.sendBytes(sameAddress(from, one) ? other : one, bytes);
  return relay;
}

/** How many requests of this peer came to that address. */
function requestsTo(world: World, to: SocketAddress, from: SocketAddress): number {
  return world.network.log.filter((sent) => {
    if (!sameAddress(sent.to, to) || !sameAddress(sent.from, from)) return false;
    const decoded = decodeDatagram(sent.bytes);
    return decoded.ok && ['RootRequest', 'GetDatum'].includes(decoded.value.datagram.type);
  }).length;
}

describe('whoever relays the Hello of a peer, and its answers,', () => {
  test('gains no request while the peer answers where the directory lists it', async () => {
    const world = await listedPeers(71, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    const [aliceAt, bobAt] = [alice.peer.addresses[0], bob.peer.addresses[0]] as [SocketAddress, SocketAddress];
    const relay = await joinRelay(world, aliceAt, bobAt);
    // Alice has no session with bob yet.
    bob.peer.hello(relay.address);
    await world.clock.advance(5_000);
    expect(relay.heardOf('HelloReply').length).toBeGreaterThan(1);
    alice.peer.follow('bob');
    for (let i = 0; i < 5; i++) {
      bob.peer.post(`post ${i}`);
      await world.clock.advance(20_000);
    }
    expect(alice.store.messages({ authors: ['bob'] })).toHaveLength(5);
    expect(requestsTo(world, relay.address, aliceAt)).toBe(0);
    await world.close();
  });

  test('delays nothing for more than ten seconds by ending it', async () => {
    const world = await listedPeers(72, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    const [aliceAt, bobAt] = [alice.peer.addresses[0], bob.peer.addresses[0]] as [SocketAddress, SocketAddress];
    const relay = await joinRelay(world, aliceAt, bobAt);
    bob.peer.hello(relay.address);
    await world.clock.advance(5_000);
    relay.answer = () => {};
    alice.peer.follow('bob');
    bob.peer.post('where are you?');
    await world.clock.advance(10_000);
    expect(alice.store.messages({ authors: ['bob'] })).toHaveLength(1);
    await world.close();
  });
});
