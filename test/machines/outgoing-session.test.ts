import { expect, test } from 'vitest';
import { outgoingSessionMachine } from '../../machines/outgoing-session.machine.ts';
import type { OutgoingSessionContext } from '../../machines/outgoing-session-context.ts';
import { timing } from '../../machines/timing.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { inert, inertMachine, nobody, unwalked, walkMachine } from './walk-machine.ts';

const address = { ip: '192.0.2.1', port: 1 };
const other = { ip: '192.0.2.2', port: 1 };
const ipv6 = { ip: '2001:db8::1', port: 1 };
const walk = nobody('walk');
const ipv4 = nobody('socket');

const common = { slot: 0, sends: 1, openedAtMs: 1, atMs: 6 };
const order = { to: address, requester: walk, ticket: 0, firstTimeoutMs: 1000 };
const ended = (question: { type: 'Hello' | 'RootRequest' }, outcome: object) => ({
  type: 'request.ended',
  ...common,
  order: { ...order, question },
  outcome,
});
const nodesEnded = (outcome: object, isLast = true) => ({ type: 'nodes.ended', ...common, isLast, order, outcome });
const answered = (type: string) => ({ kind: 'answered', answer: { type, hash: ZERO_HASH }, from: address });
const refused = { kind: 'refused', text: 'no session' };
const unanswered = { kind: 'unanswered', waitedMs: 30_000 };
const hello = { type: 'Hello' } as const;

const events = [
  { type: 'session.open', waiter: walk, atMs: 1 },
  { type: 'session.greet', atMs: 1 },
  { type: 'session.adopt', address, key: undefined, atMs: 1 },
  { type: 'session.adopt', address: { ip: '192.0.2.99', port: 99 }, key: undefined, atMs: 1 },
  { type: 'peer.located', addresses: [address, other], key: undefined, atMs: 2 },
  { type: 'peer.located', addresses: [ipv6], key: undefined, atMs: 2 },
  { type: 'peer.notLocated', failure: { code: 'peer-unknown', message: 'unknown' } },
  { type: 'root.wanted', requester: walk, atMs: 3 },
  { type: 'nodes.wanted', hashes: [ZERO_HASH], requester: walk, ticket: 0, atMs: 3 },
  { type: 'sockets.changed', sockets: { ipv4 } },
  { type: 'sweep', atMs: 10 },
  { type: 'sweep', atMs: timing.sessionRenewal + 10 },
  { type: 'sweep', atMs: timing.sessionLifetime + 10 },
  ended(hello, answered('HelloReply')),
  ended(hello, unanswered),
  ended({ type: 'RootRequest' }, answered('Root')),
  ended({ type: 'RootRequest' }, refused),
  ended({ type: 'RootRequest' }, unanswered),
  nodesEnded({ kind: 'answered', nodes: [{ hash: ZERO_HASH, value: new Uint8Array(1) }], absent: [] }, false),
  nodesEnded({ kind: 'answered', nodes: [], absent: [ZERO_HASH] }),
  nodesEnded({ ...refused, hash: ZERO_HASH }),
  nodesEnded({ ...unanswered, hashes: [ZERO_HASH] }),
  { type: 'xstate.after.traversalPause.outgoing-session.traversing' },
] as never;

const input = (located: object | undefined) => ({
  id: 'outgoing-session.alice',
  name: 'alice',
  ownName: 'bob',
  owner: nobody('peer'),
  random: seededRandom(1),
  sockets: { ipv4 },
  located,
  nameKnown: true,
});
const key = (context: OutgoingSessionContext) => [
  context.addresses.length,
  context.attempt,
  context.traversed,
  context.renewing,
  context.regreetings,
  context.heldBack.length > 0,
  context.nodeRequests.count > 0,
  context.usedAtMs > context.openedAtMs,
];
/** A request ends only after it was opened. */
const isPossible = ({ requests, nodeRequests }: OutgoingSessionContext, { type }: { type: string }) => {
  if (type === 'request.ended') return requests.count > 0;
  return type !== 'nodes.ended' || nodeRequests.count > 0;
};

test('every transition of an outgoing session is walked', async () => {
  walk.start();
  const machine = outgoingSessionMachine.provide({
    actors: { request: inertMachine as never, nodeRequests: inertMachine as never },
    actions: inert('locatePeer'),
  });
  const found = await walkMachine({ machine, input: input(undefined), events, key, isPossible, depth: 6 });
  const given = { addresses: [address], key: undefined };
  const fixed = await walkMachine({ machine, input: input(given), events, key, isPossible, depth: 4 });
  const outOfReach = { addresses: [ipv6], key: undefined };
  const far = await walkMachine({ machine, input: input(outOfReach), events, key, isPossible, depth: 1 });
  const walked = found.walked.union(fixed.walked).union(far.walked);
  expect(unwalked({ ...found, walked })).toEqual([]);
});
