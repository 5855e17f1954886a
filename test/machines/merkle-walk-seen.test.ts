/** Protocol §2, §9: what peer, session and store see of one download of a tree. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, createActor } from 'xstate';
import { merkleWalkMachine } from '../../machines/merkle-walk.machine.ts';
import type { LookedUp, MerkleWalkEvent } from '../../machines/merkle-walk-context.ts';
import { limits } from '../../machines/timing.ts';
import type { Adoption } from '../../src/store/store.ts';
import { EMPTY_ROOT, type Hash, hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { Outside } from './outside.ts';

const message = (body: string) => encodeMessage({ date: 1, inReplyTo: null, body });
const [first, second, third, fourth] = ['1', '2', '3', '4'].map(message) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const older = encodeInternal([hashOf(first), hashOf(second)]);
const newer = encodeInternal([hashOf(third), hashOf(fourth)]);
const tree = encodeInternal([hashOf(older), hashOf(newer)]);
const root = hashOf(tree);
const laterRoot = hashOf(encodeInternal([root, hashOf(first)]));
const invalid = encodeInternal([root, root]).slice(0, 40);

const WINDOW = 2;
const cost = { sent: 1, repeated: 0, window: WINDOW, isBulk: false, freed: 1 };
const silence = { code: 'peer-unreachable', message: 'no answer' } as const;
const adopted: Adoption = {
  status: 'adopted',
  newMessages: 4,
  withdrawnMessages: 0,
  totalMessages: 4,
  added: [],
  wentBack: false,
};

let outside: Outside;
let walk: Actor<typeof merkleWalkMachine>;
/** What was asked of the store, in order. */
let asked: { readonly effect: string; readonly params: Record<string, unknown> }[];

function start({ announced, quota = 100 }: { announced?: Hash; quota?: number } = {}): void {
  const note = (effect: string) => (_: unknown, params: object) => asked.push({ effect, params: { ...params } });
  const machine = merkleWalkMachine.provide({
    actions: {
      beginWalk: note('beginWalk'),
      lookUp: note('lookUp'),
      keepNodes: note('keepNodes'),
      adoptTree: note('adoptTree'),
    },
  });
  const input = { name: 'alice', owner: outside.nobody('peer'), announced, quota, atMs: 0 };
  walk = createActor(machine, { input, clock: outside.clock }).start();
}

const send = (event: MerkleWalkEvent) => walk.send(event);
const ready = (fields: object = {}) =>
  send({ type: 'session.ready', session: outside.nobody('session'), atMs: 1, ...cost, ...fields });
const answerRoot = (hash: Hash) => send({ type: 'root.received', root: hash, authenticated: true, atMs: 2, ...cost });
const begun = (fields: object = {}) =>
  send({ type: 'walk.begun', isCurrent: false, isSuperseded: false, totalMessages: 0, atMs: 3, ...fields });
const found = (...known: LookedUp[]) => send({ type: 'nodes.lookedUp', found: known });
const receive = (values: readonly Uint8Array[], atMs = 4) =>
  send({
    type: 'nodes.received',
    nodes: values.map((value) => ({ hash: hashOf(value), value })),
    unserved: [],
    single: [],
    atMs,
    ...cost,
    freed: values.length,
  });
const lack = (hash: Hash) => send({ type: 'nodes.absent', hashes: [hash], atMs: 4, ...cost });
const fail = (hash: Hash, { ticket = 0, isFinal = false } = {}) =>
  send({ type: 'nodes.failed', hashes: [hash], ticket, isFinal, failure: silence, ...cost, sent: 5, repeated: 4 });
const failRoot = (isFinal = false) => send({ type: 'root.failed', isFinal, failure: silence, ...cost });
const adopt = (adoption: Adoption) => send({ type: 'tree.adopted', adoption, atMs: 5 });

const wanted = () =>
  outside.events.filter(({ event }) => event.type === 'nodes.wanted').map(({ event }) => event.hashes as Hash[]);
const rootsWanted = () => outside.told.filter((text) => text === 'session: root.wanted').length;
const paramsOf = (effect: string) => asked.filter((call) => call.effect === effect).map(({ params }) => params);
const keptHashes = () => paramsOf('keepNodes').map(({ nodes }) => (nodes as { hash: Hash }[]).map(({ hash }) => hash));
const report = () => walk.getSnapshot().output?.report;

beforeEach(() => {
  outside = new Outside();
  asked = [];
});

/** The root has come, and nothing of the tree is there. */
function beginColdStart(options: { quota?: number } = {}): void {
  start(options);
  ready();
  answerRoot(root);
  begun();
  found();
}

describe('the root', () => {
  test('is asked for once there is a session, and compared with the one that is current', () => {
    start();
    expect(outside.last('session.wanted')).toMatchObject({ name: 'alice' });
    expect(rootsWanted()).toBe(0);
    ready();
    expect(rootsWanted()).toBe(1);
    expect(asked).toEqual([]);
    answerRoot(root);
    expect(paramsOf('beginWalk')).toEqual([{ name: 'alice', root, authenticated: true, quota: 100 }]);
  });

  test('that was announced is not asked for', () => {
    start({ announced: root });
    ready();
    expect(rootsWanted()).toBe(0);
    expect(paramsOf('beginWalk')).toEqual([{ name: 'alice', root, authenticated: true, quota: 100 }]);
  });

  test('that was announced and left behind long ago may be a replay: the peer is asked for its present one', () => {
    start({ announced: root });
    ready();
    begun({ isSuperseded: true });
    expect(rootsWanted()).toBe(1);
    answerRoot(laterRoot);
    expect(paramsOf('beginWalk').at(-1)).toMatchObject({ root: laterRoot });
  });

  test('that the peer gives for its present one counts, though it was left behind', () => {
    start();
    ready();
    answerRoot(root);
    begun({ isSuperseded: true });
    expect(rootsWanted()).toBe(1);
    expect(paramsOf('lookUp')).toEqual([{ hashes: [root] }]);
  });

  test('that is current already costs nothing more', () => {
    start();
    ready();
    answerRoot(root);
    begun({ isCurrent: true, totalMessages: 4 });
    expect(report()).toMatchObject({ status: 'unchanged', root, totalMessages: 4, newMessages: 0, nodesFetched: 0 });
    expect(asked.map(({ effect }) => effect)).toEqual(['beginWalk']);
    expect(wanted()).toEqual([]);
  });

  test('of nothing is adopted without asking for a node', () => {
    start();
    ready();
    answerRoot(EMPTY_ROOT);
    begun({ totalMessages: 4 });
    expect(wanted()).toEqual([]);
    expect(paramsOf('adoptTree')).toMatchObject([{ root: EMPTY_ROOT, mayWithdraw: true }]);
    adopt({ ...adopted, newMessages: 0, withdrawnMessages: 4, totalMessages: 0 });
    expect(report()).toMatchObject({ status: 'updated', withdrawnMessages: 4, totalMessages: 0 });
  });

  test('that does not come is asked for once more; then the walk ends with what the session said', () => {
    start();
    ready();
    failRoot();
    expect(rootsWanted()).toBe(2);
    failRoot();
    failRoot();
    expect(report()).toMatchObject({ status: 'failed', root: null, error: silence });
  });

  test('is not asked for again once the session is over', () => {
    start();
    ready();
    failRoot(true);
    expect(rootsWanted()).toBe(1);
    expect(report()).toMatchObject({ status: 'failed', error: silence });
  });

  test('cannot be asked for without a session: the report says why there is none, and what the attempt cost', () => {
    start();
    send({ type: 'session.failed', failure: silence, sent: 4, repeated: 3 });
    expect(report()).toMatchObject({ status: 'failed', error: silence, datagramsSent: 4, retransmissions: 3 });
  });
});

describe('nodes', () => {
  test('are looked up first, and only those that the store lacks are asked for', () => {
    start();
    ready();
    answerRoot(root);
    begun();
    expect(wanted()).toEqual([]);
    found();
    expect(wanted()).toEqual([[root]]);
    receive([tree]);
    expect(paramsOf('lookUp').at(-1)).toEqual({ hashes: [hashOf(older), hashOf(newer)] });
    found({ hash: hashOf(older) });
    expect(wanted()).toEqual([[root], [hashOf(newer)]]);
  });

  test('that the store has in part lead on without being asked for', () => {
    start();
    ready();
    answerRoot(root);
    begun();
    found({ hash: root, value: tree });
    expect(wanted()).toEqual([]);
    expect(paramsOf('lookUp').at(-1)).toEqual({ hashes: [hashOf(older), hashOf(newer)] });
    found({ hash: hashOf(newer) });
    expect(wanted()).toEqual([[hashOf(older)]]);
  });

  test('are asked for newest first, no more at once than the window', () => {
    beginColdStart();
    receive([tree]);
    found();
    expect(wanted().at(-1)).toEqual([hashOf(newer), hashOf(older)]);
    receive([newer]);
    found();
    expect(wanted().at(-1)).toEqual([hashOf(fourth)]);
  });

  test('wait for all look-ups that are open: what comes of those may be newer', () => {
    beginColdStart();
    receive([tree]);
    found();
    receive([older]);
    receive([newer]);
    const before = wanted().length;
    found();
    expect(wanted()).toHaveLength(before);
    found();
    expect(wanted().at(-1)).toEqual([hashOf(fourth), hashOf(third)]);
  });

  test('are asked for once, wherever they stand in the tree', () => {
    const twice = encodeInternal([hashOf(first), hashOf(first)]);
    start();
    ready();
    answerRoot(hashOf(twice));
    begun();
    found();
    receive([twice]);
    expect(paramsOf('lookUp').at(-1)).toEqual({ hashes: [hashOf(first)] });
    found();
    expect(wanted()).toEqual([[hashOf(twice)], [hashOf(first)]]);
  });

  test('are kept as they come, and the tree is made current when all are there, not before', () => {
    beginColdStart();
    receive([tree]);
    found();
    receive([newer]);
    found();
    receive([older]);
    found();
    receive([fourth, third]);
    receive([second]);
    expect(paramsOf('adoptTree')).toEqual([]);
    receive([first]);
    expect(keptHashes().flat()).toEqual([tree, newer, older, fourth, third, second, first].map(hashOf));
    expect(paramsOf('adoptTree')).toEqual([
      { name: 'alice', root, authenticated: true, quota: 100, mayWithdraw: true },
    ]);
    expect(walk.getSnapshot().status).toBe('active');
    adopt(adopted);
    expect(report()).toMatchObject({ status: 'updated', root, newMessages: 4, totalMessages: 4, nodesFetched: 7 });
    expect(report()?.bytesFetched).toBe(
      [tree, newer, older, fourth, third, second, first].reduce((sum, { length }) => sum + length, 0),
    );
  });

  test('that stay unanswered are asked for again as long as others are answered', () => {
    beginColdStart();
    receive([tree]);
    found();
    fail(hashOf(newer), { ticket: 1 });
    fail(hashOf(older), { ticket: 0 });
    expect(
      wanted()
        .flat()
        .filter((hash) => hash === hashOf(newer)),
    ).toHaveLength(2);
    expect(report()).toBeUndefined();
  });

  test(`that stay unanswered one after the other end the walk: ${limits.stalledRequests} in a row may`, () => {
    beginColdStart();
    for (let i = 0; i < limits.stalledRequests; i++) {
      fail(root);
      expect(report()).toBeUndefined();
    }
    fail(root);
    expect(wanted()).toHaveLength(1 + limits.stalledRequests);
    expect(report()).toMatchObject({ status: 'failed', error: silence });
  });

  test('that stay unanswered as the session ends are not asked for again', () => {
    beginColdStart();
    fail(root, { isFinal: true });
    expect(wanted()).toEqual([[root]]);
    expect(report()).toMatchObject({ status: 'failed', error: silence });
  });

  test('that the peer does not have: its tree may have changed, so it is asked for the root again', () => {
    beginColdStart();
    receive([tree]);
    found();
    lack(hashOf(newer));
    expect(rootsWanted()).toBe(2);
    answerRoot(laterRoot);
    expect(paramsOf('beginWalk').at(-1)).toMatchObject({ root: laterRoot });
    expect(report()).toBeUndefined();
  });

  test('that the peer does not have, and none that it has since it named the root: the walk ends', () => {
    beginColdStart();
    lack(root);
    expect(rootsWanted()).toBe(1);
    expect(report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(report()?.error?.message).toContain(root);
  });

  test('of a former tree, which come after the walk has turned to a newer one, are kept and lead nowhere', () => {
    beginColdStart();
    receive([tree]);
    found();
    lack(hashOf(newer));
    answerRoot(laterRoot);
    begun();
    found();
    const lookedUp = paramsOf('lookUp').length;
    receive([older]);
    expect(keptHashes().at(-1)).toEqual([hashOf(older)]);
    expect(paramsOf('lookUp')).toHaveLength(lookedUp);
  });

  test.each([
    ['are absent', () => lack(hashOf(older))],
    ['stay unanswered', () => fail(hashOf(older))],
    ['stay unanswered as a session ends', () => fail(hashOf(older), { isFinal: true })],
  ])('of a former tree that %s do not end the walk: it goes on with what it needs', (_, end) => {
    beginColdStart();
    receive([tree]);
    found();
    lack(hashOf(newer));
    answerRoot(laterRoot);
    begun();
    found();
    receive([encodeInternal([root, hashOf(first)])]);
    found({ hash: hashOf(first) });
    end();
    expect(wanted().at(-1)).toEqual([root]);
    expect(rootsWanted()).toBe(2);
    expect(report()).toBeUndefined();
  });

  test('that are no valid nodes end the walk once what is under way has come; those that came with them are kept', () => {
    beginColdStart();
    receive([tree]);
    found();
    receive([newer, invalid]);
    expect(keptHashes().at(-1)).toEqual([hashOf(newer)]);
    expect(report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(report()?.error?.message).toContain(hashOf(invalid));
  });

  test.each([
    ['are absent', () => lack(hashOf(older))],
    ['stay unanswered', () => fail(hashOf(older))],
  ])('are awaited after a failure until they %s', (_, end) => {
    beginColdStart();
    receive([tree]);
    found();
    receive([invalid]);
    expect(report()).toBeUndefined();
    end();
    expect(report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
  });

  test('are awaited after a failure, as long as any are under way, and kept', () => {
    beginColdStart();
    receive([tree]);
    found();
    receive([invalid]);
    expect(walk.getSnapshot().status).toBe('active');
    receive([older]);
    expect(keptHashes().at(-1)).toEqual([hashOf(older)]);
    expect(report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' }, nodesFetched: 3 });
    expect(paramsOf('adoptTree')).toEqual([]);
  });

  test(`beyond ${limits.nodesPerMessage} for each message of the quota end the walk, and the report says how to raise it`, () => {
    beginColdStart({ quota: 1 });
    receive([tree]);
    found();
    receive([newer]);
    expect(report()).toBeUndefined();
    found();
    receive([older, fourth]);
    expect(report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(report()?.error?.message).toContain('murmure follow alice --quota');
  });

  test('the quota that a person has set for this peer counts', () => {
    start({ quota: 100 });
    ready();
    answerRoot(root);
    begun({ quota: 1 });
    found();
    receive([tree]);
    found();
    receive([newer, older]);
    expect(report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
  });
});

describe('nodes in bulk', () => {
  const bulk = { isBulk: true, window: 64 };
  const asks = () =>
    outside.events
      .filter(({ event }) => event.type === 'bulk.wanted')
      .flatMap(({ event }) => event.requests as { wanted: { parent?: Hash; children?: Hash[]; mask: number }[] }[]);
  const receiveInBulk = (values: readonly Uint8Array[], fields: object = {}) =>
    send({
      type: 'nodes.received',
      nodes: values.map((value) => ({ hash: hashOf(value), value, depth: 0 })),
      unserved: [],
      single: [],
      atMs: 4,
      ...cost,
      ...bulk,
      freed: 1,
      ...fields,
    });

  function beginInBulk(totalMessages: number): void {
    start();
    ready(bulk);
    send({ type: 'root.received', root, authenticated: true, atMs: 2, ...cost, ...bulk });
    begun({ totalMessages });
    found();
  }

  test('are asked for as children of their parent, and none by its hash', () => {
    beginInBulk(5);
    expect(asks()).toEqual([{ wanted: [expect.objectContaining({ parent: undefined, children: [root] })], grant: 1 }]);
    receiveInBulk([tree]);
    found();
    expect(asks().at(-1)?.wanted).toEqual([
      { parent: root, children: [hashOf(older), hashOf(newer)], mask: 0b11, depth: 1 },
    ]);
    expect(wanted()).toEqual([]);
  });

  test('of a feed that is new come with their children, before these are known', () => {
    beginInBulk(0);
    const [request] = asks();
    expect(request?.wanted[0]).toMatchObject({ children: [root] });
    expect(request?.wanted.slice(1).every(({ parent, children }) => parent === root && children === undefined)).toBe(
      true,
    );
    expect(request?.wanted.length).toBeGreaterThan(1);
  });

  test('of a feed of which nothing is here are looked up near the root only, and asked for at once below', () => {
    const lookedUpBelow = (depth: number, isNew: boolean) => {
      start();
      asked = [];
      ready(bulk);
      send({ type: 'root.received', root, authenticated: true, atMs: 2, ...cost, ...bulk });
      begun({ isNew });
      found();
      receiveInBulk([tree], { nodes: [{ hash: root, value: tree, depth }] });
      return paramsOf('lookUp').length - 1;
    };
    expect(lookedUpBelow(1, true)).toBe(1);
    expect(lookedUpBelow(2, false)).toBe(1);
    expect(lookedUpBelow(2, true)).toBe(0);
    expect(walk.getSnapshot().context).toMatchObject({ lookUps: [] });
    expect(walk.getSnapshot().value).toBe('fetching');
  });

  test('that are known only in part are asked for but for those that are there', () => {
    beginInBulk(5);
    receiveInBulk([tree]);
    found({ hash: hashOf(newer) });
    expect(asks().at(-1)?.wanted).toMatchObject([{ parent: root, mask: 0b01 }]);
  });

  test('that were not served are asked for again in bulk; those that are not to be had so by their hashes', () => {
    beginInBulk(5);
    receiveInBulk([tree]);
    found();
    const unserved = [{ parent: root, children: [hashOf(older), hashOf(newer)], mask: 0b01, depth: 1 }];
    receiveInBulk([], { unserved, single: [hashOf(newer)], freed: 2 });
    expect(asks().at(-1)?.wanted).toMatchObject([{ parent: root, mask: 0b01 }]);
    expect(wanted()).toEqual([[hashOf(newer)]]);
  });
});

describe('making the tree current', () => {
  function fetchAll(announced?: Hash): void {
    start(announced === undefined ? {} : { announced });
    ready();
    if (announced === undefined) answerRoot(root);
    begun();
    found({ hash: root });
  }

  test('may not withdraw messages for an announced root: the peer is asked whether it is its present one', () => {
    fetchAll(root);
    expect(paramsOf('adoptTree')).toMatchObject([{ mayWithdraw: false }]);
    adopt({ status: 'withdraws' });
    expect(rootsWanted()).toBe(1);
    answerRoot(root);
    begun();
    found({ hash: root });
    expect(paramsOf('adoptTree').at(-1)).toMatchObject({ mayWithdraw: true });
  });

  test('finds a node missing that the store was said to have: it is fetched', () => {
    fetchAll();
    adopt({ status: 'incomplete', missing: hashOf(newer) });
    expect(wanted()).toEqual([[hashOf(newer)]]);
    receive([newer]);
    found({ hash: hashOf(third) }, { hash: hashOf(fourth) });
    expect(paramsOf('adoptTree')).toHaveLength(2);
  });

  test('fails for a feed over the quota: the report says how large it is', () => {
    fetchAll();
    adopt({ status: 'over-quota', leaves: 130, quota: 100 });
    expect(report()?.error?.message).toContain('130 messages, more than the quota of 100');
    expect(report()?.error?.message).toContain('--quota 260');
  });

  test('fails with what the store says', () => {
    fetchAll();
    const full = { code: 'unexpected', message: 'the disk is full' } as const;
    send({ type: 'adoption.failed', failure: full });
    expect(report()).toMatchObject({ status: 'failed', error: full, newMessages: 0 });
  });
});

test('a store that fails ends the walk, though a look-up was not answered', () => {
  start();
  ready();
  answerRoot(root);
  begun();
  const broken = { code: 'unexpected', message: 'the disk is gone' } as const;
  send({ type: 'store.failed', failure: broken });
  expect(report()).toMatchObject({ status: 'failed', error: broken });
});

test('progress is told to the peer, at most every 100 ms', () => {
  const progress = () => outside.events.filter(({ event }) => event.type === 'sync.progressed');
  beginColdStart();
  expect(progress()).toHaveLength(1);
  expect(progress()[0]?.event).toMatchObject({ peer: 'alice', nodesFetched: 0, nodesWanted: 1 });
  receive([tree], 50);
  found();
  expect(progress()).toHaveLength(1);
  receive([newer], 103);
  found();
  expect(progress()[1]?.event).toMatchObject({ nodesFetched: 2 });
});
