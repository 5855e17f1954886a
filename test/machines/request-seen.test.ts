/** Protocol §4, §6, §11: what others see of one retransmitted request. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, createActor } from 'xstate';
import type { requestMachine } from '../../machines/request.machine.ts';
import type { RequestEnded, RequestEvent, RequestOrder } from '../../machines/request-context.ts';
import { requestFailure } from '../../machines/request-failure.ts';
import { withJitter } from '../../machines/retransmission.ts';
import { limits, timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { Datagram } from '../../src/wire/datagram.ts';
import { hashOf, ZERO_HASH } from '../../src/wire/hash.ts';
import { Outside, type Signed, signature } from './outside.ts';

const to = { ip: '192.0.2.1', port: 1 };
const elsewhere = { ip: '192.0.2.2', port: 1 };
const value = Uint8Array.of(2, 3);
const hash = hashOf(value);
const hello = { type: 'Hello', flags: 0, name: 'bob' } as const;

let outside: Outside;
let slot: Actor<typeof requestMachine>;
let states: string[];

beforeEach(() => {
  outside = new Outside();
  const input = { slot: 3, owner: outside.nobody('session'), random: seededRandom(2) };
  slot = createActor(outside.request, { id: 'request.3', clock: outside.clock, input });
  states = outside.statesOf(slot);
  slot.start();
  outside.told.length = 0;
});

const send = (event: RequestEvent) => slot.send(event);

function open(question: RequestOrder['question'], fields: Partial<RequestOrder> = {}): void {
  const isHello = question.type === 'Hello';
  const order: RequestOrder = {
    question,
    to,
    socket: outside.socket,
    answerKey: 'key',
    answerName: isHello ? 'alice' : undefined,
    firstTimeoutMs: isHello ? timing.helloTimeout : timing.initialTimeout,
    roundTripMs: undefined,
    maxSends: isHello ? limits.helloSends : limits.requestSends,
    zeroEndingIds: false,
    requester: undefined,
    ticket: 0,
    sentBefore: 0,
    heard: 0,
    ...fields,
  };
  send({ type: 'request.open', order, atMs: outside.nowMs });
}

const ids = () => outside.sent.map(({ datagram }) => datagram.id);
const endsInZero = (id: number) => (id & 0xff) === 0;
const ended = () => outside.last('request.ended') as unknown as RequestEnded;
const dropped = () => outside.socket.getSnapshot().context.dropped;
const answer = (datagram: Datagram, signed: Signed = 'signed') => outside.receive(to, datagram, signed);
const reply = (id: number, signed: Signed = 'signed', name = 'alice') =>
  answer({ type: 'HelloReply', id, flags: 0, name }, signed);
const failure = () => requestFailure(ended().order, ended().outcome, ended().sends, 'alice');

/** To a path that has answered once. */
const redirectedAs = () => ({ socket: outside.socket, firstTimeoutMs: 300, heard: 1 });

describe('Hello', () => {
  test('is sent four times; the second and the last carry an id that ends in zero', async () => {
    open(hello);
    await outside.clock.advance(60_000);
    const [first, second, third, fourth] = ids();
    expect(ids()).toHaveLength(limits.helloSends);
    expect([first, second, third, fourth].map((id) => endsInZero(id as number))).toEqual([false, true, false, true]);
    expect(third).toBe(first);
    expect(fourth).toBe(second);
    expect(outside.sent.every(({ isSigned }) => isSigned)).toBe(true);
  });

  test('has no flags in its last send, in case they are why it stays unanswered', async () => {
    open({ ...hello, flags: 0x40000000 });
    await outside.clock.advance(60_000);
    expect(outside.sentOf('Hello').map(({ datagram }) => datagram.flags)).toEqual([
      0x40000000, 0x40000000, 0x40000000, 0,
    ]);
    expect(ids().map(endsInZero)).toEqual([false, true, false, true]);
  });

  test('to a copy of this home is the same with each send: that copy believes the last one', async () => {
    open({ ...hello, flags: 0x40000000 }, { answerName: hello.name });
    await outside.clock.advance(60_000);
    expect(ids()).toHaveLength(limits.helloSends);
    expect(new Set(ids()).size).toBe(1);
    expect(new Set(outside.sentOf('Hello').map(({ datagram }) => datagram.flags))).toEqual(new Set([0x40000000]));
  });

  test('has ids that end in zero only, where that is known to help', async () => {
    open(hello, { zeroEndingIds: true });
    await outside.clock.advance(60_000);
    expect(new Set(ids()).size).toBe(1);
    expect(ids().every(endsInZero)).toBe(true);
  });

  test.each([
    ['first', 0, 'plain'],
    ['second', 1, 'zero-ending'],
  ])('an answer to the %s send counts after the third, and it is said which helped', async (_, index, form) => {
    open(hello);
    await outside.clock.advance(10_000);
    expect(ids()).toHaveLength(3);
    reply(ids()[index] as number);
    expect(ended()).toMatchObject({ slot: 3, sends: 3, outcome: { kind: 'answered', form } });
    await outside.clock.advance(60_000);
    expect(ids()).toHaveLength(3);
  });

  test('an answer that comes while the next send is being signed counts', async () => {
    open(hello);
    outside.signsAtOnce = false;
    await outside.clock.advance(3_000);
    expect(states.at(-1)).toBe('open.signing');
    reply(ids()[0] as number);
    expect(ended().outcome.kind).toBe('answered');
    expect(states.at(-1)).toBe('idle');
    send({ type: 'datagram.signed', id: ids()[0] as number, signature });
    await outside.clock.advance(60_000);
    expect(ids()).toHaveLength(1);
  });

  test('goes to its address only: it is neither redirected nor given up with the path', async () => {
    open(hello);
    send({ type: 'request.redirected', to: elsewhere, ...redirectedAs() });
    send({ type: 'request.abandoned' });
    await outside.clock.advance(60_000);
    expect(outside.sent.map((datagram) => datagram.to)).toEqual(new Array(limits.helloSends).fill(to));
  });
});

describe('anything else', () => {
  test('that is redirected is sent as often, and after as long, as a new request; its round trip is not measured', async () => {
    open({ type: 'RootRequest' });
    await outside.clock.advance(16_000);
    expect(ids()).toHaveLength(5);
    send({ type: 'request.redirected', to: elsewhere, ...redirectedAs() });
    await outside.clock.advance(100_000);
    const there = outside.sent.filter((datagram) => datagram.to === elsewhere);
    const pauses = there.slice(1).map(({ atMs }, i) => atMs - (there[i]?.atMs as number));
    expect(pauses).toEqual([300, 600, 1_200, 2_400].map((ms) => withJitter(ms, ids()[0] as number)));
    expect(outside.last('request.stalled')).toMatchObject({ order: { heard: 1 }, sends: 4, waitedMs: 4_500 });
    expect(ended()).toMatchObject({ sends: 5, order: { sentBefore: 5 }, openedAtMs: undefined });
  });

  test('is sent five times, the same id and bytes, the timeout doubling', async () => {
    open({ type: 'RootRequest' });
    await outside.clock.advance(100_000);
    const [id = 0] = ids();
    expect(ids()).toEqual(new Array(limits.requestSends).fill(id));
    const times = outside.sent.map(({ atMs }) => atMs);
    const pauses = times.slice(1).map((atMs, i) => atMs - (times[i] as number));
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000].map((ms) => withJitter(ms, id)));
    expect(ended()).toMatchObject({ sends: 5, outcome: { kind: 'unanswered', waitedMs: 31_000, faults: {} } });
    expect(failure()).toEqual({
      code: 'peer-unreachable',
      message: 'alice (192.0.2.1:1) did not answer RootRequest, which was sent 5 times in 31 s; try again later',
    });
  });

  test('is sent again at once when later ones are answered, five times at most, and its timeouts count from then', async () => {
    open({ type: 'RootRequest' });
    for (let i = 0; i < 8; i++) {
      await outside.clock.advance(100);
      send({ type: 'request.overtaken' });
    }
    const [first] = outside.sent;
    const sinceFirst = outside.sent.map(({ atMs }) => atMs - (first?.atMs ?? 0));
    expect(sinceFirst).toEqual([0, 100, 200, 300, 400, 500]);
    expect(new Set(ids()).size).toBe(1);
    await outside.clock.advance(100_000);
    expect(ended()).toMatchObject({ sends: 10, overtaken: 5, outcome: { kind: 'unanswered', waitedMs: 31_000 } });
  });

  test('says that it stalls after the third timeout and each further one, and goes on', async () => {
    open({ type: 'RootRequest' });
    await outside.clock.advance(6_000);
    expect(outside.told).toEqual([]);
    await outside.clock.advance(4_000);
    expect(outside.last('request.stalled')).toMatchObject({ slot: 3, sends: 3, waitedMs: 7_000 });
    await outside.clock.advance(8_000);
    expect(outside.last('request.stalled')).toMatchObject({ sends: 4, waitedMs: 15_000 });
    expect(ids()).toHaveLength(5);
  });

  test('that is redirected goes on at once at the other address, under the same id; the former one is heard no more', async () => {
    open({ type: 'RootRequest' });
    send({ type: 'request.redirected', to, ...redirectedAs() });
    expect(ids()).toHaveLength(1);
    send({ type: 'request.redirected', to: elsewhere, ...redirectedAs() });
    const [id = 0, again] = ids();
    expect(again).toBe(id);
    expect(outside.sent.map((datagram) => datagram.to)).toEqual([to, elsewhere]);
    answer({ type: 'Root', id, hash });
    expect(outside.told).toEqual([]);
    outside.receive(elsewhere, { type: 'Root', id, hash }, 'signed');
    expect(ended()).toMatchObject({ order: { to: elsewhere }, outcome: { kind: 'answered', from: elsewhere } });
  });

  test('that is abandoned is over at once, as unanswered', () => {
    open({ type: 'RootRequest' });
    send({ type: 'request.abandoned' });
    expect(ended().outcome.kind).toBe('unanswered');
  });

  test('that is cancelled is over without a word, and answers to it are nobody’s', async () => {
    open({ type: 'RootRequest' });
    send({ type: 'request.cancelled' });
    answer({ type: 'Root', id: ids()[0] as number, hash });
    await outside.clock.advance(60_000);
    expect(outside.told).toEqual([]);
    expect(ids()).toHaveLength(1);
    expect(dropped()).toEqual({ 'answer to no request': 1 });
  });

  test('that the system refuses to send is over at once', () => {
    open({ type: 'RootRequest' });
    outside.socket.send({ type: 'datagrams.refused', to, why: 'nobody listens there' });
    expect(failure()).toEqual({
      code: 'peer-unreachable',
      message: 'alice (192.0.2.1:1) cannot be reached: nobody listens there',
    });
  });

  test('that is refused ends with the other side’s own words', () => {
    open({ type: 'RootRequest' });
    answer({ type: 'Error', id: ids()[0] as number, text: 'no session' }, 'unsigned');
    expect(ended().outcome).toEqual({ kind: 'refused', text: 'no session' });
  });

  test('a node needs no signature, but its hash', () => {
    open({ type: 'GetDatum', hash });
    expect(outside.sent[0]?.isSigned).toBe(false);
    const id = ids()[0] as number;
    answer({ type: 'Datum', id, hash, value }, 'unsigned');
    expect(ended().outcome).toMatchObject({ kind: 'answered', answer: { type: 'Datum' } });
  });
});

describe('wrong answers are counted, the request goes on, and it is said what was wrong with them', () => {
  const rootRequest = { type: 'RootRequest' } as const;
  const getDatum = { type: 'GetDatum', hash } as const;
  const wrong: [string, RequestOrder['question'], (id: number) => void, string, RegExp][] = [
    ['unsigned', hello, (id) => reply(id, 'unsigned'), 'authentication', /without a signature.*--unsigned/],
    ['forged', hello, (id) => reply(id, 'forged'), 'authentication', /its known key did not make/],
    ['other name', hello, (id) => reply(id, 'signed', 'mallory'), 'authentication', /somebody else answers/],
    [
      'unsigned',
      rootRequest,
      (id) => answer({ type: 'Root', id, hash }, 'unsigned'),
      'authentication',
      /answered RootRequest without a signature/,
    ],
    [
      'other type',
      rootRequest,
      (id) => answer({ type: 'NoDatum', id, hash }),
      'invalid-data',
      /something else than what was asked for/,
    ],
    [
      'other hash',
      getDatum,
      (id) => answer({ type: 'Datum', id, hash, value: Uint8Array.of(9) }),
      'invalid-data',
      /answered GetDatum with something else/,
    ],
    [
      'other hash',
      getDatum,
      (id) => answer({ type: 'NoDatum', id, hash: ZERO_HASH }),
      'invalid-data',
      /answered GetDatum with something else/,
    ],
  ];

  test.each(wrong)('%s: %o', async (fault, question, answerWrongly, code, message) => {
    open(question);
    answerWrongly(ids()[0] as number);
    answerWrongly(ids()[0] as number);
    expect(outside.told).not.toContain('session: request.ended');
    expect(dropped()).toEqual({ 'answer does not fit its request': 2 });
    await outside.clock.advance(100_000);
    expect(ended().outcome).toMatchObject({ kind: 'unanswered', faults: { [fault]: 2 } });
    expect(failure()).toEqual({ code, message: expect.stringMatching(message) });
  });

  test('a right one after them is believed', () => {
    open(rootRequest);
    const id = ids()[0] as number;
    answer({ type: 'Root', id, hash }, 'forged');
    answer({ type: 'Root', id, hash }, 'unsigned');
    answer({ type: 'Root', id, hash });
    expect(ended().outcome.kind).toBe('answered');
  });

  test('they are not those of the next request in the slot', async () => {
    open(rootRequest);
    answer({ type: 'Root', id: ids()[0] as number, hash }, 'forged');
    await outside.clock.advance(100_000);
    open(rootRequest);
    await outside.clock.advance(100_000);
    expect(ended().outcome).toMatchObject({ faults: {} });
  });
});
