/** What a download costs, counted: events, transitions, datagrams and look-ups for each message. Times would tell of the machine. */
import { expect, test, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import { calm } from '../../src/simulation/virtual-network.ts';
import { World } from '../support/world.ts';

const MESSAGES = 4_000;

interface Work {
  events: number;
  transitions: number;
}

/** Counts what the actors of a peer do. */
function counting(): { readonly work: Work; readonly inspect: (event: InspectionEvent) => void } {
  const work = { events: 0, transitions: 0 };
  const inspect = ({ type }: InspectionEvent) => {
    if (type === '@xstate.event') work.events += 1;
    if (type === '@xstate.microstep') work.transitions += 1;
  };
  return { work, inspect };
}

/** Per message: of the reader's actors, of the author's, datagrams of each, and nodes that the reader looks for in its store. */
async function download(bulk: boolean, delayMs = 5) {
  const world = new World(1, { ...calm, minDelayMs: delayMs, maxDelayMs: delayMs });
  await world.startDirectory();
  const [reading, writing] = [counting(), counting()];
  const alice = await world.addPeer('alice', { bulk, inspect: writing.inspect });
  const bob = await world.addPeer('bob', { bulk, inspect: reading.inspect });
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
  for (let i = 1; i < MESSAGES; i++) {
    const body = `message ${i} `.padEnd(200, 'murmure ');
    alice.store.publish('alice', { date: i, inReplyTo: null, body }, world.clock.now());
  }
  // The peer notices what others have written into its store now and then; its own posts at once.
  alice.peer.post('the last one');
  await world.clock.advance(1_000);
  const before = [{ ...reading.work }, { ...writing.work }] as const;
  const sentBefore = [bob.peer.traffic.sent, alice.peer.traffic.sent] as const;
  const lookUps = vi.spyOn(bob.store, 'statusOf');
  const report = await world.settle(bob.peer.sync('alice'), 600_000);
  expect(report).toMatchObject({ status: 'updated', newMessages: MESSAGES });
  const each = (now: number, then: number) => (now - then) / MESSAGES;
  const figures = {
    readerEvents: each(reading.work.events, before[0].events),
    readerTransitions: each(reading.work.transitions, before[0].transitions),
    authorEvents: each(writing.work.events, before[1].events),
    readerDatagrams: each(bob.peer.traffic.sent, sentBefore[0]),
    authorDatagrams: each(alice.peer.traffic.sent, sentBefore[1]),
    retransmissions: report.retransmissions,
    readerLookUps: each(
      lookUps.mock.calls.reduce((sum, [hashes]) => sum + hashes.length, 0),
      0,
    ),
  };
  await world.close();
  return figures;
}

function expectAtMost(figures: Awaited<ReturnType<typeof download>>, bounds: typeof figures): void {
  for (const [what, most] of Object.entries(bounds)) {
    expect(figures[what as keyof typeof figures], what).toBeLessThanOrEqual(most);
  }
}

test('a message that comes in bulk costs its reader a fraction of an event, and of a look-up', async () => {
  expectAtMost(await download(true), {
    readerEvents: 0.17,
    readerTransitions: 0.165,
    authorEvents: 0.062,
    readerDatagrams: 0.015,
    authorDatagrams: 0.235,
    readerLookUps: 0.05,
    retransmissions: 0,
  });
});

test('between near peers it costs either a small fraction: more is asked for at once', async () => {
  expectAtMost(await download(true, 0), {
    readerEvents: 0.145,
    readerTransitions: 0.142,
    authorEvents: 0.048,
    readerDatagrams: 0.0135,
    authorDatagrams: 0.235,
    readerLookUps: 0.13,
    retransmissions: 0,
  });
});

test('one that comes by GetDatum costs four events, and those of its batch', async () => {
  expectAtMost(await download(false), {
    readerEvents: 4.6,
    readerTransitions: 4.6,
    authorEvents: 0.1,
    readerDatagrams: 1.05,
    authorDatagrams: 1.05,
    readerLookUps: 1.05,
    retransmissions: 0,
  });
});
