/** What a path learns from requests that are over. */
import { expect, test } from 'vitest';
import { afterRequest, openPath, recovered, timed } from '../../../machines/path.ts';
import { opened } from '../../../machines/path-controller.ts';
import type { Question, RequestEnded, RequestOutcome } from '../../../machines/request-context.ts';
import { timing } from '../../../machines/timing.ts';
import { ZERO_HASH } from '../../../src/wire/hash.ts';

const address = { ip: '192.0.2.1', port: 1 };
const getDatum: Question = { type: 'GetDatum', hash: ZERO_HASH };
const hello: Question = { type: 'Hello', flags: 0, name: 'bob' };

function ended(question: Question, sends: number, overtaken: number, outcome?: RequestOutcome): RequestEnded {
  const answer = { type: 'Datum', id: 1, hash: ZERO_HASH, value: new Uint8Array(200) } as const;
  return {
    type: 'request.ended',
    slot: 7,
    order: { question, to: address, firstTimeoutMs: 1_000 } as RequestEnded['order'],
    outcome: outcome ?? { kind: 'answered', answer, from: address, form: 'plain', ids: [1] },
    sends,
    overtaken,
    freed: 1,
    openedAtMs: 1_000,
    atMs: 1_080,
  };
}

const asked = () => {
  const path = openPath({ address, key: undefined, openedAtMs: 0 }, {});
  return { ...path, controller: opened(path.controller, { id: 7, grant: 1, atMs: 1_000 }) };
};

test('an answer to the only send tells round trip and rate, and is no longer awaited', () => {
  const { controller, heard } = afterRequest(asked(), ended(getDatum, 1, 0));
  expect(controller.roundTrip).toMatchObject({ smoothedMs: 80, shortestMs: 80 });
  expect(controller.outstanding).toEqual([]);
  expect(controller.rate.delivered).toBeGreaterThan(200);
  expect(heard).toBe(1);
});

test('a path does not leave this machine if its address is one of a loopback', () => {
  const isLocal = (ip: string) =>
    openPath({ address: { ip, port: 1 }, key: undefined, openedAtMs: 0 }, {}).controller.isLocal;
  expect(['127.0.0.1', '127.8.0.1', '::1', '192.0.2.1', '::2', '12.7.0.1'].map(isLocal)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('a Hello tells the round trip only', () => {
  const { controller } = afterRequest(asked(), ended(hello, 1, 0));
  expect(controller.roundTrip.smoothedMs).toBe(80);
  expect(controller.rate.delivered).toBe(0);
});

test('timeouts double the next one; that later answers came first does not', () => {
  expect(afterRequest(asked(), ended(getDatum, 3, 0)).controller.roundTrip.timeoutMs).toBe(4_000);
  expect(afterRequest(asked(), ended(getDatum, 3, 2)).controller.roundTrip.timeoutMs).toBe(1_000);
});

test('somebody who said Hello, and answered ours, is not waited for as if nothing were known of the way there', () => {
  const { controller } = timed(asked(), 60);
  expect(controller.roundTrip.timeoutMs).toBe(timing.minimumTimeout);
  expect(timed(asked(), undefined).controller.roundTrip.timeoutMs).toBe(timing.initialTimeout);
  // What the directory was asked meanwhile took most of that.
  expect(timed(asked(), 900).controller.roundTrip.timeoutMs).toBe(timing.initialTimeout);
});

test('a Hello that is answered ends the long waits that a dead path has taught', () => {
  const slow = afterRequest(asked(), ended(getDatum, 4, 0));
  expect(slow.controller.roundTrip.timeoutMs).toBe(8_000);
  expect(recovered(slow).controller.roundTrip.timeoutMs).toBe(timing.initialTimeout);
  const waited = ended(getDatum, 4, 0);
  const known = afterRequest(timed(asked(), 60), { ...waited, order: { ...waited.order, firstTimeoutMs: 200 } });
  expect(known.controller.roundTrip.timeoutMs).toBe(1_600);
  expect(recovered(known).controller.roundTrip.timeoutMs).toBe(200);
});

test('what was given up, or cannot be sent, is no longer awaited', () => {
  const outcomes: RequestOutcome[] = [
    { kind: 'unanswered', waitedMs: 31_000, faults: {} },
    { kind: 'unsendable', why: 'nobody listens there' },
  ];
  for (const outcome of outcomes) {
    const event = { ...ended(getDatum, 5, 0, outcome), atMs: undefined };
    const { controller, heard } = afterRequest(asked(), event);
    expect(controller.outstanding).toEqual([]);
    expect(heard).toBe(0);
  }
});

test('no more may be under way than the receive buffer takes, nor more than 512', () => {
  const largest = (receiveBufferBytes?: number) =>
    openPath({ address, key: undefined, openedAtMs: 0 }, receiveBufferBytes === undefined ? {} : { receiveBufferBytes })
      .controller.largestWindow;
  expect(largest()).toBe(512);
  expect(largest(425_984)).toBe(184);
  expect(largest(8 * 1_024 * 1_024)).toBe(512);
  expect(largest(4_096)).toBe(10);
});
