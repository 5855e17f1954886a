import { expect, test } from 'vitest';
import { merkleWalkMachine } from '../../machines/merkle-walk.machine.ts';
import type { MerkleWalkContext } from '../../machines/merkle-walk-context.ts';
import { EMPTY_ROOT, hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const message = encodeMessage({ date: 1, inReplyTo: null, body: 'a' });
const leaf = hashOf(message);
const further = encodeInternal([hashOf(Uint8Array.of(4)), leaf]);
const other = hashOf(further);
const moreThanTheWindow = Array.from({ length: 10 }, (_, i) => hashOf(Uint8Array.of(3, i)));
const tree = encodeInternal([leaf, other, ...moreThanTheWindow]);
const root = hashOf(tree);
const bad = Uint8Array.of(1);
const session = nobody('session');
const cost = { sent: 1, repeated: 0, window: 10, isBulk: false, freed: 1, atMs: 2 };
const received = (value: Uint8Array) => ({
  type: 'nodes.received',
  nodes: [{ hash: hashOf(value), value }],
  unserved: [],
  single: [],
  ...cost,
});
const failure = { code: 'peer-unreachable', message: 'silence' };
const failed = (isFinal: boolean) => ({ isFinal, failure, sent: 5, repeated: 4, window: 1, isBulk: false, freed: 1 });
const adopted = (adoption: object) => ({ type: 'tree.adopted', adoption, atMs: 5 });

const events = [
  { type: 'store.failed', failure: { code: 'unexpected', message: 'disk' } },
  { type: 'session.ready', session, window: 10, isBulk: false, atMs: 1 },
  { type: 'session.failed', failure: { code: 'peer-unknown', message: 'unknown' } },
  { type: 'root.received', root, authenticated: true, ...cost },
  { type: 'root.received', root: EMPTY_ROOT, authenticated: true, ...cost },
  { type: 'walk.begun', isCurrent: true, isSuperseded: false, totalMessages: 1, atMs: 3 },
  { type: 'walk.begun', isCurrent: false, isSuperseded: false, totalMessages: 1, atMs: 3 },
  { type: 'walk.begun', isCurrent: false, isSuperseded: true, totalMessages: 1, atMs: 3 },
  { type: 'nodes.lookedUp', found: [] },
  { type: 'nodes.lookedUp', found: [{ hash: root, value: tree }] },
  { type: 'nodes.lookedUp', found: [{ hash: root }] },
  received(tree),
  received(further),
  received(message),
  received(bad),
  { type: 'nodes.absent', hashes: [leaf], ...cost },
  { type: 'nodes.absent', hashes: [root], ...cost },
  { type: 'root.failed', ...failed(false) },
  { type: 'root.failed', ...failed(true) },
  { type: 'nodes.failed', hashes: [leaf], ticket: 0, ...failed(false) },
  { type: 'nodes.failed', hashes: [leaf], ticket: 0, ...failed(true) },
  adopted({ status: 'adopted', newMessages: 1, withdrawnMessages: 0, totalMessages: 1, added: [], wentBack: false }),
  adopted({ status: 'incomplete', missing: leaf }),
  adopted({ status: 'over-quota', leaves: 9, quota: 1 }),
  adopted({ status: 'withdraws' }),
  { type: 'adoption.failed', failure: { code: 'invalid-data', message: 'the disk is full' } },
] as never;

const input = (announced: string | undefined, quota: number) => ({
  name: 'alice',
  owner: nobody('peer'),
  announced,
  quota,
  atMs: 0,
});
const upTo = (most: number, count: number) => Math.min(most, Math.max(0, count));
const key = (context: MerkleWalkContext) => [
  context.root,
  upTo(1, context.pending),
  upTo(2, context.inFlight),
  upTo(1, context.lookUps.length),
  upTo(2, context.stalled),
  context.answers > context.answersAtRestart,
  upTo(2, context.nodesFetched),
];
/** Answers come only to what was asked. */
const isPossible = ({ inFlight, lookUps }: MerkleWalkContext, { type }: { type: string }) => {
  if (type === 'nodes.received' || type === 'nodes.absent') return inFlight > 0;
  return type !== 'nodes.lookedUp' || lookUps.length > 0;
};

test('every transition of a Merkle walk is walked', () => {
  session.start();
  const machine = merkleWalkMachine.provide({ actions: inert('beginWalk', 'lookUp', 'keepNodes', 'adoptTree') });
  const asking = walkMachine({ machine, input: input(undefined, 1), events, key, isPossible, depth: 9 });
  const announced = walkMachine({ machine, input: input(root, 1), events, key, isPossible, depth: 3 });
  expect(unwalked({ ...asking, walked: asking.walked.union(announced.walked) })).toEqual([]);
});
