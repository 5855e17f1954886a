import { beforeEach, describe, expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import { begin, facts, failure, outside, send, told, toldBy } from './seen-peer.ts';

const DUE = 'store: publish what is due';
/** What is done until so much later. */
const doneWithin = async (ms: number) => {
  toldBy(() => {});
  await outside.clock.advance(ms);
  return told();
};

beforeEach(() => begin());

describe('what is to be published later', () => {
  test('is published when it is due, and not before', async () => {
    send({ type: 'schedule.known', dueInMs: 30_000 });
    expect(await doneWithin(29_999)).toEqual([]);
    expect(await doneWithin(1)).toEqual([DUE]);
    expect(await doneWithin(10 * timing.scheduleCheck)).toEqual([]);
  });

  test('and was due when nobody was there is published at once', async () => {
    send({ type: 'schedule.known', dueInMs: 0 });
    expect(await doneWithin(0)).toEqual([DUE]);
  });

  test('and is taken back is not published', async () => {
    send({ type: 'schedule.known', dueInMs: 30_000 });
    send({ type: 'schedule.known', dueInMs: undefined });
    expect(await doneWithin(60_000)).toEqual([]);
  });

  test('gives way to what is due before it', async () => {
    send({ type: 'schedule.known', dueInMs: 30_000 });
    send({ type: 'schedule.known', dueInMs: 10_000 });
    expect(await doneWithin(10_000)).toEqual([DUE]);
  });

  test('in a year is asked for every hour: no timer waits so long', async () => {
    send({ type: 'schedule.known', dueInMs: 365 * 24 * 3_600_000 });
    expect(await doneWithin(timing.scheduleCheck)).toEqual([DUE]);
  });

  test('and could not be published is told, and tried again a minute later', async () => {
    expect(toldBy(() => send({ type: 'schedule.failed', failure }))).toEqual(['! peer.warning']);
    expect(facts.at(-1)).toMatchObject({ message: expect.stringContaining(failure.message) });
    expect(await doneWithin(timing.scheduleRetry)).toEqual([DUE]);
  });

  test('is not published by a peer that tells nobody its root, or that has stopped publishing', async () => {
    send({ type: 'publishing.stop', failure });
    send({ type: 'schedule.known', dueInMs: 0 });
    expect(await doneWithin(1)).not.toContain(DUE);
    begin({ root: undefined });
    send({ type: 'schedule.known', dueInMs: 0 });
    expect(await doneWithin(1)).not.toContain(DUE);
  });
});
