/** Runs whose journals are replayed: what a run was, its journal has to give again. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { parseJournal } from '../../src/journal/format.ts';
import { type ReplayResult, replay } from '../../src/journal/replay.ts';
import type { Weather } from '../../src/simulation/virtual-network.ts';
import { recording, type VirtualPeer, World } from './world.ts';

/** Journals of all that run in the worlds of `work`, by name. Of somebody who starts several times they are numbered. */
export async function journalsOf(work: () => Promise<unknown>): Promise<Map<string, readonly string[]>> {
  const journals = new Map<string, string[]>();
  const open = (name: string) => {
    const lines: string[] = [];
    const times = [...journals.keys()].filter((known) => known.split(' ')[0] === name).length;
    journals.set(times === 0 ? name : `${name} ${times + 1}`, lines);
    return { write: (line: string) => void lines.push(line), close: () => {} };
  };
  await recording(open, work);
  return journals;
}

/** Every journal of the run replays identically, to its end. */
export async function replaysIdentically(work: () => Promise<unknown>): Promise<Map<string, ReplayResult>> {
  const results = new Map<string, ReplayResult>();
  for (const [name, lines] of await journalsOf(work)) {
    const result = await replay(parseJournal(name, lines));
    expect(result, name).toEqual({
      events: lines.length - 1,
      datagrams: result.datagrams,
      identical: true,
      versions: [],
    });
    results.set(name, result);
  }
  return results;
}

/** What is sent together arrives together, and is handed over in one turn. */
export const together: Weather = { loss: 0, duplication: 0, minDelayMs: 5, maxDelayMs: 5 };

/** One peer downloads what another one has written. */
export async function syncReplays(messages: number, weather: Weather): Promise<void> {
  const results = await replaysIdentically(async () => {
    const world = new World(7, weather, { isLong: true });
    await world.startDirectory();
    const [alice, bob] = [await world.addPeer('alice'), await world.addPeer('bob')];
    publish(world, alice, messages - 1);
    for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
    alice.peer.post('the last one');
    const report = await world.settle(bob.peer.sync('alice'), 24 * 3_600_000);
    expect(report).toMatchObject({ status: 'updated', newMessages: messages });
    await world.close();
  });
  expect(results.get('bob')?.datagrams).toBeGreaterThan(messages / 512);
}

export interface SyncPlan {
  readonly weather: Weather;
  /** How many messages each author has written before. */
  readonly sizes: readonly number[];
  /** Posted meanwhile, so that trees change under way. */
  readonly posts: number;
}

/** Feeds of up to `largest` messages, of two or three authors. */
export function syncPlan(largest: number): fc.Arbitrary<SyncPlan> {
  const size = fc.oneof(fc.constantFrom(0, 1, 31, 32, 33, 1_025), fc.integer({ min: 0, max: largest }));
  const anyWeather = fc.record({
    loss: fc.constantFrom(0, 0.01, 0.1),
    duplication: fc.constantFrom(0, 0.05),
    minDelayMs: fc.constantFrom(0, 1, 20),
    maxDelayMs: fc.constantFrom(20, 21, 80),
  });
  return fc.record({
    sizes: fc.array(size, { minLength: 2, maxLength: 3 }),
    posts: fc.nat(8),
    weather: fc.oneof(fc.constant(together), anyWeather),
  });
}

export interface SeededPlan extends SyncPlan {
  readonly seed: number;
}

export async function anySyncReplays(plan: SeededPlan): Promise<void> {
  await replaysIdentically(() => syncAll(plan));
}

/** Everybody downloads from everybody at once, while they go on writing; all have been restarted before. */
async function syncAll({ seed, weather, sizes, posts }: SeededPlan): Promise<void> {
  const world = new World(seed, weather, { isLong: true });
  await world.startDirectory();
  const names = sizes.map((_, index) => `author-${index}`);
  for (const name of names) await world.addPeer(name);
  for (const [index, peer] of world.peers.entries()) publish(world, peer, sizes[index] ?? 0);
  for (const peer of world.peers) await world.restart(peer);
  for (const { peer } of world.peers) await world.settle(peer.whenListed());
  const rounds = [];
  for (const { peer } of world.peers) {
    for (const name of names) if (name !== peer.name) rounds.push(peer.sync(name));
  }
  for (let post = 0; post < posts; post++) {
    await world.clock.advance(37);
    world.peers[post % names.length]?.peer.post(`post ${post}`);
  }
  await world.settle(Promise.all(rounds), 24 * 3_600_000);
  await world.close();
}

/** As if written long ago. */
export function publish({ clock }: World, { store, peer: { name } }: VirtualPeer, count: number): void {
  for (let date = 1; date <= count; date++) {
    store.publish(name, { date, inReplyTo: null, body: `${date} of ${name}` }, clock.now());
  }
}
