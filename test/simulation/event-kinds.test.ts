/** XState remembers for ever what it finds out about a type of event, so that no type may name a stranger. */

import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { StateNode } from 'xstate';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { listedPeers } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { VirtualPeer, World } from '../support/world.ts';

/** The types of all events from now on, whoever gets them. */
function typesOfEvents(): Set<string> {
  const types = new Set<string>();
  const prototype = StateNode.prototype as unknown as { next(snapshot: unknown, event: { type: string }): unknown };
  const { next } = prototype;
  const spy = vi.spyOn(prototype, 'next').mockImplementation(function (this: unknown, snapshot, event) {
    types.add(event.type);
    return next.call(this, snapshot, event);
  });
  onTestFinished(() => spy.mockRestore());
  return types;
}

async function onePeer(seed: number): Promise<{ world: World; alice: VirtualPeer; to: SocketAddress }> {
  const world = await listedPeers(seed, ['alice']);
  const [alice] = world.peers as [VirtualPeer];
  return { world, alice, to: alice.peer.addresses[0] as SocketAddress };
}

describe('the types of events do not grow', () => {
  test('with the addresses whose Hello a peer refuses', async () => {
    const { world, alice, to } = await onePeer(61);
    const types = typesOfEvents();
    const actors = alice.peer.actors;
    const hello = encodeDatagram({ type: 'Hello', id: 7, flags: 0, name: 'alice' });
    for (let i = 0; i < 50; i++) world.network.forge({ ip: `10.9.0.${i}`, port: 5_000 }, to, hello);
    await world.clock.advance(60_000);
    expect([...types].filter((type) => type.includes('10.9.0.'))).toEqual([]);
    expect(alice.peer.actors).toEqual(actors);
    await world.close();
  });

  test('with the strangers whose sessions end, in either direction', async () => {
    const { world, alice, to } = await onePeer(62);
    const types = typesOfEvents();
    const actors = alice.peer.actors;
    for (let i = 0; i < 5; i++) {
      const name = `stranger ${i}`;
      const stranger = await Stranger.join(world, name, `10.9.1.${i}`);
      stranger.answer = ({ datagram: { type, id }, from }) => {
        if (type === 'Hello') stranger.send(from, { type: 'HelloReply', id, flags: 0, name });
      };
      stranger.send(to, { type: 'Hello', id: 7, flags: 0, name });
    }
    await world.clock.advance(1_000);
    const opened = alice.facts.filter((fact) => fact.type === 'session.opened' && fact.name.startsWith('stranger'));
    expect(opened).toHaveLength(2 * 5);
    await world.clock.advance(2.1 * 3_600_000);
    expect([...types].filter((type) => /10\.9\.1\.|stranger \d/.test(type))).toEqual([]);
    expect(alice.peer.actors).toEqual(actors);
    await world.close();
  }, 60_000);

  test('with the addresses that a directory asks', async () => {
    const { world } = await onePeer(63);
    const types = typesOfEvents();
    for (let i = 0; i < 5; i++) {
      const name = `listed ${i}`;
      const stranger = await Stranger.join(world, name, `10.9.2.${i}`);
      world.registry.register(name, stranger.keyPair.publicKey, world.clock.now());
      await stranger.sendSigned(world.directoryAddress, { type: 'Hello', id: 7, flags: 0, name });
    }
    await world.clock.advance(60_000);
    expect([...types].some((type) => type.startsWith('xstate.done.actor.address-proof.'))).toBe(true);
    expect([...types].filter((type) => type.includes('10.9.2.'))).toEqual([]);
    await world.close();
  });
});
