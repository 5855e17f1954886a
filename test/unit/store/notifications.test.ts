/** Replies and mentions, and how far the person has seen them. */
import { beforeEach, describe, expect, test } from 'vitest';
import { notificationKind, notifications } from '../../../src/store/notifications.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { fetchTree, messageNode, NOON, NOON_MS, treeOf } from './support.ts';

let store: Store;
beforeEach(() => {
  store = openSqliteStore(':memory:');
});

const query = { ownName: 'me', nowMs: NOON_MS };
const post = (body: string) => store.publish('me', { date: NOON, inReplyTo: null, body }, NOON_MS).hash;
const listed = () => notifications(store, query).map(({ message, kind, isNew }) => [message.body, kind, isNew]);
const notice = (hash: string) => ({ kind: 'notice' as const, subject: hash, untilMs: undefined });

describe('notifications', () => {
  test('are replies to own messages, and mentions, of anybody who is stored; each once', () => {
    const own = post('a question for @me');
    fetchTree(
      store,
      'bob',
      treeOf([
        messageNode('an answer', NOON, own),
        messageNode('an answer for @me', NOON, own),
        messageNode('hello @Me', NOON),
        messageNode('hello @merlin', NOON),
        messageNode('a reply to somebody else', NOON, messageNode('x').hash),
      ]),
    );
    expect(listed()).toEqual([
      ['an answer', 'reply', true],
      ['an answer for @me', 'reply', true],
      ['hello @Me', 'mention', true],
    ]);
  });

  test('are seen on their own, whatever was read', () => {
    fetchTree(store, 'bob', treeOf([messageNode('one @me'), messageNode('two @me')]));
    const [first] = notifications(store, query);
    store.markRead([first?.message.hash ?? '']);
    expect(listed().map(([, , isNew]) => isNew)).toEqual([true, true]);
    expect(store.setMarks([notice(first?.message.hash ?? '')])).toBe(1);
    expect(listed().map(([, , isNew]) => isNew)).toEqual([false, true]);
  });

  test('are not those of muted peers, words and conversations, unless they are asked for', () => {
    const own = post('a question');
    fetchTree(store, 'bob', treeOf([messageNode('football, @me'), messageNode('an answer', NOON, own)]));
    fetchTree(store, 'carol', treeOf([messageNode('hello @me')]));
    store.setMuted('carol', true, NOON_MS);
    store.setMarks([
      { kind: 'word', subject: 'football', untilMs: undefined },
      { kind: 'conversation', subject: own, untilMs: undefined },
    ]);
    expect(listed()).toEqual([]);
    expect(notifications(store, { ...query, withMuted: true })).toHaveLength(3);
  });

  test('are not those of whoever is blocked, nor when muted ones are asked for', () => {
    const own = post('a question');
    fetchTree(store, 'bob', treeOf([messageNode('hello @me'), messageNode('an answer', NOON, own)]));
    const [message] = store.messages({ authors: ['bob'] });
    store.setBlocked('bob', true, NOON_MS);
    expect(notifications(store, { ...query, withMuted: true })).toEqual([]);
    expect(message && notificationKind(message, store, query)).toBeUndefined();
    store.setBlocked('bob', false, NOON_MS);
    expect(listed()).toHaveLength(2);
  });

  test('of a name without letters are found as well', () => {
    fetchTree(store, 'bob', treeOf([messageNode('for @★ alone')]));
    expect(notifications(store, { ...query, ownName: '★' })).toHaveLength(1);
  });

  test('go when they are withdrawn, and so do replies when what they answer is', () => {
    const own = post('a question');
    const [answer, mention] = [messageNode('an answer', NOON, own), messageNode('hello @me')];
    fetchTree(store, 'bob', treeOf([answer, mention]));
    expect(listed()).toHaveLength(2);
    store.withdraw('me', own, NOON_MS);
    expect(listed()).toEqual([['hello @me', 'mention', true]]);
    fetchTree(store, 'bob', treeOf([answer]));
    expect(listed()).toEqual([]);
  });

  test('of the most that are listed, the newest are', () => {
    fetchTree(store, 'bob', treeOf(Array.from({ length: 300 }, (_, i) => messageNode(`${i} @me`, NOON - 300 + i))));
    const bodies = listed().map(([body]) => body);
    expect(bodies).toHaveLength(200);
    expect(bodies.at(-1)).toBe('299 @me');
  });
});

test('what arrives is told of for the same reasons', () => {
  const own = post('a question');
  fetchTree(store, 'bob', treeOf([messageNode('an answer', NOON, own), messageNode('@me!'), messageNode('nothing')]));
  const kinds = store.messages({ authors: ['bob'] }).map((message) => notificationKind(message, store, query));
  expect(kinds.sort()).toEqual(['mention', 'reply', undefined]);
  const [mine] = store.messages({ authors: ['me'] });
  expect(notificationKind(mine as never, store, query)).toBeUndefined();
});

test('of notifications that were seen, the newest 4,096 are remembered', () => {
  const hashes = Array.from({ length: 4_100 }, (_, i) => i.toString(16).padStart(64, '0'));
  store.setMarks(hashes.map(notice));
  expect(store.marks('notice')).toHaveLength(4_096);
  expect(store.markedAmong('notice', hashes.slice(0, 5))).toEqual(new Set(hashes.slice(4, 5)));
});
