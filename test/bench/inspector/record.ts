/** A journal of a reader with authors who write all the time: what a peer hears and does that runs for days. */
import type { Line } from '../../../src/inspector/lines.ts';
import { recording, type VirtualPeer, World } from '../../support/world.ts';

const AUTHORS = ['alice', 'carol', 'dave'];
/** Between two messages. */
const PAUSE_MS = 1_000;

/** Until its journal has so many entries. */
export async function recordReader(entries: number): Promise<string[]> {
  const lines: string[] = [];
  const openJournal = (of: string) =>
    of === 'bob' ? { write: (line: string) => void lines.push(line), close() {} } : undefined;
  await recording(openJournal, async () => {
    const world = new World(7, undefined, { isLong: true });
    await world.startDirectory();
    const authors: VirtualPeer[] = [];
    for (const name of AUTHORS) authors.push(await world.addPeer(name));
    const bob = await world.addPeer('bob', { follow: AUTHORS });
    for (const { peer } of [...authors, bob]) await world.settle(peer.whenListed());
    for (let i = 0; lines.length < entries; i++) {
      authors[i % authors.length]?.peer.post(`Message ${i} of this run`);
      await world.clock.advance(PAUSE_MS);
    }
    await world.close();
  });
  return lines;
}

/** Authors of the busy one: with their sessions, requests and walks some three hundred actors. */
const MANY = 110;

export interface BusyRun {
  readonly actors: number;
  /** What it is told as it is opened, and what happens then. */
  readonly before: readonly Line[];
  readonly after: readonly Line[];
}

/** What a page is told of a reader with so many authors, until it took so many steps. */
export async function watchBusyReader(steps: number): Promise<BusyRun> {
  const world = new World(7, undefined, { isLong: true });
  await world.startDirectory();
  const names = Array.from({ length: MANY }, (_, i) => `author ${i}`);
  const authors: VirtualPeer[] = [];
  for (const name of names) authors.push(await world.addPeer(name));
  const bob = await world.addPeer('bob', { follow: names });
  for (const { peer } of [...authors, bob]) await world.settle(peer.whenListed());
  await world.clock.advance(60_000);
  const lines: Line[] = [];
  const stop = bob.peer.watch((line) => lines.push(structuredClone(line)));
  const before = lines.splice(0);
  const actors = bob.peer.actors.length;
  for (let i = 0; lines.filter(([type]) => type === 'step').length < steps; i++) {
    authors[i % authors.length]?.peer.post(`Message ${i} of this run`);
    await world.clock.advance(100);
  }
  stop();
  await world.close();
  return { actors, before, after: lines };
}
