import { expect, test } from 'vitest';
import { requestMachine } from '../../machines/request.machine.ts';
import type { RequestContext, RequestOrder } from '../../machines/request-context.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { ReceivedDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const to = { ip: '192.0.2.1', port: 1 };
const value = Uint8Array.of(2, 3);
const hash = hashOf(value);
const elsewhere = { ip: '192.0.2.2', port: 1 };
const socket = nobody('socket');
const signature = new Uint8Array(64).fill(1);

const order = (fields: Partial<RequestOrder>): RequestOrder => ({
  question: { type: 'RootRequest' },
  to,
  socket,
  answerKey: undefined,
  answerName: undefined,
  firstTimeoutMs: 1000,
  roundTripMs: 20,
  maxSends: 2,
  zeroEndingIds: false,
  requester: undefined,
  ticket: 0,
  sentBefore: 0,
  heard: 0,
  ...fields,
});
const open = (fields: Partial<RequestOrder>) => ({ type: 'request.open', order: order(fields), atMs: 1 });
const answer = (datagram: ReceivedDatagram['datagram'], signed = false) => ({
  type: 'answer.received',
  answer: { datagram, signed: value, ...(signed ? { signature } : {}) },
  from: to,
  atMs: 5,
});
/** Nodes of these sequences, in one turn. */
const nodes = (sequence: number, isLast: boolean, ...more: number[]) => ({
  type: 'answers.received',
  answers: [sequence, ...more].map((each) => ({ type: 'Nodes', id: 0x101, sequence: each, isLast, items: [] })),
  atMs: 5,
});
const getNodes = {
  type: 'GetNodes',
  proof: 7,
  gap: 0,
  grant: 9,
  wanted: [{ parent: undefined, children: [hash], mask: 1, depth: 0 }],
} as const;
/** The machine's ids are all 1 here, so that answers can be written down. */
const random = { ...seededRandom(1), uint32: () => 0x101 };
const hello = {
  question: { type: 'Hello', flags: 0, name: 'a' },
  answerKey: 'key',
  maxSends: 4,
} as const;

test('every transition of a request is walked', () => {
  const result = walkMachine({
    machine: requestMachine.provide({ actions: inert('sign', 'verify') }),
    input: { slot: 0, owner: nobody('session'), random },
    key: ({ current }: RequestContext) => [
      current?.sends,
      current?.held !== undefined,
      current?.order.question.type,
      current?.nodes?.answer.sequences.highest,
      current?.order.answerKey,
      current?.order.to.ip,
    ],
    isPossible: ({ current }: RequestContext, { type }: { type: string }) =>
      type !== 'request.overtaken' || current?.overtaken === 0,
    events: [
      open({}),
      open({ question: { type: 'GetDatum', hash } }),
      open({ question: getNodes }),
      nodes(0, false),
      nodes(0, true),
      nodes(1, false),
      nodes(4, false, 2, 3),
      { type: 'xstate.after.nodesPatience.request.open.receiving' },
      { type: 'xstate.after.latePatience.request.late' },
      open(hello),
      open({ ...hello, answerKey: undefined }),
      { type: 'datagram.signed', id: 0x101, signature },
      { type: 'datagram.signed', id: 0x100, signature },
      { type: 'xstate.after.retransmissionTimeout.request.open.awaitingAnswer' },
      { type: 'request.cancelled' },
      { type: 'request.abandoned' },
      { type: 'request.overtaken' },
      { type: 'request.redirected', to: elsewhere, socket, firstTimeoutMs: 300, heard: 1 },
      { type: 'send.failed', why: 'nobody listens there' },
      answer({ type: 'Datum', id: 0x101, hash, value }),
      answer({ type: 'Error', id: 0x101, text: 'no' }),
      answer({ type: 'HelloReply', id: 0x101, flags: 0, name: 'b' }, true),
      { type: 'answer.verified', id: 0x101, valid: true },
      { type: 'answer.verified', id: 0x101, valid: false },
    ] as never,
  });
  expect(unwalked(result)).toEqual([]);
});
