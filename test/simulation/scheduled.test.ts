/** What is to be published later: by a running peer at its time, by the next one if none ran then, and never twice. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { wireDate } from '../../src/feed/message.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import type { World } from '../support/world.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** bob follows alice. */
async function aliceAndBob() {
  const world = await listedPeers(21, ['alice', 'bob'], undefined, { signatures: 'seals' });
  const [alice, bob] = world.peers as [World['peers'][number], World['peers'][number]];
  bob.peer.follow('alice');
  await world.clock.advance(10 * SECOND);
  const later = (body: string, ms: number) =>
    alice.peer.ask({
      type: 'schedule.wanted',
      text: body,
      inReplyTo: null,
      dueMs: world.clock.now() + ms,
      ticket: body,
    });
  const seen = () => bodiesOf(bob, 'alice');
  return { world, alice, bob, later, seen };
}

test('a follower sees it when it is due, and not before; its date is that of its publication', async () => {
  const { world, alice, later, seen } = await aliceAndBob();
  later('half a minute later', 30 * SECOND);
  await world.clock.advance(29 * SECOND);
  expect(seen()).toEqual([]);
  expect(alice.peer.messages()).toEqual([]);
  await world.clock.advance(2 * SECOND);
  expect(seen()).toEqual(['half a minute later']);
  const due = alice.facts.find((fact) => fact.type === 'message.scheduled')?.dueMs ?? 0;
  expect(alice.store.messages()[0]?.date).toBe(wireDate(due));
  await world.close();
});

test('several are published in the order in which they are due', async () => {
  const { world, later, seen } = await aliceAndBob();
  later('second', 20 * SECOND);
  later('first', 10 * SECOND);
  await world.clock.advance(15 * SECOND);
  expect(seen()).toEqual(['first']);
  await world.clock.advance(10 * SECOND);
  expect(seen()).toEqual(['first', 'second']);
  await world.close();
});

test('one that is taken back is never seen, and cannot be taken back again', async () => {
  const { world, alice, later, seen } = await aliceAndBob();
  later('regretted', 30 * SECOND);
  alice.peer.ask({ type: 'unschedule.wanted', id: 1, ticket: 'back' });
  alice.peer.ask({ type: 'unschedule.wanted', id: 1, ticket: 'again' });
  await world.clock.advance(600 * SECOND);
  expect(seen()).toEqual([]);
  const back = { type: 'message.unscheduled', id: 1, text: 'regretted', inReplyTo: null, ticket: 'back' };
  expect(alice.facts).toContainEqual(back);
  expect(alice.facts).toContainEqual({ type: 'wish.failed', ticket: 'again', failure: expect.anything() });
  await world.close();
});

test.each(['before it is due', 'and it was due meanwhile'])(
  'a process that is killed %s loses nothing',
  async (when) => {
    const { world, alice, later, seen } = await aliceAndBob();
    later('kept', 30 * SECOND);
    await world.clock.advance(SECOND);
    world.kill(alice);
    await world.clock.advance(when === 'before it is due' ? 5 * SECOND : 600 * SECOND);
    await world.restart(alice);
    await world.until(() => seen().length > 0, 60 * SECOND);
    expect(alice.store.scheduled()).toEqual([]);
    await world.clock.advance(600 * SECOND);
    expect(seen()).toEqual(['kept']);
    expect(alice.store.ownFeed().messages).toBe(1);
    await world.close();
  },
);

test('what another process schedules, or takes back, on the same home is noticed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-test-'));
  const [store, other] = [openSqliteStore(join(folder, 'store.db')), openSqliteStore(join(folder, 'store.db'))];
  onTestFinished(() => {
    for (const open of [store, other]) open.close();
    rmSync(folder, { recursive: true });
  });
  const world = await listedPeers(22, []);
  const alice = await world.settle(world.addPeer('alice', { store }));
  const schedule = (body: string) => other.schedule({ body, inReplyTo: null, dueMs: world.clock.now() + 30 * SECOND });
  schedule('from elsewhere');
  const id = schedule('taken back');
  await world.clock.advance(SECOND);
  other.unschedule(id);
  await world.clock.advance(30 * SECOND);
  expect(bodiesOf(alice, 'alice')).toEqual(['from elsewhere']);
  await world.close();
});

test('it is due by the clock on the wall, even if that is set meanwhile', async () => {
  const { world, alice, later } = await aliceAndBob();
  later('at noon', 12 * HOUR);
  await world.clock.advance(SECOND);
  alice.host.clock.wallOffsetMs = 12 * HOUR;
  await world.clock.advance(10 * SECOND);
  expect(bodiesOf(alice, 'alice')).toEqual(['at noon']);
  await world.close();
});
