/** Courses of events that several tests run, each in a world of its own. */
import { expect } from 'vitest';
import type { Weather } from '../../src/simulation/virtual-network.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { type PeerSetup, type VirtualPeer, World, type WorldOptions } from './world.ts';

/** Loss as given, everything else as on a bad day: delays from 1 to 80 ms, hence reordering, and 2 % duplicates. */
export function stormy(loss: number): Weather {
  return { loss, duplication: 0.02, minDelayMs: 1, maxDelayMs: 80 };
}

/** Message bodies of one author as this peer's store has them, in order. */
export function bodiesOf({ store }: VirtualPeer, author: string): string[] {
  return store.messages({ authors: [author], limit: 1_000 }).map(({ body }) => body);
}

export function addressOf({ peer }: VirtualPeer, index = 0): SocketAddress {
  return peer.addresses[index] as SocketAddress;
}

/** A world with a directory, in which these peers are listed. */
export async function listedPeers(
  seed: number,
  names: readonly string[],
  weather?: Weather,
  options?: WorldOptions,
): Promise<World> {
  const world = new World(seed, weather, options);
  await world.startDirectory();
  for (const name of names) await world.addPeer(name);
  for (const { peer } of world.peers) await world.settle(peer.whenListed());
  return world;
}

export interface WithReader {
  readonly world: World;
  readonly reader: VirtualPeer;
}

/** A world with a directory, and a reader who has not waited to be listed. */
export async function worldWithReader(setup: PeerSetup = {}, options?: WorldOptions): Promise<WithReader> {
  const world = new World(1, undefined, options);
  await world.startDirectory();
  return { world, reader: await world.addPeer('reader', setup) };
}

/** A world with a directory, and a reader who is listed. */
export async function listedReader(seed: number): Promise<WithReader> {
  const world = await listedPeers(seed, ['reader']);
  return { world, reader: world.peers[0] as VirtualPeer };
}

/** Register, sync, a new message, its push, and the incremental sync that follows (protocol §5, §6). */
export async function publishAndSync(seed: number, loss: number): Promise<World> {
  const world = await listedPeers(seed, ['alice', 'bob'], stormy(loss));
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];

  const written = Array.from({ length: 40 }, (_, i) => `message ${i}`);
  for (const text of written) {
    alice.peer.post(text);
    // Dates are whole seconds: as many apart, they order.
    await world.clock.advance(1_000);
  }
  await world.settle(repeatedly(bob, 'alice'));
  expect(bodiesOf(bob, 'alice')).toEqual(written);

  bob.peer.follow('alice');
  const before = bob.facts.length;
  alice.peer.post('one more');
  await world.until(() => bodiesOf(bob, 'alice').includes('one more'));
  expect(bodiesOf(bob, 'alice')).toEqual([...written, 'one more']);

  const updates = bob.facts.slice(before).filter((fact) => fact.type === 'sync.finished');
  const nodesFetched = updates.reduce((sum, { report }) => sum + report.nodesFetched, 0);
  // The message, the last run of 32, and the root above it.
  expect(nodesFetched).toBeLessThanOrEqual(3);
  return world;
}

/** At 20 % loss a request may stay unanswered: whoever wants the feed asks again, and goes on where it was. */
async function repeatedly({ peer }: VirtualPeer, name: string): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const { status, error } = await peer.sync(name);
    if (status !== 'failed') return;
    expect(error?.code).toBe('peer-unreachable');
  }
  throw new Error(`${name} could not be synced in five attempts`);
}
