/** Nothing is left over: no child, no timer, no socket. */
import { describe, expect, test } from 'vitest';
import { listedPeers } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import { type VirtualPeer, World } from '../support/world.ts';

describe('after 1,000 sync rounds', () => {
  test('a peer has the children, timers and sockets that it had after the first', async () => {
    const world = await listedPeers(1, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    const round = async (i: number) => {
      if (i % 10 === 0) alice.peer.post(`message ${i}`);
      const report = await world.settle(bob.peer.sync('alice'));
      expect(report.error).toBeUndefined();
    };
    await round(0);
    await world.clock.advance(10_000);
    const before = [alice.peer.actors, bob.peer.actors, world.clock.pending, world.network.openSockets];
    for (let i = 1; i <= 1_000; i++) await round(i);
    await world.clock.advance(10_000);
    const after = [alice.peer.actors, bob.peer.actors, world.clock.pending, world.network.openSockets];
    // More slots may have been opened than one round needs; they are reused, and few.
    expect(after[0]).toEqual(before[0]);
    const kinds = (actors: unknown) => (actors as string[]).filter((path) => !/\/(node-)?requests?\./.test(path));
    expect(kinds(after[1])).toEqual(kinds(before[1]));
    expect(after.slice(2)).toEqual(before.slice(2));
    await world.close();
    expect(world.network.openSockets).toBe(0);
    expect(world.clock.pending).toBe(0);
  });
});

describe('after failed syncs and refused strangers', () => {
  test('nothing is left but what was there', async () => {
    const world = await listedPeers(2, ['bob']);
    const [bob] = world.peers as [VirtualPeer];
    const before = bob.peer.actors;
    for (let i = 0; i < 20; i++) {
      expect(await world.settle(bob.peer.sync(`nobody ${i}`))).toMatchObject({ error: { code: 'peer-unknown' } });
      const stranger = await Stranger.join(world, `stranger ${i}`, '10.0.9.1', 5_000 + i);
      const to = bob.peer.addresses[0] as { ip: string; port: number };
      stranger.send(to, { type: 'RootRequest', id: 1 });
      await stranger.sendSigned(to, { type: 'Hello', id: 2, flags: 0, name: '' });
    }
    await world.clock.advance(300_000);
    expect(bob.peer.actors).toEqual(before);
    await world.close();
  });
});

describe('a root that throws', () => {
  test('still releases its socket, its timers, and whoever waits', async () => {
    const world = new World(1);
    await world.startDirectory();
    const sockets = world.network.openSockets;
    const timers = world.clock.pending;
    const { peer } = await world.addPeer('alice');
    await world.settle(peer.whenListed());
    expect(world.network.openSockets).toBe(sockets + 1);
    const outcome = peer.sync('bob').catch((error: unknown) => error);
    // The root itself, in an action of its own, makes the id of a session of the address.
    peer.hello({
      port: 9,
      get ip(): string {
        throw new Error('this address cannot be read');
      },
    });
    expect(await outcome).toMatchObject({ message: 'the peer broke down: Error: this address cannot be read' });
    expect(world.network.openSockets).toBe(sockets);
    await world.clock.advance(60_000);
    expect(world.clock.pending).toBe(timers);
    await world.close();
  });
});
