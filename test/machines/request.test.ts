import { expect, test } from 'vitest';
import { type RequestOrder, requestMachine } from '../../machines/request.machine.ts';
import type { ReceivedDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const to = { ip: '192.0.2.1', port: 1 };
const value = Uint8Array.of(2, 3);
const hash = hashOf(value);
const socket = nobody('socket');
const signature = new Uint8Array(64).fill(1);

const order = (fields: Partial<RequestOrder>): RequestOrder => ({
  question: { type: 'GetDatum', hash },
  to,
  signed: false,
  answerKey: undefined,
  answerName: undefined,
  firstTimeoutMs: 1000,
  maxSends: 2,
  zeroEndingId: false,
  requester: undefined,
  ticket: 0,
  ...fields,
});
const open = (fields: Partial<RequestOrder>) => ({ type: 'request.open', order: order(fields), socket, atMs: 1 });
const answer = (datagram: ReceivedDatagram['datagram'], signed = false) => ({
  type: 'answer.received',
  answer: { datagram, signed: value, ...(signed ? { signature } : {}) },
  from: to,
  atMs: 5,
});
/** The machine's ids are all 1 here, so that answers can be written down. */
const random = { ...seededRandom(1), uint32: () => 0x101 };
const hello = {
  question: { type: 'Hello', flags: 0, name: 'a' },
  signed: true,
  answerKey: 'key',
  maxSends: 4,
} as const;

test('every transition of a request is walked', async () => {
  const result = await walkMachine({
    machine: requestMachine.provide({ actions: inert('sign', 'verify') }),
    input: { slot: 0, owner: nobody('session'), random },
    key: ({ sends, held, order }: { sends: number; held: unknown; order?: RequestOrder }) => [
      sends,
      held !== undefined,
      order?.question.type,
      order?.signed,
    ],
    events: [
      open({}),
      open(hello),
      open({ ...hello, signed: false }),
      { type: 'datagram.signed', id: 0x101, signature },
      { type: 'datagram.signed', id: 0x100, signature },
      { type: 'xstate.after.retransmissionTimeout.request.awaitingAnswer' },
      answer({ type: 'Datum', id: 0x101, hash, value }),
      answer({ type: 'Datum', id: 0x101, hash, value: Uint8Array.of(9) }),
      answer({ type: 'NoDatum', id: 0x101, hash }),
      answer({ type: 'Error', id: 0x101, text: 'no' }),
      answer({ type: 'HelloReply', id: 0x101, flags: 0, name: 'b' }, true),
      { type: 'answer.verified', id: 0x101, valid: true },
      { type: 'answer.verified', id: 0x101, valid: false },
    ] as never,
  });
  expect(unwalked(result)).toEqual([]);
});
