/** Journals of honest runs replay identically: each recorded answer goes to the call that it answers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Network } from '../../src/runtime/network.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import {
  anySyncReplays,
  journalsOf,
  publish,
  replaysIdentically,
  syncPlan,
  syncReplays,
  together,
} from '../support/replays.ts';
import { stormy } from '../support/scenarios.ts';
import { withFreshSeed } from '../support/seeds.ts';
import { Stranger } from '../support/stranger.ts';
import { World } from '../support/world.ts';

/** Somebody whose address is not proven asks alice for her root, several times, and for nodes, all in one turn. */
async function serveRepeats(seed: number): Promise<void> {
  const world = new World(seed, together);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  await world.settle(alice.peer.whenListed());
  publish(world, alice, 40);
  const hashes = alice.store.messages({ authors: ['alice'], limit: 40 }).map(({ hash }) => hash);
  const reader = await Stranger.join(world, 'reader');
  world.registry.prove('reader', reader.keyPair.publicKey, reader.address, world.clock.now());
  const [to] = alice.peer.addresses;
  if (to === undefined) throw new Error('alice has no address');
  await reader.sendSigned(to, { type: 'Hello', id: 1, flags: 0, name: 'reader' });
  await world.until(() => reader.heardOf('HelloReply').length > 0);
  for (let id = 10; id < 60; id++) reader.send(to, { type: 'RootRequest', id });
  for (const [index, hash] of hashes.entries()) reader.send(to, { type: 'GetDatum', id: 100 + index, hash });
  await world.clock.advance(1_000);
  expect(reader.heardOf('Root')).not.toEqual([]);
  expect(reader.heardOf('Datum')).not.toEqual([]);
  await world.close();
}

test('a serve that gets repeated requests for its root and requests for nodes in one turn replays identically', async () => {
  await replaysIdentically(() => serveRepeats(1));
});

test('an answer that comes at once names its run, and stands right behind what called for it', async () => {
  const lines = (await journalsOf(() => serveRepeats(1))).get('alice') ?? [];
  const entries = lines.map((line) => JSON.parse(line));
  const nested = entries.filter((entry) => entry.nested === true);
  expect(nested.map(({ effect, event }) => [effect, event.type])).toContainEqual(['readNodes#1', 'nodes.read']);
  expect(new Set(nested.map(({ effect, to }) => `${to} ${effect}`)).size).toBe(nested.length);
});

/** The system cannot send every tenth datagram, and says so at once. */
function fullBuffers(network: Network): Network {
  return {
    open: async (bind, onArrivals, onError) => {
      const socket = await network.open(bind, onArrivals, onError);
      let sent = 0;
      const send = (bytes: Uint8Array, to: SocketAddress) => {
        sent += 1;
        if (sent % 10 === 0) onError('the system has no buffer left');
        else socket.send(bytes, to);
      };
      return { address: socket.address, close: () => socket.close(), send };
    },
  };
}

test('a run in which the system cannot send some datagrams of many, and says so at once, replays identically', async () => {
  await replaysIdentically(async () => {
    const world = new World(3, together);
    await world.startDirectory();
    const alice = await world.addPeer('alice');
    const bob = await world.addPeer('bob', { environment: { network: fullBuffers(world.network) }, bulk: false });
    publish(world, alice, 300);
    for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
    alice.peer.post('the last one');
    expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated' });
    expect(bob.peer.traffic.dropped['could not be sent']).toBeGreaterThan(10);
    await world.close();
  });
});

test.each([
  [2_000, 0],
  [2_000, 0.05],
  [8_000, 0],
])('a sync of %i messages replays identically, with %d of the datagrams lost', async (messages, loss) => {
  await syncReplays(messages, loss === 0 ? together : stormy(loss));
});

test('any number of peers that download from each other in any weather leave journals that replay identically', async () => {
  for (const seed of withFreshSeed(1)) {
    await fc.assert(
      fc.asyncProperty(syncPlan(300), (plan) => anySyncReplays({ seed, ...plan })),
      { numRuns: 4, seed },
    );
  }
});
