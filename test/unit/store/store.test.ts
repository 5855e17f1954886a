/** What the interface of the store promises. */
import { describe, expect, test } from 'vitest';
import { TOMBSTONE } from '../../../src/merkle/withdraw.ts';
import type { Store } from '../../../src/store/store.ts';
import { OwnTreeExistsError } from '../../../src/store/store-errors.ts';
import { EMPTY_ROOT, hashOf, ZERO_HASH } from '../../../src/wire/hash.ts';
import { encodeMessage, MessageTooLongError } from '../../../src/wire/node.ts';
import { kinds } from './kinds.ts';
import { bodies, fetchTree, messageNode, NOON, NOON_MS, node, parentOf, treeOf, treeOfBodies } from './support.ts';

const KEY = 'A'.repeat(86);
const OTHER_KEY = 'B'.repeat(86);

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

  describe('nodes', () => {
    test('are missing, partial while something below may be missing, or complete', () => {
      const store = openInMemory();
      const { root, nodes } = treeOfBodies('a', 'b');
      const [a, b] = nodes.map(({ hash }) => hash) as [string, string];
      expect(store.statusOf([root, a, b])).toEqual(['missing', 'missing', 'missing']);
      store.putNodes(nodes.filter(({ hash }) => hash !== b));
      expect(store.statusOf([root, a, b])).toEqual(['partial', 'complete', 'missing']);
      fetchTree(store, 'alice', { root, nodes });
      expect(store.statusOf([root, a, b])).toEqual(['complete', 'complete', 'complete']);
    });

    test('are kept as they were given, whatever becomes of the bytes given', () => {
      const store = openInMemory();
      const value = encodeMessage({ date: NOON, inReplyTo: null, body: 'stays' });
      const copy = value.slice();
      const hash = hashOf(value);
      store.beginWalk('alice', hash, NOON_MS);
      store.putNodes([
        { hash, value },
        { hash, value },
      ]);
      value.fill(0);
      expect(store.getNode(hash)).toEqual(copy);
    });
  });

  describe('adopting a tree', () => {
    test('shows its messages at once, as not read', () => {
      const store = openInMemory();
      const tree = treeOfBodies('a', 'b', 'c');
      expect(fetchTree(store, 'alice', tree)).toEqual({
        status: 'adopted',
        newMessages: 3,
        withdrawnMessages: 0,
        totalMessages: 3,
        added: tree.nodes.slice(0, 3).map(({ hash }) => hash),
        wentBack: false,
      });
      expect(store.currentRoot('alice')).toBe(tree.root);
      expect([tree.root, EMPTY_ROOT].map((root) => store.isCurrent('alice', root))).toEqual([true, false]);
      expect(store.isCurrent('bob', tree.root)).toBe(false);
      expect(store.messages().map(({ body, read, author }) => [body, read, author])).toEqual([
        ['a', false, 'alice'],
        ['b', false, 'alice'],
        ['c', false, 'alice'],
      ]);
      expect(store.peer('alice')).toMatchObject({ messages: 3, root: tree.root, lastSyncMs: NOON_MS });
    });

    test('leaves roots behind that nobody is to be given: all but those that stand in every later tree', () => {
      const store = openInMemory();
      const trees = [1, 2, 31, 32, 33, 34].map((count) =>
        treeOfBodies(...Array.from({ length: count }, (_, i) => `m ${i}`)),
      );
      for (const tree of trees) fetchTree(store, 'alice', tree);
      expect(trees.map(({ root }) => store.isSuperseded(root))).toEqual([false, true, true, false, true, false]);
      // Somebody else has come as far as alice was once.
      fetchTree(store, 'alice again', trees[2] as (typeof trees)[number]);
      expect(store.isSuperseded(trees[2]?.root ?? '')).toBe(false);
    });

    test('leaves roots behind of which it is known whose they were', () => {
      const store = openInMemory();
      const trees = [1, 32, 33].map((count) => treeOfBodies(...Array.from({ length: count }, (_, i) => `m ${i}`)));
      for (const tree of trees) fetchTree(store, 'alice', tree);
      const wasCurrent = (feed: string) => trees.map(({ root }) => store.wasCurrent(feed, root));
      expect(wasCurrent('alice')).toEqual([true, true, false]);
      expect(wasCurrent('bob')).toEqual([false, false, false]);
      fetchTree(store, 'alice', trees[0] as (typeof trees)[number]);
      expect(wasCurrent('alice')).toEqual([false, true, true]);
    });

    test('with a node missing changes nothing, and names the node', () => {
      const store = openInMemory();
      const { root, nodes } = treeOfBodies('a', 'b');
      const lacking = { root, nodes: nodes.filter((_, i) => i !== 1) };
      expect(fetchTree(store, 'alice', lacking)).toEqual({ status: 'incomplete', missing: nodes[1]?.hash });
      expect(store.messages()).toEqual([]);
      expect(store.currentRoot('alice')).toBeUndefined();
    });

    test('with more leaves than the quota changes nothing, repeats counted', () => {
      const store = openInMemory();
      const leaf = messageNode('x');
      const pair = parentOf(leaf.hash, leaf.hash);
      const tree = { root: pair.hash, nodes: [leaf, pair] };
      expect(fetchTree(store, 'alice', tree, { quota: 1 })).toEqual({ status: 'over-quota', leaves: 2, quota: 1 });
      expect(store.countMessages()).toBe(0);
      expect(fetchTree(store, 'alice', tree, { quota: 2 })).toMatchObject({ status: 'adopted', newMessages: 1 });
    });

    test('counts what is new and what is withdrawn', () => {
      const store = openInMemory();
      fetchTree(store, 'alice', treeOfBodies('a', 'b', 'c'));
      const change = fetchTree(store, 'alice', treeOfBodies('b', 'c', 'd', 'e'));
      expect(change).toMatchObject({ newMessages: 2, withdrawnMessages: 1, totalMessages: 4 });
      expect(bodies(store).sort()).toEqual(['b', 'c', 'd', 'e']);
    });

    test('that is current already changes nothing', () => {
      const store = openInMemory();
      const tree = treeOfBodies('a');
      fetchTree(store, 'alice', tree);
      expect(fetchTree(store, 'alice', tree)).toMatchObject({ newMessages: 0, totalMessages: 1, wentBack: false });
    });

    test('that is empty withdraws everything, whichever way "empty" is said', () => {
      for (const root of [EMPTY_ROOT, ZERO_HASH]) {
        const store = openInMemory();
        fetchTree(store, 'alice', treeOfBodies('a', 'b'));
        const change = fetchTree(store, 'alice', { root, nodes: [] });
        expect(change).toMatchObject({ status: 'adopted', withdrawnMessages: 2, totalMessages: 0 });
        expect(store.messages()).toEqual([]);
      }
    });

    test('that was current before, and superseded, is told as history gone back', () => {
      const store = openInMemory();
      const [first, second] = [treeOfBodies('a'), treeOfBodies('a', 'b')];
      fetchTree(store, 'alice', first);
      expect(fetchTree(store, 'alice', second)).toMatchObject({ wentBack: false });
      expect(fetchTree(store, 'alice', first)).toMatchObject({ wentBack: true, withdrawnMessages: 1 });
      expect(fetchTree(store, 'alice', second)).toMatchObject({ wentBack: true, newMessages: 1 });
    });

    test('leaves that are no messages are no messages, and go and come without a word', () => {
      const store = openInMemory();
      const [unknown, malformed] = [node(Uint8Array.of(77, 1, 2)), node(Uint8Array.of(0, 1))];
      const message = messageNode('a');
      const tree = treeOf([unknown, message, malformed]);
      expect(fetchTree(store, 'alice', tree)).toMatchObject({ newMessages: 1, totalMessages: 1 });
      expect(fetchTree(store, 'alice', treeOf([message]))).toMatchObject({ withdrawnMessages: 0, totalMessages: 1 });
      expect(store.message(unknown.hash)).toBeUndefined();
    });

    test('names at most 1,000 new messages, the newest', () => {
      const store = openInMemory();
      const leaves = Array.from({ length: 1_100 }, (_, i) => messageNode(`${i}`));
      const adoption = fetchTree(store, 'alice', treeOf(leaves));
      expect(adoption).toMatchObject({ newMessages: 1_100 });
      expect(adoption.status === 'adopted' && adoption.added).toEqual(leaves.slice(100).map(({ hash }) => hash));
    });

    test('a message of two feeds belongs to both, and stays when one withdraws it', () => {
      const store = openInMemory();
      const shared = messageNode('shared');
      fetchTree(store, 'alice', treeOf([shared]));
      fetchTree(store, 'bob', treeOf([shared, messageNode('b')]));
      expect(store.countMessages()).toBe(3);
      fetchTree(store, 'alice', { root: EMPTY_ROOT, nodes: [] });
      store.collectGarbage();
      expect(bodies(store, 'bob').sort()).toEqual(['b', 'shared']);
      expect(store.getNode(shared.hash)).toBeDefined();
    });

    test('what an unsigned root brought is authenticated by the next signed one', () => {
      const store = openInMemory();
      const first = treeOfBodies('a');
      fetchTree(store, 'alice', first, { authenticated: false });
      expect(store.messages()[0]?.authenticated).toBe(false);
      fetchTree(store, 'alice', treeOfBodies('a', 'b'), { authenticated: true });
      expect(store.messages().map(({ authenticated }) => authenticated)).toEqual([true, true]);
      fetchTree(store, 'bob', first, { authenticated: false });
      fetchTree(store, 'bob', first, { authenticated: true });
      expect(store.messages({ authors: ['bob'] })[0]?.authenticated).toBe(true);
    });
  });

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

  describe('collection', () => {
    test('removes what no own, current or wanted tree reaches, and nothing else', () => {
      const store = openInMemory();
      const { hash: own } = store.publish('me', { date: NOON, inReplyTo: null, body: 'own' }, NOON_MS);
      const [current, superseded] = [treeOfBodies('a', 'b'), treeOfBodies('a', 'gone')];
      fetchTree(store, 'alice', superseded);
      fetchTree(store, 'alice', current);
      const wanted = treeOfBodies('w', 'v');
      store.beginWalk('alice', wanted.root, NOON_MS);
      store.putNodes(wanted.nodes);
      // The root and the leaf that only the superseded tree has.
      expect(store.collectGarbage()).toBe(2);
      for (const { hash } of [...current.nodes, ...wanted.nodes]) expect(store.getNode(hash)).toBeDefined();
      expect(store.getNode(own)).toBeDefined();
      expect(store.getNode(superseded.root)).toBeUndefined();
      store.endWalk('alice');
      expect(store.collectGarbage()).toBe(3);
      expect(store.collectGarbage()).toBe(0);
    });

    test('a tree that was collected in part is still compared with', () => {
      const store = openInMemory();
      fetchTree(store, 'alice', treeOfBodies('a', 'b'));
      fetchTree(store, 'alice', treeOfBodies('b', 'c'));
      store.collectGarbage();
      expect(fetchTree(store, 'alice', treeOfBodies('a', 'b'))).toMatchObject({ newMessages: 1, withdrawnMessages: 1 });
    });
  });
});
