/** What a store promises of the nodes and trees of others. */
import { describe, expect, test } from 'vitest';
import { EMPTY_ROOT, hashOf, ZERO_HASH } from '../../../src/wire/hash.ts';
import { encodeMessage } from '../../../src/wire/node.ts';
import { kinds } from './kinds.ts';
import { bodies, fetchTree, messageNode, NOON, NOON_MS, node, parentOf, treeOf, treeOfBodies } from './support.ts';

describe.each(kinds)('a store: $kind', ({ openInMemory }) => {
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
