/** Protocol §2, §9: what peer, session and store see of one download of a tree. */
import { describe, expect, test } from 'vitest';
import { EMPTY_ROOT, type Hash, hashOf } from '../../src/wire/hash.ts';
import { adopted, coldWalk, fourth, laterRoot, newer, root, SeenWalk, silence, third, tree } from './seen-walk.ts';

describe('the root', () => {
  test('is asked for once there is a session, and compared with the one that is current', () => {
    const walk = new SeenWalk();
    expect(walk.outside.last('session.wanted')).toMatchObject({ name: 'alice' });
    expect(walk.rootsWanted()).toBe(0);
    walk.ready();
    expect(walk.rootsWanted()).toBe(1);
    expect(walk.asked).toEqual([]);
    walk.answerRoot(root);
    expect(walk.paramsOf('beginWalk')).toEqual([{ name: 'alice', root, authenticated: true, quota: 100 }]);
  });

  test('that was announced is not asked for', () => {
    const walk = new SeenWalk({ announced: root });
    walk.ready();
    expect(walk.rootsWanted()).toBe(0);
    expect(walk.paramsOf('beginWalk')).toEqual([{ name: 'alice', root, authenticated: true, quota: 100 }]);
  });

  test('that was announced and left behind long ago may be a replay: the peer is asked for its present one', () => {
    const walk = new SeenWalk({ announced: root });
    walk.ready();
    walk.begun({ isSuperseded: true });
    expect(walk.rootsWanted()).toBe(1);
    walk.answerRoot(laterRoot);
    expect(walk.paramsOf('beginWalk').at(-1)).toMatchObject({ root: laterRoot });
  });

  test('that the peer gives for its present one counts, though it was left behind', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.answerRoot(root);
    walk.begun({ isSuperseded: true });
    expect(walk.rootsWanted()).toBe(1);
    expect(walk.paramsOf('lookUp')).toEqual([{ hashes: [root] }]);
  });

  test('that is current already costs nothing more', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.answerRoot(root);
    walk.begun({ isCurrent: true, totalMessages: 4 });
    expect(walk.report()).toMatchObject({
      status: 'unchanged',
      root,
      totalMessages: 4,
      newMessages: 0,
      nodesFetched: 0,
    });
    expect(walk.asked.map(({ effect }) => effect)).toEqual(['beginWalk']);
    expect(walk.wanted()).toEqual([]);
  });

  test('of nothing is adopted without asking for a node', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.answerRoot(EMPTY_ROOT);
    walk.begun({ totalMessages: 4 });
    expect(walk.wanted()).toEqual([]);
    expect(walk.paramsOf('adoptTree')).toMatchObject([{ root: EMPTY_ROOT, mayWithdraw: true }]);
    walk.adopt({ ...adopted, newMessages: 0, withdrawnMessages: 4, totalMessages: 0 });
    expect(walk.report()).toMatchObject({ status: 'updated', withdrawnMessages: 4, totalMessages: 0 });
  });

  test('that does not come is asked for once more; then the walk ends with what the session said', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.failRoot();
    expect(walk.rootsWanted()).toBe(2);
    walk.failRoot();
    walk.failRoot();
    expect(walk.report()).toMatchObject({ status: 'failed', root: null, error: silence });
  });

  test('is not asked for again once the session is over', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.failRoot(true);
    expect(walk.rootsWanted()).toBe(1);
    expect(walk.report()).toMatchObject({ status: 'failed', error: silence });
  });

  test('cannot be asked for without a session: the report says why there is none, and what the attempt cost', () => {
    const walk = new SeenWalk();
    walk.send({ type: 'session.failed', failure: silence, sent: 4, repeated: 3 });
    expect(walk.report()).toMatchObject({ status: 'failed', error: silence, datagramsSent: 4, retransmissions: 3 });
  });
});

describe('making the tree current', () => {
  function fetchAll(announced?: Hash): SeenWalk {
    const walk = new SeenWalk(announced === undefined ? {} : { announced });
    walk.ready();
    if (announced === undefined) walk.answerRoot(root);
    walk.begun();
    walk.found({ hash: root });
    return walk;
  }

  test('may not withdraw messages for an announced root: the peer is asked whether it is its present one', () => {
    const walk = fetchAll(root);
    expect(walk.paramsOf('adoptTree')).toMatchObject([{ mayWithdraw: false }]);
    walk.adopt({ status: 'withdraws' });
    expect(walk.rootsWanted()).toBe(1);
    walk.answerRoot(root);
    walk.begun();
    walk.found({ hash: root });
    expect(walk.paramsOf('adoptTree').at(-1)).toMatchObject({ mayWithdraw: true });
  });

  test('finds a node missing that the store was said to have: it is fetched', () => {
    const walk = fetchAll();
    walk.adopt({ status: 'incomplete', missing: hashOf(newer) });
    expect(walk.wanted()).toEqual([[hashOf(newer)]]);
    walk.receive([newer]);
    walk.found({ hash: hashOf(third) }, { hash: hashOf(fourth) });
    expect(walk.paramsOf('adoptTree')).toHaveLength(2);
  });

  test('fails for a feed over the quota: the report says how large it is', () => {
    const walk = fetchAll();
    walk.adopt({ status: 'over-quota', leaves: 130, quota: 100 });
    expect(walk.report()?.error?.message).toContain('130 messages, more than the quota of 100');
    expect(walk.report()?.error?.message).toContain('--quota 260');
  });

  test('fails with what the store says', () => {
    const walk = fetchAll();
    const full = { code: 'unexpected', message: 'the disk is full' } as const;
    walk.send({ type: 'adoption.failed', failure: full });
    expect(walk.report()).toMatchObject({ status: 'failed', error: full, newMessages: 0 });
  });
});

test('a store that fails ends the walk, though a look-up was not answered', () => {
  const walk = new SeenWalk();
  walk.ready();
  walk.answerRoot(root);
  walk.begun();
  const broken = { code: 'unexpected', message: 'the disk is gone' } as const;
  walk.send({ type: 'store.failed', failure: broken });
  expect(walk.report()).toMatchObject({ status: 'failed', error: broken });
});

test('progress is told to the peer, at most every 100 ms', () => {
  const walk = coldWalk();
  const progress = () => walk.outside.events.filter(({ event }) => event.type === 'sync.progressed');
  expect(progress()).toHaveLength(1);
  expect(progress()[0]?.event).toMatchObject({ peer: 'alice', nodesFetched: 0, nodesWanted: 1 });
  walk.receive([tree], 50);
  walk.found();
  expect(progress()).toHaveLength(1);
  walk.receive([newer], 103);
  walk.found();
  expect(progress()[1]?.event).toMatchObject({ nodesFetched: 2 });
});
