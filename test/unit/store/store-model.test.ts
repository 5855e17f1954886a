/** Random courses of calls: a store holds what a simple model holds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { EMPTY_ROOT, type Hash } from '../../../src/wire/hash.ts';
import { kinds } from './kinds.ts';
import { fetchTree, messageNode, NOON, NOON_MS, treeOf } from './support.ts';

/** What a store should hold, kept in the simplest way: the hashes of each feed's messages, and those that are read. */
class Model {
  readonly feeds = new Map<string, Map<Hash, { read: boolean }>>();
  readonly following = new Set<string>();
  published = 0;

  feed(name: string): Map<Hash, { read: boolean }> {
    const feed = this.feeds.get(name) ?? new Map();
    this.feeds.set(name, feed);
    return feed;
  }

  adopt(name: string, hashes: readonly Hash[]): void {
    const before = this.feed(name);
    this.feeds.set(name, new Map(hashes.map((hash) => [hash, before.get(hash) ?? { read: false }])));
  }

  markRead(hash: Hash): void {
    for (const feed of this.feeds.values()) if (feed.has(hash)) feed.set(hash, { read: true });
  }
}

type Step = (store: Store, model: Model) => void;

const ownMessage = (i: number) => messageNode(`own ${i}`, NOON + i).hash;
const authors = fc.constantFrom('alice', 'bob', 'carol');
const numbers = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 40 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(authors, numbers, fc.boolean()).map(([name, numbers, authenticated]): Step => {
    const leaves = numbers.map((i) => messageNode(`${i}`, NOON - i));
    const tree = leaves.length === 0 ? { root: EMPTY_ROOT, nodes: [] } : treeOf(leaves);
    return (store, model) => {
      const before = model.feed(name);
      const wanted = new Set(leaves.map(({ hash }) => hash));
      expect(fetchTree(store, name, tree, { authenticated })).toMatchObject({
        newMessages: wanted.difference(before).size,
        withdrawnMessages: new Set(before.keys()).difference(wanted).size,
        totalMessages: wanted.size,
      });
      model.adopt(name, [...wanted]);
    };
  }),
  fc.integer({ min: 0, max: 9 }).map(
    (i): Step =>
      (store, model) => {
        const draft = { date: NOON + i, inReplyTo: null, body: `own ${i}` };
        expect(store.publish('me', draft, NOON_MS + i).hash).toBe(ownMessage(i));
        if (!model.feed('me').has(ownMessage(i))) model.feed('me').set(ownMessage(i), { read: true });
        model.published += 1;
      },
  ),
  fc.integer({ min: 0, max: 9 }).map(
    (i): Step =>
      (store, model) => {
        const wasThere = model.feed('me').delete(ownMessage(i));
        expect(store.withdraw('me', ownMessage(i), NOON_MS) !== undefined).toBe(wasThere);
      },
  ),
  authors.map(
    (name): Step =>
      (store, model) => {
        store.setFollowing(name, true, NOON_MS);
        model.following.add(name);
      },
  ),
  fc.integer({ min: 0, max: 12 }).map(
    (i): Step =>
      (store, model) => {
        const { hash } = messageNode(`${i}`, NOON - i);
        store.markRead([hash]);
        model.markRead(hash);
      },
  ),
  fc.constant<Step>((store) => store.collectGarbage()),
);

test.each(kinds)('whatever is done, a store holds what it was given, and nothing else: $kind', ({ openInMemory }) => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 15 }), (course) => {
      const [store, model] = [openInMemory(), new Model()];
      for (const step of course) {
        step(store, model);
        const held = store.messages({ limit: 1_000 }).map(({ author, hash, read }) => [author, hash, read]);
        const wanted = [...model.feeds].flatMap(([name, feed]) =>
          [...feed].map(([hash, { read }]) => [name, hash, read]),
        );
        expect(held.map(String).sort()).toEqual(wanted.map(String).sort());
        expect(store.countMessages()).toBe(wanted.length);
        for (const { name, messages, following } of store.peers()) {
          expect(messages).toBe(model.feed(name).size);
          expect(following).toBe(model.following.has(name));
        }
        expect(store.ownFeed().messages).toBe(model.published);
        expect(store.search({ text: 'own' })).toHaveLength(model.feed('me').size);
      }
    }),
    { numRuns: 60, seed: 20220101 },
  );
});
