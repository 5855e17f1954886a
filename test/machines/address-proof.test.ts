import { expect, test } from 'vitest';
import { addressProofMachine } from '../../machines/address-proof.machine.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { inertMachine, nobody, unwalked, walkMachine } from './walk-machine.ts';

const address = { ip: '192.0.2.1', port: 1 };

test('every transition of an address proof is walked', () => {
  const result = walkMachine({
    machine: addressProofMachine.provide({ actors: { request: inertMachine as never } }),
    input: {
      address,
      name: 'alice',
      key: undefined,
      ownName: 'bob',
      socket: nobody('socket'),
      random: seededRandom(1),
      flags: 0,
      maxSends: 4,
      atMs: 1,
    },
    events: [
      { type: 'request.stalled', slot: 0, sends: 3, waitedMs: 14_000 },
      { type: 'hello.overtaken' },
      {
        type: 'request.ended',
        outcome: { kind: 'answered', answer: { type: 'HelloReply', id: 7, flags: 0, name: 'alice' }, ids: [7] },
        atMs: 2,
      },
      { type: 'request.ended', outcome: { kind: 'unanswered', waitedMs: 30_000 }, atMs: undefined },
    ] as never,
  });
  expect(unwalked(result)).toEqual([]);
});
