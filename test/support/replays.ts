/** Runs whose journals are replayed: what a run was, its journal has to give again. */
import { expect } from 'vitest';
import { parseJournal } from '../../src/journal/format.ts';
import { type ReplayResult, replay } from '../../src/journal/replay.ts';
import type { Weather } from './network/virtual-network.ts';
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

export interface SyncPlan {
  readonly seed: number;
  readonly weather: Weather;
  /** How many messages each author has written before. */
  readonly sizes: readonly number[];
  /** Posted meanwhile, so that trees change under way. */
  readonly posts: number;
}

/** Everybody downloads from everybody at once, while everybody goes on writing and one of them restarts. */
export async function syncAll({ seed, weather, sizes, posts }: SyncPlan): Promise<void> {
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
