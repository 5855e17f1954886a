/** What a store promises of the own messages: published, withdrawn, restored. */
import { describe, expect, test } from 'vitest';
import { TOMBSTONE } from '../../../src/merkle/withdraw.ts';
import type { Store } from '../../../src/store/store.ts';
import { OwnTreeExistsError } from '../../../src/store/store-errors.ts';
import { EMPTY_ROOT, hashOf, ZERO_HASH } from '../../../src/wire/hash.ts';
import { MessageTooLongError } from '../../../src/wire/node.ts';
import { kinds } from './kinds.ts';
import { bodies, fetchTree, messageNode, NOON, NOON_MS, node, treeOf, treeOfBodies } from './support.ts';

describe.each(kinds)('a store: $kind', ({ openInMemory }) => {
  describe('own messages', () => {
    test('a home without messages has the root of nothing', () => {
      expect(openInMemory().ownFeed()).toEqual({ root: EMPTY_ROOT, messages: 0 });
    });

    test('publishing gives the canonical tree of all messages, at every step', () => {
      const store = openInMemory();
      const leaves = [];
      for (let i = 0; i < 70; i++) {
        leaves.push(messageNode(`${i}`, NOON + i));
        const { hash, root } = store.publish('me', { date: NOON + i, inReplyTo: null, body: `${i}` }, NOON_MS);
        expect(hash).toBe(leaves.at(-1)?.hash);
        const tree = treeOf(leaves);
        expect(root).toBe(tree.root);
        for (const { hash: needed } of tree.nodes) expect(store.getNode(needed)).toBeDefined();
      }
      expect(store.ownFeed().messages).toBe(70);
      expect(bodies(store, 'me')).toEqual(leaves.map((_, i) => `${i}`));
    });

    test('the same message twice stands in the tree twice, and in the timeline once', () => {
      const store = openInMemory();
      const draft = { date: NOON, inReplyTo: null, body: 'again' };
      store.publish('me', draft, NOON_MS);
      store.publish('me', draft, NOON_MS);
      expect(store.ownFeed().messages).toBe(2);
      expect(bodies(store)).toEqual(['again']);
      expect(store.countMessages()).toBe(1);
    });

    test('are read, authenticated, and received when published', () => {
      const store = openInMemory();
      const { hash } = store.publish('me', { date: NOON, inReplyTo: ZERO_HASH, body: 'é🎶' }, NOON_MS + 5);
      expect(store.message(hash)).toEqual({
        hash,
        author: 'me',
        date: NOON,
        inReplyTo: null,
        body: 'é🎶',
        receivedAtMs: NOON_MS + 5,
        authenticated: true,
        read: true,
      });
    });

    test('are given by their hashes, many at once, in the order of the hashes; what is not there is left out', () => {
      const store = openInMemory();
      const publish = (i: number) => store.publish('me', { date: NOON, inReplyTo: null, body: `${i}` }, NOON_MS).hash;
      const hashes = Array.from({ length: 70 }, (_, i) => publish(i)).toReversed();
      const found = store.messagesWith([...hashes.slice(0, 40), ZERO_HASH, ...hashes.slice(40)]);
      expect(found).toEqual(hashes.map((hash) => store.message(hash)));
    });

    test('985 bytes of UTF-8 are published, one more is refused and changes nothing', () => {
      const store = openInMemory();
      const fits = 'é'.repeat(492).padEnd(493, 'x');
      const { root } = store.publish('me', { date: NOON, inReplyTo: null, body: fits }, NOON_MS);
      const tooLong = { date: NOON, inReplyTo: null, body: `${fits}x` };
      expect(() => store.publish('me', tooLong, NOON_MS)).toThrow(MessageTooLongError);
      expect(store.ownFeed()).toEqual({ root, messages: 1 });
    });
  });

  describe('withdrawing', () => {
    const publishAll = (store: Store, bodies: readonly string[]) =>
      bodies.map((body) => store.publish('me', { date: NOON, inReplyTo: null, body }, NOON_MS).hash);

    test('leaves every other message in its place, and a leaf of no known type in this one’s', () => {
      const store = openInMemory();
      const texts = Array.from({ length: 40 }, (_, i) => `${i}`);
      const hashes = publishAll(store, texts);
      const withdrawn = store.withdraw('me', hashes[5] ?? '', NOON_MS);
      const leaves = texts.map((text, i) => (i === 5 ? node(TOMBSTONE) : messageNode(text)));
      expect(withdrawn).toEqual({ root: treeOf(leaves).root });
      expect(store.ownFeed()).toEqual({ root: withdrawn?.root, messages: 40 });
      expect(store.currentRoot('me')).toBe(withdrawn?.root);
      expect(store.ownLeaves()).toEqual(leaves.map(({ value }) => value));
      expect(store.message(hashes[5] ?? '')).toBeUndefined();
      expect(bodies(store)).toEqual(texts.toSpliced(5, 1));
      expect(store.peer('me')?.messages).toBe(39);
      // Gone at once: nobody who asks for it may get it.
      expect(store.getNode(hashes[5] ?? '')).toBeUndefined();
    });

    test('what others see: one message less, the others as they were, and later ones as ever', () => {
      const [store, reader] = [openInMemory(), openInMemory()];
      const copy = () => {
        const { root } = store.ownFeed();
        const nodes = treeOf(store.ownLeaves().map(node)).nodes;
        return fetchTree(reader, 'me', { root, nodes });
      };
      const [, second, third] = publishAll(store, ['a', 'b', 'c']);
      copy();
      store.withdraw('me', second ?? '', NOON_MS);
      expect(copy()).toMatchObject({ newMessages: 0, withdrawnMessages: 1, totalMessages: 2 });
      store.withdraw('me', third ?? '', NOON_MS);
      publishAll(store, ['d', 'b']);
      expect(copy()).toMatchObject({ newMessages: 2, withdrawnMessages: 1, totalMessages: 3 });
      expect(bodies(reader).sort()).toEqual(['a', 'b', 'd']);
    });

    test('a message that stands in several places goes from all of them', () => {
      const store = openInMemory();
      const [twice] = publishAll(store, ['twice', 'once', 'twice']);
      store.withdraw('me', twice ?? '', NOON_MS);
      expect(bodies(store)).toEqual(['once']);
      expect(store.ownFeed().messages).toBe(3);
      expect(store.getNode(twice ?? '')).toBeUndefined();
    });

    test('what is not in the own tree, withdrawn already included, is left alone', () => {
      const store = openInMemory();
      const [own] = publishAll(store, ['own']);
      const theirs = messageNode('theirs');
      fetchTree(store, 'alice', treeOf([theirs]));
      const before = store.ownFeed();
      expect(store.withdraw('me', theirs.hash, NOON_MS)).toBeUndefined();
      expect(store.ownFeed()).toEqual(before);
      store.withdraw('me', own ?? '', NOON_MS);
      expect(store.withdraw('me', own ?? '', NOON_MS)).toBeUndefined();
      expect(store.withdraw('me', hashOf(TOMBSTONE), NOON_MS)).toBeUndefined();
    });

    test('a message that another feed has as well stays there', () => {
      const store = openInMemory();
      const [hash] = publishAll(store, ['shared']);
      fetchTree(store, 'alice', treeOfBodies('shared'));
      store.withdraw('me', hash ?? '', NOON_MS);
      expect(bodies(store, 'me')).toEqual([]);
      expect(bodies(store, 'alice')).toEqual(['shared']);
      expect(store.getNode(hash ?? '')).toBeDefined();
    });
  });

  describe('a backup', () => {
    test('restores the own tree as it was, withdrawn messages too, and it can be added to', () => {
      const [old, fresh] = [openInMemory(), openInMemory()];
      for (const body of ['a', 'b', 'c', 'b']) old.publish('me', { date: NOON, inReplyTo: null, body }, NOON_MS);
      old.withdraw('me', old.messages()[0]?.hash ?? '', NOON_MS);
      expect(fresh.restore('me', old.ownLeaves(), NOON_MS)).toEqual({ root: old.ownFeed().root });
      expect(fresh.ownFeed()).toEqual(old.ownFeed());
      expect(fresh.messages()).toEqual(old.messages());
      expect(fresh.peer('me')).toEqual(old.peer('me'));
      const draft = { date: NOON, inReplyTo: null, body: 'd' };
      expect(fresh.publish('me', draft, NOON_MS)).toEqual(old.publish('me', draft, NOON_MS));
      expect(fresh.search({ text: 'b' })).toHaveLength(1);
    });

    test('is not restored where there are own messages', () => {
      const store = openInMemory();
      const { root } = store.publish('me', { date: NOON, inReplyTo: null, body: 'a' }, NOON_MS);
      expect(() => store.restore('me', [messageNode('b').value], NOON_MS)).toThrow(OwnTreeExistsError);
      expect(store.ownFeed().root).toBe(root);
    });

    test('of no messages is none', () => {
      const store = openInMemory();
      expect(store.ownLeaves()).toEqual([]);
      expect(store.restore('me', [], NOON_MS)).toEqual({ root: EMPTY_ROOT });
    });
  });

  describe('what a copy of this home has published', () => {
    const draft = (body: string) => ({ date: NOON, inReplyTo: null, body });
    /** Two homes with the same three messages, and of the other one whatever else it does. */
    function copied(diverge: (other: Store) => void) {
      const [store, other] = [openInMemory(), openInMemory()];
      for (const body of ['one', 'two', 'three']) store.publish('me', draft(body), NOON_MS);
      other.restore('me', store.ownLeaves(), NOON_MS);
      diverge(other);
      return { store, other };
    }
    function merge(store: Store, other: Store) {
      const { root } = other.ownFeed();
      store.beginWalk('me', root, NOON_MS);
      store.putNodes(treeOf(other.ownLeaves().map(node)).nodes);
      const merged = store.merge('me', root, { nowMs: NOON_MS, quota: 1_000 });
      store.endWalk('me');
      return merged;
    }

    test('is added to what this one has, and the result is a tree like any other', () => {
      const { store, other } = copied((there) => there.publish('me', draft('there'), NOON_MS));
      store.publish('me', draft('here'), NOON_MS);
      const merged = merge(store, other);
      expect(merged).toMatchObject({ status: 'merged', withdrawnMessages: 0, totalMessages: 5 });
      expect(bodies(store, 'me').toSorted()).toEqual(['here', 'one', 'there', 'three', 'two']);
      expect(store.ownFeed()).toEqual({ root: treeOf(store.ownLeaves().map(node)).root, messages: 5 });
      store.publish('me', draft('next'), NOON_MS);
      expect(store.ownFeed().root).toBe(treeOf(store.ownLeaves().map(node)).root);
      // Readers may have any of these.
      const former = store.formerOwnFeeds().map(({ root }) => root);
      expect(former).toContain(other.ownFeed().root);
      // The other copy takes it over as it is.
      expect(merge(other, store)).toMatchObject({ status: 'merged', root: store.ownFeed().root });
    });

    test('changes nothing if it is not new', () => {
      const { store, other } = copied(() => {});
      store.publish('me', draft('here'), NOON_MS);
      const before = store.ownFeed();
      expect(merge(store, other)).toMatchObject({ status: 'merged', root: before.root, added: [] });
      expect(store.ownFeed()).toEqual(before);
    });

    test('does not bring back what was withdrawn here, and takes away what was withdrawn there', () => {
      const first = hashOf(messageNode('one').value);
      const { store, other } = copied((there) => {
        const [two] = there.messages({ authors: ['me'] }).filter(({ body }) => body === 'two');
        there.withdraw('me', two?.hash ?? first, NOON_MS);
        there.publish('me', draft('there'), NOON_MS);
      });
      merge(store, other);
      const [there] = store.messages({ authors: ['me'] }).filter(({ body }) => body === 'there');
      expect(bodies(store, 'me').toSorted()).toEqual(['one', 'there', 'three']);
      store.withdraw('me', there?.hash ?? first, NOON_MS);
      other.publish('me', draft('later'), NOON_MS);
      expect(merge(store, other)).toMatchObject({ status: 'merged', totalMessages: 3 });
      expect(bodies(store, 'me').toSorted()).toEqual(['later', 'one', 'three']);
    });

    test('is refused while a node of it is missing, or if it is more than the quota', () => {
      const { store, other } = copied((there) => there.publish('me', draft('there'), NOON_MS));
      const { root } = other.ownFeed();
      expect(store.merge('me', root, { nowMs: NOON_MS, quota: 9 })).toEqual({ status: 'incomplete', missing: root });
      store.putNodes(treeOf(other.ownLeaves().map(node)).nodes);
      expect(store.merge('me', root, { nowMs: NOON_MS, quota: 3 })).toEqual({
        status: 'over-quota',
        leaves: 4,
        quota: 3,
      });
      expect(bodies(store, 'me')).toHaveLength(3);
    });
  });
});
