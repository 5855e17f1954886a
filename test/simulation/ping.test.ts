/** How long a peer takes to answer, asked over the session that there is. */
import { expect, test } from 'vitest';
import type { PeerFact } from '../../src/index.ts';
import { listedPeers } from '../support/scenarios.ts';
import type { VirtualPeer } from '../support/world.ts';

type Ping = Extract<PeerFact, { type: 'ping.finished' }>;
const pingsOf = ({ facts }: VirtualPeer) => facts.filter((fact): fact is Ping => fact.type === 'ping.finished');

test('is measured, with and without a session, and nothing is downloaded', async () => {
  const world = await listedPeers(6, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.post('Nobody asks for this.');
  for (let round = 1; round <= 2; round++) {
    bob.peer.ask({ type: 'ping.wanted', name: 'alice' });
    await world.clock.advance(5_000);
    expect(pingsOf(bob)).toHaveLength(round);
  }
  const [address] = alice.peer.addresses;
  for (const ping of pingsOf(bob)) {
    expect(ping).toEqual({
      type: 'ping.finished',
      peer: 'alice',
      address,
      authenticated: true,
      natTraversal: false,
      roundTripMs: expect.any(Number),
    });
    expect(ping.roundTripMs).toBeGreaterThan(0);
  }
  expect(bob.store.countMessages()).toBe(0);
  await world.close();
});

test('whoever is asked twice at once is asked once; who is not there is told of', async () => {
  const world = await listedPeers(6, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  for (const name of ['alice', 'alice', 'nobody']) bob.peer.ask({ type: 'ping.wanted', name });
  await world.clock.advance(5_000);
  expect(pingsOf(bob).map(({ peer, failure }) => [peer, failure?.code])).toEqual([
    ['nobody', 'peer-unknown'],
    ['alice', undefined],
  ]);
  await alice.peer.close();
  bob.peer.ask({ type: 'ping.wanted', name: 'alice' });
  await world.clock.advance(60_000);
  expect(pingsOf(bob).at(-1)).toMatchObject({
    peer: 'alice',
    roundTripMs: null,
    failure: { code: 'peer-unreachable' },
  });
  // An actor that has ended is gone.
  expect(bob.peer.actors.filter((path) => path.includes('/ping.'))).toEqual([]);
  await world.close();
});

test('of too many at once, the rest are refused at once', async () => {
  const world = await listedPeers(6, ['bob']);
  const [bob] = world.peers as [VirtualPeer];
  for (let number = 0; number < 70; number++) bob.peer.ask({ type: 'ping.wanted', name: `peer${number}` });
  expect(pingsOf(bob).filter(({ failure }) => failure?.message.includes('too many pings'))).toHaveLength(6);
  await world.clock.advance(5_000);
  expect(pingsOf(bob)).toHaveLength(70);
  await world.close();
});
