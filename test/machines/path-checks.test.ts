/** What a round of path checks asks, and of whom its owner hears. */
import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { type PathChecksContext, pathChecksMachine } from '../../machines/path-checks.machine.ts';
import { STRANGERS_OF_PEER } from '../../machines/stranger-budget.ts';
import { timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { appendSignature } from '../../src/wire/datagram.ts';
import { hashOf, ZERO_HASH } from '../../src/wire/hash.ts';
import { Outside, signature } from './outside.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const known = hashOf(Uint8Array.of(1));
const at = (last: number) => ({ ip: `192.0.2.${last}`, port: 1 });

function begin() {
  const outside = new Outside();
  const machine = pathChecksMachine.provide({
    actions: {
      signChecks: ({ self }, { checks }) => {
        const signed = checks.map(({ id, bytes }) => ({ id, bytes: appendSignature(bytes, signature) }));
        self.send({ type: 'checks.signed', signed });
      },
    },
  });
  const input = { owner: outside.nobody('peer'), ownName: 'bob', random: seededRandom(1) };
  const actor = createActor(machine, { id: 'path-checks', clock: outside.clock, input }).start();
  const askOver = (socket: typeof outside.socket, ...lasts: number[]) => {
    const checks = lasts.map((last) => ({ session: `session ${last}`, to: at(last), socket, root: known }));
    actor.send({ type: 'checks.wanted', checks, searches: [] });
  };
  const searchFor = (...lasts: number[]) => {
    const searches = lasts.map((last) => ({ name: `peer ${last}`, to: at(last), socket: outside.socket }));
    actor.send({ type: 'checks.wanted', checks: [], searches });
  };
  const ask = (...lasts: number[]) => askOver(outside.socket, ...lasts);
  const idOf = (last: number) => outside.sentOf('RootRequest').findLast(({ to }) => to.ip === at(last).ip)?.datagram.id;
  const answer = (last: number, hash = known) =>
    outside.receive(at(last), { type: 'Root', id: idOf(last) ?? 0, hash }, 'signed');
  const replyTo = (last: number, name = `peer ${last}`) => {
    const id = outside.sentOf('Hello').findLast(({ to }) => to.ip === at(last).ip)?.datagram.id ?? 0;
    outside.receive(at(last), { type: 'HelloReply', id, flags: 0, name });
  };
  const found = () => outside.events.flatMap(({ event }) => (event.type === 'peer.found' ? [event] : []));
  const reported = () =>
    outside.events.flatMap(({ event }) => (event.type === 'checks.failed' ? [event.sessions] : []));
  return { outside, actor, ask, askOver, idOf, answer, searchFor, replyTo, found, reported };
}

describe('a round of path checks', () => {
  test('asks each peer for its root once, signed, each under an id of its own', async () => {
    const { outside, ask } = begin();
    ask(1, 2, 3);
    await outside.clock.advance(timing.pathCheckPatience);
    const sent = outside.sentOf('RootRequest');
    expect(sent.map(({ to, isSigned }) => [to.ip, isSigned])).toEqual([1, 2, 3].map((last) => [at(last).ip, true]));
    expect(new Set(sent.map(({ datagram }) => datagram.id)).size).toBe(3);
  });

  test('in which all name the root that is known is over, and nobody hears of it', async () => {
    const { outside, actor, ask, answer, reported } = begin();
    ask(1, 2);
    answer(1);
    answer(2);
    expect(actor.getSnapshot().value).toBe('idle');
    await outside.clock.advance(timing.pathCheckPatience);
    expect(reported()).toEqual([]);
  });

  test('tells at once of whoever has another root, or answers with an Error', () => {
    const { outside, ask, idOf, answer, reported } = begin();
    ask(1, 2, 3);
    answer(1, ZERO_HASH);
    outside.receive(at(2), { type: 'Error', id: idOf(2) ?? 0, text: 'no session' });
    answer(1, ZERO_HASH);
    expect(reported()).toEqual([['session 1'], ['session 2']]);
  });

  test('takes no answer from another address', async () => {
    const { outside, ask, idOf, reported } = begin();
    ask(1);
    outside.receive(at(2), { type: 'Root', id: idOf(1) ?? 0, hash: known }, 'signed');
    await outside.clock.advance(timing.pathCheckPatience);
    expect(reported()).toEqual([['session 1']]);
  });

  test('tells of all who are silent, in one go, and forgets what they were asked with the next round', async () => {
    const { outside, ask, answer, reported } = begin();
    ask(1, 2, 3);
    answer(2);
    await outside.clock.advance(timing.pathCheckPatience);
    expect(reported()).toEqual([['session 1', 'session 3']]);
    const late = outside.sentOf('RootRequest')[0]?.datagram.id ?? 0;
    ask(4);
    outside.receive(at(1), { type: 'Root', id: late, hash: known }, 'signed');
    expect(outside.socket.getSnapshot().context.dropped).toEqual({ 'answer to no request': 1 });
  });

  test('leaves no route of the round before behind, over whichever socket that was asked', async () => {
    const { outside, ask, askOver } = begin();
    const input = { index: 1, bind: at(9), owner: outside.nobody('peer'), strangers: STRANGERS_OF_PEER };
    const other = createActor(outside.socketMachine, { id: 'other', input, clock: outside.clock }).start();
    askOver(other, 1, 2);
    await outside.clock.advance(timing.pathCheckPatience);
    ask(3);
    expect([other, outside.socket].map((socket) => socket.getSnapshot().context.routes.size)).toEqual([0, 1]);
  });
});

describe('peers that have fallen silent', () => {
  test('are said Hello to where they are listed, and once more 1.5 s later; in a form that every known program answers', async () => {
    const { outside, searchFor } = begin();
    searchFor(1, 2);
    const sent = outside.sentOf('Hello');
    expect(sent.map(({ to, isSigned }) => [to.ip, isSigned])).toEqual([1, 2].map((last) => [at(last).ip, true]));
    for (const { datagram } of sent) expect(datagram).toMatchObject({ name: 'bob', flags: 0 });
    expect(sent.map(({ datagram }) => datagram.id & 0xff)).toEqual([0, 0]);
    await outside.clock.advance(timing.pathCheckPatience - 1);
    expect(outside.sentOf('Hello')).toHaveLength(2);
    await outside.clock.advance(1);
    const again = sent.map((hello) => ({ ...hello, atMs: hello.atMs + timing.pathCheckPatience }));
    expect(outside.sentOf('Hello').slice(2)).toEqual(again);
    await outside.clock.advance(60_000);
    expect(outside.sentOf('Hello')).toHaveLength(4);
  });

  test('are told of when they answer, now or until the next round, once each', async () => {
    const { outside, actor, searchFor, replyTo, found } = begin();
    searchFor(1, 2);
    replyTo(1);
    replyTo(1);
    expect(actor.getSnapshot().value).toBe('awaitingAnswers');
    await outside.clock.advance(4_000);
    expect(outside.sentOf('Hello').map(({ to }) => to.ip)).toEqual([1, 2, 2].map((last) => at(last).ip));
    replyTo(2);
    expect(found()).toMatchObject([1, 2].map((last) => ({ name: `peer ${last}`, address: at(last) })));
  });

  test('are not told of when somebody else answers there, or what answers is an Error', () => {
    const { outside, searchFor, replyTo, found } = begin();
    searchFor(1, 2);
    replyTo(1, 'mallory');
    const id = outside.sentOf('Hello')[1]?.datagram.id ?? 0;
    outside.receive(at(2), { type: 'Error', id, text: 'no' });
    expect(found()).toEqual([]);
  });

  test('a round in which all of them answer is over', () => {
    const { actor, searchFor, replyTo } = begin();
    searchFor(1);
    replyTo(1);
    expect(actor.getSnapshot().value).toBe('idle');
  });
});

test.each([
  ['one who answers shows that it is not us who cannot be heard', [1], false],
  ['it may be us if nobody answers', [], true],
])('%s', async (_, answering, isAlone) => {
  const { outside, ask, answer } = begin();
  ask(1, 2);
  for (const last of answering) answer(last);
  await outside.clock.advance(timing.pathCheckPatience);
  expect(outside.last('checks.failed').isAlone).toBe(isAlone);
});

test('every transition of path checks is walked', () => {
  const machine = pathChecksMachine.provide({ actions: inert('signChecks') });
  const id = 0x700;
  const random = { uint32: () => id, fraction: () => 0 };
  const input = { owner: nobody('peer'), ownName: 'bob', random };
  const check = { session: 'session', to: at(1), socket: nobody('socket'), root: known };
  const answer = (hash: string) => ({ datagram: { type: 'Root', id, hash }, signed: new Uint8Array(7) });
  const search = { name: 'carol', to: at(2), socket: nobody('socket') };
  const reply = { datagram: { type: 'HelloReply', id, flags: 0, name: 'carol' }, signed: new Uint8Array(7) };
  const received = (hash: string) => ({ type: 'answer.received', answer: answer(hash), from: at(1), atMs: 1 });
  const after = 'xstate.after.pathCheckPatience.path-checks.awaitingAnswers';
  const events = [
    { type: 'checks.wanted', checks: [check], searches: [] },
    { type: 'checks.wanted', checks: [], searches: [search] },
    { type: 'checks.signed', signed: [{ id, bytes: new Uint8Array(71) }] },
    received(known),
    received(ZERO_HASH),
    { type: 'answer.received', answer: reply, from: at(2), atMs: 1 },
    { type: after },
  ] as never[];
  const result = walkMachine({
    machine,
    input,
    events,
    key: ({ open, searches }: PathChecksContext) => `${open.length} ${searches.length}`,
  });
  expect(unwalked(result)).toEqual([]);
});
