import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { pingMachine } from '../../machines/ping.machine.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { nobody, unwalked, walkMachine } from './walk-machine.ts';

const session = nobody('session');
const failure = { code: 'peer-unreachable', message: 'silence' };
const ready = { type: 'session.ready', session, window: 10, atMs: 10, sent: 0, repeated: 0 };
const noSession = { type: 'session.failed', failure, sent: 4, repeated: 3 };
const received = (sent: number) => ({
  ...{ type: 'root.received', root: ZERO_HASH, authenticated: true, atMs: 17 },
  ...{ sent, repeated: sent - 1, window: 10 },
});
const noRoot = { type: 'root.failed', failure, isFinal: false, sent: 5, repeated: 4, window: 1 };
const input = { name: 'alice', owner: nobody('peer'), atMs: 0 };

test('every transition of a ping is walked', () => {
  session.start();
  const events = [ready, noSession, received(1), noRoot] as never;
  const result = walkMachine({ machine: pingMachine, input, events, key: () => [] });
  expect(unwalked(result)).toEqual([]);
});

test.each([
  ['an answer to the first question: from then to then', [ready, received(1)], 7, undefined],
  ['an answer to one of two: nobody knows how long it took', [ready, received(2)], undefined, undefined],
  ['no session', [noSession], undefined, failure],
  ['no answer', [ready, noRoot], undefined, failure],
])('%s', (_, events, roundTripMs, failed) => {
  session.start();
  const actor = createActor(pingMachine, { input }).start();
  for (const event of events) {
    expect(actor.getSnapshot().status).toBe('active');
    actor.send(event as never);
  }
  expect(actor.getSnapshot().output).toEqual({ name: 'alice', roundTripMs, failure: failed });
});
