import { expect, test } from 'vitest';
import {
  type NodeRequestsContext,
  type NodesOrder,
  nodeRequestsMachine,
} from '../../machines/node-requests.machine.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { nobody, unwalked, walkMachine } from './walk-machine.ts';

const to = { ip: '192.0.2.1', port: 1 };
const socket = nobody('socket');
const values = [Uint8Array.of(2, 3), Uint8Array.of(2, 4)];
const [one, two] = values.map(hashOf) as [string, string];
const order: NodesOrder = {
  hashes: [one, two],
  to,
  firstTimeoutMs: 1000,
  maxSends: 2,
  zeroEndingIds: false,
  requester: nobody('walk'),
  ticket: 0,
};
const ID = 0x101;
const datum = (value: Uint8Array | undefined, hash: string, id = ID) => ({ type: 'Datum', id, hash, value });
const answered = (...answers: object[]) => ({ type: 'nodes.answered', answers, atMs: 5 });
const error = (id: number) => ({
  type: 'answer.received',
  answer: { datagram: { type: 'Error', id, text: 'no' }, signed: new Uint8Array(7) },
  from: to,
  atMs: 5,
});

test('every transition of requests for nodes is walked', async () => {
  const result = await walkMachine({
    machine: nodeRequestsMachine,
    input: { slot: 0, owner: nobody('session'), random: { uint32: () => ID, fraction: () => 0.5 } },
    key: ({ current }: NodeRequestsContext) => [current?.sends, current?.open.map(({ hash }) => hash)],
    events: [
      { type: 'nodes.request', order, socket, atMs: 1 },
      { type: 'xstate.after.retransmissionTimeout.node-requests.awaitingAnswers' },
      answered(datum(values[0], one)),
      answered(datum(values[0], one), { type: 'NoDatum', id: ID, hash: two }),
      answered(datum(values[0], two), datum(values[0], one, ID + 1)),
      error(ID),
      error(ID + 1),
    ] as never,
  });
  expect(unwalked(result)).toEqual([]);
});
