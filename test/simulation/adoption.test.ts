/** A large tree is made current step by step, while the peer goes on: what comes in between, and what fails. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseJournal } from '../../src/journal/format.ts';
import { replay } from '../../src/journal/replay.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { AdoptionStep, Store } from '../../src/store/store.ts';
import { FullDiskError } from '../../src/store/store-errors.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const MESSAGES = 300;

interface Course {
  readonly world: World;
  readonly bob: VirtualPeer;
  readonly file: string;
  /** What bob's journal says. */
  readonly lines: string[];
}

/** Alice has written since bob synced last; bob's store adopts in many steps. `step` stands in for each, and is given the real one. */
async function readerInSteps(step: (adopt: () => AdoptionStep, world: World) => AdoptionStep): Promise<Course> {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-adoption-'));
  const file = join(folder, 'store.db');
  const store: Store = openSqliteStore(file, { adoptionStep: 50 });
  onTestFinished(() => {
    store.close();
    rmSync(folder, { recursive: true });
  });
  const world = new World(5);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  const lines: string[] = [];
  const journal = { write: (line: string) => void lines.push(line), close: () => {} };
  const bob = await world.addPeer('bob', { store, journal });
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
  await world.settle(bob.peer.sync('alice'));
  const adopt = store.adopt.bind(store);
  store.adopt = (input) => step(() => adopt(input), world);
  for (let i = 0; i < MESSAGES; i++) alice.peer.post(`message ${i}`);
  return { world, bob, file, lines };
}

test('others have their turn between two steps, and a journal of it is replayed', async () => {
  let steps = 0;
  let turns = 0;
  const { world, bob, lines } = await readerInSteps((adopt, { clock }) => {
    steps += 1;
    expect(turns).toBe(steps - 1);
    clock.setTimeout(() => {
      turns += 1;
    }, 0);
    return adopt();
  });
  const report = await world.settle(bob.peer.sync('alice'));
  expect(report).toMatchObject({ status: 'updated', newMessages: MESSAGES, totalMessages: MESSAGES });
  expect(steps).toBeGreaterThan(MESSAGES / 32);
  expect(bob.facts.filter(({ type }) => type === 'messages.received')).toHaveLength(1);
  await world.close();
  expect(await replay(parseJournal('bob', lines))).toMatchObject({ identical: true });
});

test('a peer that is closed in between leaves the store alone from then on, and the next one goes on', async () => {
  let steps = 0;
  let close = () => {};
  const { world, bob, file } = await readerInSteps((adopt) => {
    steps += 1;
    if (steps === 12) close();
    return adopt();
  });
  close = () => void bob.peer.close().then(() => bob.store.close());
  await expect(world.settle(bob.peer.sync('alice'))).rejects.toThrow('closed');
  await world.clock.advance(10_000);
  expect(steps).toBe(12);
  using store = openSqliteStore(file);
  expect(store.countMessages()).toBeGreaterThan(0);
  expect(store.countMessages()).toBeLessThan(MESSAGES);
  const again = await world.addPeer('again', { store });
  await world.settle(again.peer.whenListed());
  expect(await world.settle(again.peer.sync('alice'))).toMatchObject({ status: 'updated', totalMessages: MESSAGES });
  expect(bodiesOf(again, 'alice')).toHaveLength(MESSAGES);
  await world.close();
});

test.each([1, 3])(
  'what the store refuses in step %i is what the sync reports; the next one goes on',
  async (failing) => {
    let steps = 0;
    const { world, bob } = await readerInSteps((adopt) => {
      steps += 1;
      if (steps === failing) throw new FullDiskError('store.db', new Error('full'));
      return adopt();
    });
    const { status, error } = await world.settle(bob.peer.sync('alice'));
    expect({ status, error }).toEqual({
      status: 'failed',
      error: {
        code: 'unexpected',
        message: expect.stringMatching(/^the disk is full/),
      },
    });
    expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated', totalMessages: MESSAGES });
    await world.close();
  },
);
