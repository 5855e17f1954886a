/** A peer that runs, watched: what is told from then on, and what is paid when nobody looks any more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Line } from '../../../src/inspector/lines.ts';
import { findLocalApi, type LocalApi } from '../../../src/local-api/client.ts';
import { offerLocalApi } from '../../../src/local-api/server.ts';
import { Run } from '../../../src/web/run.ts';
import { eventually } from '../../support/eventually.ts';
import { type VirtualPeer, World } from '../../support/world.ts';

let world: World;
let bob: VirtualPeer;

beforeEach(async () => {
  world = new World(11);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  bob = await world.addPeer('bob');
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
  alice.peer.post('Is anybody there?');
});
afterEach(() => world.close());

test('it begins with every actor as it is, and tells what they do', async () => {
  const run = new Run();
  const stop = bob.peer.watch((line) => run.take(line));
  const seen = run.actors.map(({ path }) => path).sort();
  expect(seen).toEqual([...bob.peer.actors]);
  expect(run.moments.every(({ step }) => step?.event === 'seen')).toBe(true);
  await world.settle(bob.peer.sync('alice'));
  stop();
  const walk = run.actorAt('peer/merkle-walk.alice');
  expect(walk && run.lastStep(walk, run.moments.length)?.step).toMatchObject({ to: 'finished', status: 'done' });
});

test('it begins with the messages that the store holds, and goes on with those that come, and that are taken back', async () => {
  const [alice] = world.peers as [VirtualPeer];
  const { hash } = alice.peer.post('Regretted');
  const told: string[][] = [];
  const note = (line: Line) => void (line[0] === 'stored' && told.push(line[1].map(({ body }) => body)));
  const stops = [alice.peer.watch(note), bob.peer.watch(note)];
  expect(told.splice(0)).toEqual([['Is anybody there?', 'Regretted'], []]);
  await world.settle(bob.peer.sync('alice'));
  expect(told.splice(0)).toEqual([['Is anybody there?', 'Regretted']]);
  alice.peer.post('One more');
  expect(told.splice(0)).toEqual([['One more']]);
  await world.settle(alice.peer.withdraw(hash));
  await world.settle(bob.peer.sync('alice'));
  expect(told.splice(0).slice(0, 1)).toEqual([['Is anybody there?', 'One more']]);
  for (const stop of stops) stop();
  alice.peer.post('Nobody looks any more');
  expect(told.filter((bodies) => bodies.includes('Nobody looks any more'))).toEqual([]);
});

test('once nobody looks, nothing is told and nobody observes the actors', async () => {
  const lines: Line[] = [];
  const stop = bob.peer.watch((line) => lines.push(line));
  stop();
  const told = lines.length;
  await world.settle(bob.peer.sync('alice'));
  expect(lines).toHaveLength(told);
});

test('another process watches it through the local API; a fifth one is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-watch-'));
  const file = join(folder, 'local-api.json');
  const offered = await offerLocalApi({
    peer: bob.peer,
    file,
    runBy: 'serve',
    directoryUrl: 'https://directory.test/',
  });
  const apis: LocalApi[] = [];
  const ended = new AbortController();
  try {
    // A body that nobody has begun to read may be given up with its response, by the garbage collector.
    const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
    for (let i = 0; i < 4; i++) {
      const api = (await findLocalApi(file)) as LocalApi;
      apis.push(api);
      readers.push((await api.inspection(ended.signal)).getReader());
    }
    await expect(apis[0]?.inspection(ended.signal)).rejects.toThrow(/4 programs are already inspecting/);
    const first = new TextDecoder().decode((await readers[0]?.read())?.value);
    expect(JSON.parse(first.slice(0, first.indexOf('\n')))).toEqual([
      'run',
      expect.objectContaining({ name: 'bob', isLive: true }),
    ]);
    ended.abort();
    // Their places are free again.
    await eventually(async () => {
      const again = new AbortController();
      await apis[0]?.inspection(again.signal);
      again.abort();
    });
  } finally {
    await Promise.all(apis.map((api) => api.close()));
    await offered[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  }
});
