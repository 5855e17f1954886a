/** What a store promises of peers, and of the timeline with their messages. */
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../../src/wire/hash.ts';
import { kinds } from './kinds.ts';
import { bodies, fetchTree, messageNode, NOON, NOON_MS, treeOf, treeOfBodies } from './support.ts';

const KEY = 'A'.repeat(86);
const OTHER_KEY = 'B'.repeat(86);

describe.each(kinds)('a store: $kind', ({ openInMemory }) => {
  describe('peers', () => {
    test('the first key seen is pinned; another one is a change, and does not replace it (protocol §7)', () => {
      const store = openInMemory();
      expect(store.pinKey('alice', KEY, NOON_MS)).toBe('pinned');
      expect(store.pinKey('alice', KEY, NOON_MS)).toBe('same');
      expect(store.pinKey('alice', OTHER_KEY, NOON_MS)).toBe('changed');
      expect(store.peer('alice')?.key).toBe(KEY);
    });

    test('are followed and muted, until they are not', () => {
      const store = openInMemory();
      store.setFollowing('alice', true, NOON_MS);
      store.setMuted('bob', true, NOON_MS);
      expect(store.peers().map(({ name, following, muted }) => [name, following, muted])).toEqual([
        ['alice', true, false],
        ['bob', false, true],
      ]);
      store.setFollowing('alice', false, NOON_MS);
      store.setMuted('bob', false, NOON_MS);
      expect(store.peers().some(({ following, muted }) => following || muted)).toBe(false);
    });

    test('are remembered with when they were first seen; nobody else is known', () => {
      const store = openInMemory();
      store.setFollowing('alice', true, NOON_MS);
      store.setFollowing('alice', true, NOON_MS + 9);
      expect(store.peer('alice')).toMatchObject({
        firstSeenMs: NOON_MS,
        lastSyncMs: undefined,
        root: undefined,
        messages: 0,
      });
      expect(store.peer('nobody')).toBeUndefined();
      expect(store.currentRoot('nobody')).toBeUndefined();
    });

    test.each(['__proto__', "o'hara; DROP TABLE peers", 'Özge 🎶', '%'])('may be called %s', (name) => {
      const store = openInMemory();
      fetchTree(store, name, treeOfBodies('a'));
      expect(store.peers().map((peer) => peer.name)).toEqual([name]);
      expect(bodies(store, name)).toEqual(['a']);
    });
  });

  describe('the timeline (protocol §2)', () => {
    test('is ordered by the smaller of claimed date and first seen, then by arrival', () => {
      const store = openInMemory();
      const leaves = [
        messageNode('future', NOON + 10_000),
        messageNode('old', NOON - 50),
        messageNode('twin', NOON - 50),
      ];
      fetchTree(store, 'alice', treeOf(leaves));
      fetchTree(store, 'bob', treeOf([messageNode('later', NOON + 5)]), { nowMs: NOON_MS + 6_000 });
      expect(bodies(store)).toEqual(['old', 'twin', 'future', 'later']);
    });

    test('sorts an undated message by when it was first seen (one known peer writes four ASCII digits)', () => {
      const store = openInMemory();
      const leaves = [messageNode('undated', 0x32303233), messageNode('old', NOON - 50)];
      fetchTree(store, 'alice', treeOf(leaves));
      fetchTree(store, 'bob', treeOf([messageNode('later', NOON + 5)]), { nowMs: NOON_MS + 6_000 });
      expect(bodies(store)).toEqual(['old', 'undated', 'later']);
    });

    test('gives the newest, at most so many, 50 by default, before an instant', () => {
      const store = openInMemory();
      const leaves = Array.from({ length: 60 }, (_, i) => messageNode(`${i}`, NOON - 60 + i));
      fetchTree(store, 'alice', treeOf(leaves));
      expect(store.messages()).toHaveLength(50);
      expect(store.messages({ limit: 2 }).map(({ body }) => body)).toEqual(['58', '59']);
      const beforeMs = NOON_MS - 58_000;
      expect(store.messages({ beforeMs }).map(({ body }) => body)).toEqual(['0', '1']);
    });

    test('of some authors has theirs only, in one order', () => {
      const store = openInMemory();
      fetchTree(store, 'alice', treeOf([messageNode('1', NOON - 9), messageNode('3', NOON - 7)]));
      fetchTree(store, 'bob', treeOf([messageNode('2', NOON - 8)]));
      fetchTree(store, 'carol', treeOf([messageNode('x', NOON - 8)]));
      const authors = ['bob', 'alice', 'bob', 'nobody'];
      expect(store.messages({ authors }).map(({ body }) => body)).toEqual(['1', '2', '3']);
      expect(store.messages({ authors, limit: 2 }).map(({ body }) => body)).toEqual(['2', '3']);
      expect(store.messages({ authors: [] })).toEqual([]);
    });

    test('read marks stay', () => {
      const store = openInMemory();
      const tree = treeOfBodies('a', 'b');
      fetchTree(store, 'alice', tree);
      store.markRead([tree.nodes[0]?.hash ?? '', hashOf(Uint8Array.of(1))]);
      fetchTree(store, 'alice', treeOfBodies('a', 'b', 'c'));
      expect(store.messages().map(({ body, read }) => [body, read])).toEqual([
        ['a', true],
        ['b', false],
        ['c', false],
      ]);
    });

    test('a message is found by the start of its hash', () => {
      const store = openInMemory();
      const leaves = Array.from({ length: 40 }, (_, i) => messageNode(`${i}`));
      fetchTree(store, 'alice', treeOf(leaves));
      fetchTree(store, 'bob', treeOf(leaves.slice(0, 5)));
      const hashes = leaves.map(({ hash }) => hash).sort();
      for (const prefix of ['', '0', 'a', hashes[0]?.slice(0, 7) ?? '', hashes[39] ?? '', 'ffffffff']) {
        const expected = hashes.filter((hash) => hash.startsWith(prefix));
        expect(store.messagesStartingWith(prefix, 100).map(({ hash }) => hash)).toEqual(expected);
        expect(store.messagesStartingWith(prefix, 2)).toHaveLength(Math.min(2, expected.length));
      }
    });
  });
});
