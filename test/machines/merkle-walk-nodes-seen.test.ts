/** Protocol §2, §9: which nodes of a tree a walk asks for, and what becomes of those that come, or do not. */
import { describe, expect, test } from 'vitest';
import { limits } from '../../machines/timing.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeInternal } from '../../src/wire/node.ts';
import {
  adopted,
  coldWalk,
  first,
  fourth,
  laterRoot,
  laterTree,
  newer,
  older,
  root,
  SeenWalk,
  second,
  silence,
  third,
  tree,
} from './seen-walk.ts';

const invalid = encodeInternal([root, root]).slice(0, 40);

describe('nodes', () => {
  test('are looked up first, and only those that the store lacks are asked for', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.answerRoot(root);
    walk.begun();
    expect(walk.wanted()).toEqual([]);
    walk.found();
    expect(walk.wanted()).toEqual([[root]]);
    walk.receive([tree]);
    expect(walk.paramsOf('lookUp').at(-1)).toEqual({ hashes: [hashOf(older), hashOf(newer)] });
    walk.found({ hash: hashOf(older) });
    expect(walk.wanted()).toEqual([[root], [hashOf(newer)]]);
  });

  test('that the store has in part lead on without being asked for', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.answerRoot(root);
    walk.begun();
    walk.found({ hash: root, value: tree });
    expect(walk.wanted()).toEqual([]);
    expect(walk.paramsOf('lookUp').at(-1)).toEqual({ hashes: [hashOf(older), hashOf(newer)] });
    walk.found({ hash: hashOf(newer) });
    expect(walk.wanted()).toEqual([[hashOf(older)]]);
  });

  test('are asked for newest first, no more at once than the window', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    expect(walk.wanted().at(-1)).toEqual([hashOf(newer), hashOf(older)]);
    walk.receive([newer]);
    walk.found();
    expect(walk.wanted().at(-1)).toEqual([hashOf(fourth)]);
  });

  test('of a feed that is new are asked for from the oldest on, once the newest message is there', () => {
    const walk = new SeenWalk();
    walk.ready();
    walk.answerRoot(root);
    walk.begun({ isNew: true });
    walk.found();
    walk.receive([tree]);
    walk.found();
    walk.receive([newer]);
    walk.found();
    walk.receive([fourth]);
    walk.receive([older]);
    walk.found();
    expect(walk.wanted()).toEqual([
      [root],
      [newer, older].map(hashOf),
      [hashOf(fourth)],
      [hashOf(third)],
      [hashOf(first)],
    ]);
  });

  test('wait for all look-ups that are open: what comes of those may be newer', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.receive([older]);
    walk.receive([newer]);
    const before = walk.wanted().length;
    walk.found();
    expect(walk.wanted()).toHaveLength(before);
    walk.found();
    expect(walk.wanted().at(-1)).toEqual([hashOf(fourth), hashOf(third)]);
  });

  test('are asked for once, wherever they stand in the tree', () => {
    const twice = encodeInternal([hashOf(first), hashOf(first)]);
    const walk = new SeenWalk();
    walk.ready();
    walk.answerRoot(hashOf(twice));
    walk.begun();
    walk.found();
    walk.receive([twice]);
    expect(walk.paramsOf('lookUp').at(-1)).toEqual({ hashes: [hashOf(first)] });
    walk.found();
    expect(walk.wanted()).toEqual([[hashOf(twice)], [hashOf(first)]]);
  });

  test('are kept as they come, and the tree is made current when all are there, not before', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.receive([newer]);
    walk.found();
    walk.receive([older]);
    walk.found();
    walk.receive([fourth, third]);
    walk.receive([second]);
    expect(walk.paramsOf('adoptTree')).toEqual([]);
    walk.receive([first]);
    expect(walk.keptHashes().flat()).toEqual([tree, newer, older, fourth, third, second, first].map(hashOf));
    expect(walk.paramsOf('adoptTree')).toEqual([
      { name: 'alice', root, authenticated: true, quota: 100, mayWithdraw: true },
    ]);
    expect(walk.actor.getSnapshot().status).toBe('active');
    walk.adopt(adopted);
    expect(walk.report()).toMatchObject({ status: 'updated', root, newMessages: 4, totalMessages: 4, nodesFetched: 7 });
    expect(walk.report()?.bytesFetched).toBe(
      [tree, newer, older, fourth, third, second, first].reduce((sum, { length }) => sum + length, 0),
    );
  });

  test('that stay unanswered are asked for again as long as others are answered', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.fail(hashOf(newer), { ticket: 1 });
    walk.fail(hashOf(older), { ticket: 0 });
    expect(
      walk
        .wanted()
        .flat()
        .filter((hash) => hash === hashOf(newer)),
    ).toHaveLength(2);
    expect(walk.report()).toBeUndefined();
  });

  test(`that stay unanswered one after the other end the walk: ${limits.stalledRequests} in a row may`, () => {
    const walk = coldWalk();
    for (let i = 0; i < limits.stalledRequests; i++) {
      walk.fail(root);
      expect(walk.report()).toBeUndefined();
    }
    walk.fail(root);
    expect(walk.wanted()).toHaveLength(1 + limits.stalledRequests);
    expect(walk.report()).toMatchObject({ status: 'failed', error: silence });
  });

  test('that stay unanswered as the session ends are not asked for again', () => {
    const walk = coldWalk();
    walk.fail(root, { isFinal: true });
    expect(walk.wanted()).toEqual([[root]]);
    expect(walk.report()).toMatchObject({ status: 'failed', error: silence });
  });

  test('that the peer does not have: its tree may have changed, so it is asked for the root again', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.lack(hashOf(newer));
    expect(walk.rootsWanted()).toBe(2);
    walk.answerRoot(laterRoot);
    expect(walk.paramsOf('beginWalk').at(-1)).toMatchObject({ root: laterRoot });
    expect(walk.report()).toBeUndefined();
  });

  test('that the peer does not have, and none that it has since it named the root: the walk ends', () => {
    const walk = coldWalk();
    walk.lack(root);
    expect(walk.rootsWanted()).toBe(1);
    expect(walk.report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(walk.report()?.error?.message).toContain(root);
  });

  test('of a former tree, which come after the walk has turned to a newer one, are kept and lead nowhere', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.lack(hashOf(newer));
    walk.answerRoot(laterRoot);
    walk.begun();
    walk.found();
    const lookedUp = walk.paramsOf('lookUp').length;
    walk.receive([older]);
    expect(walk.keptHashes().at(-1)).toEqual([hashOf(older)]);
    expect(walk.paramsOf('lookUp')).toHaveLength(lookedUp);
  });

  test.each([
    ['are absent', (walk: SeenWalk) => walk.lack(hashOf(older))],
    ['stay unanswered', (walk: SeenWalk) => walk.fail(hashOf(older))],
    ['stay unanswered as a session ends', (walk: SeenWalk) => walk.fail(hashOf(older), { isFinal: true })],
  ])('of a former tree that %s do not end the walk: it goes on with what it needs', (_, end) => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.lack(hashOf(newer));
    walk.answerRoot(laterRoot);
    walk.begun();
    walk.found();
    walk.receive([laterTree]);
    walk.found({ hash: hashOf(first) });
    end(walk);
    expect(walk.wanted().at(-1)).toEqual([root]);
    expect(walk.rootsWanted()).toBe(2);
    expect(walk.report()).toBeUndefined();
  });

  test('that are no valid nodes end the walk once what is under way has come; those that came with them are kept', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.receive([newer, invalid]);
    expect(walk.keptHashes().at(-1)).toEqual([hashOf(newer)]);
    expect(walk.report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(walk.report()?.error?.message).toContain(hashOf(invalid));
  });

  test.each([
    ['are absent', (walk: SeenWalk) => walk.lack(hashOf(older))],
    ['stay unanswered', (walk: SeenWalk) => walk.fail(hashOf(older))],
  ])('are awaited after a failure until they %s', (_, end) => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.receive([invalid]);
    expect(walk.report()).toBeUndefined();
    end(walk);
    expect(walk.report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
  });

  test('are awaited after a failure, as long as any are under way, and kept', () => {
    const walk = coldWalk();
    walk.receive([tree]);
    walk.found();
    walk.receive([invalid]);
    expect(walk.actor.getSnapshot().status).toBe('active');
    walk.receive([older]);
    expect(walk.keptHashes().at(-1)).toEqual([hashOf(older)]);
    expect(walk.report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' }, nodesFetched: 3 });
    expect(walk.paramsOf('adoptTree')).toEqual([]);
  });

  test(`beyond ${limits.nodesPerMessage} for each message of the quota end the walk, and the report says how to raise it`, () => {
    const walk = coldWalk({ quota: 1 });
    walk.receive([tree]);
    walk.found();
    walk.receive([newer]);
    expect(walk.report()).toBeUndefined();
    walk.found();
    walk.receive([older, fourth]);
    expect(walk.report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
    expect(walk.report()?.error?.message).toContain('murmure follow alice --quota');
  });

  test('the quota that a person has set for this peer counts', () => {
    const walk = new SeenWalk({ quota: 100 });
    walk.ready();
    walk.answerRoot(root);
    walk.begun({ quota: 1 });
    walk.found();
    walk.receive([tree]);
    walk.found();
    walk.receive([newer, older]);
    expect(walk.report()).toMatchObject({ status: 'failed', error: { code: 'invalid-data' } });
  });
});
