import { expect, test } from 'vitest';
import { type MerkleWalkContext, merkleWalkMachine } from '../../machines/merkle-walk.machine.ts';
import { EMPTY_ROOT, hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const message = encodeMessage({ date: 1, inReplyTo: null, body: 'a' });
const leaf = hashOf(message);
const other = hashOf(Uint8Array.of(2));
const tree = encodeInternal([leaf, other]);
const root = hashOf(tree);
const bad = Uint8Array.of(1);
const session = nobody('session');
const cost = { sends: 1, window: 10, atMs: 2 };
const received = (value: Uint8Array) => ({ type: 'node.received', hash: hashOf(value), value, ...cost });
const failed = (question: object, refused: boolean) => ({
  type: 'request.failed',
  question,
  ticket: 0,
  refused,
  failure: { code: 'peer-unreachable', message: 'silence' },
  sends: 5,
  window: 1,
});
const adopted = (adoption: object) => ({ type: 'tree.adopted', adoption, atMs: 5 });

const events = [
  { type: 'session.ready', session, window: 10, atMs: 1 },
  { type: 'session.failed', failure: { code: 'peer-unknown', message: 'unknown' } },
  { type: 'root.received', root, authenticated: true, ...cost },
  { type: 'root.received', root: EMPTY_ROOT, authenticated: true, ...cost },
  { type: 'walk.begun', isCurrent: true, totalMessages: 1, atMs: 3 },
  { type: 'walk.begun', isCurrent: false, totalMessages: 1, atMs: 3 },
  { type: 'nodes.lookedUp', found: [{ hash: root, status: 'missing' }] },
  {
    type: 'nodes.lookedUp',
    found: [leaf, other].map((hash) => ({ hash, status: 'missing' })),
  },
  { type: 'nodes.lookedUp', found: [{ hash: root, status: 'partial', value: tree }] },
  { type: 'nodes.lookedUp', found: [{ hash: root, status: 'complete' }] },
  received(tree),
  received(message),
  received(bad),
  { type: 'node.absent', hash: leaf, ...cost },
  failed({ type: 'RootRequest' }, false),
  failed({ type: 'RootRequest' }, true),
  failed({ type: 'GetDatum', hash: leaf }, false),
  failed({ type: 'GetDatum', hash: leaf }, true),
  adopted({ status: 'adopted', newMessages: 1, withdrawnMessages: 0, totalMessages: 1, added: [], wentBack: false }),
  adopted({ status: 'incomplete', missing: leaf }),
  adopted({ status: 'over-quota', leaves: 9, quota: 1 }),
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
  upTo(1, context.lookUps),
  upTo(2, context.stalled),
  context.answers > context.answersAtRestart,
  upTo(2, context.nodesFetched),
];
/** Answers come only to what was asked. */
const isPossible = ({ inFlight, lookUps }: MerkleWalkContext, { type }: { type: string }) => {
  if (type === 'node.received' || type === 'node.absent') return inFlight > 0;
  return type !== 'nodes.lookedUp' || lookUps > 0;
};

test('every transition of a Merkle walk is walked', async () => {
  session.start();
  const machine = merkleWalkMachine.provide({ actions: inert('beginWalk', 'lookUp', 'keepNode', 'adoptTree') });
  const asking = await walkMachine({ machine, input: input(undefined, 1), events, key, isPossible, depth: 9 });
  const announced = await walkMachine({ machine, input: input(root, 1), events, key, isPossible, depth: 3 });
  expect(unwalked({ ...asking, walked: asking.walked.union(announced.walked) })).toEqual([]);
});
