/** A large tree is made current step by step. What is counted here is calls, and what they bring; how long one takes is the bench's business. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { type AdoptionInput, FIRST_ARRIVAL, type Store } from '../../../src/store/store.ts';
import { FullDiskError } from '../../../src/store/store-errors.ts';
import { EMPTY_ROOT, type Hash } from '../../../src/wire/hash.ts';
import {
  adoptWholly,
  bodies,
  fetchTree,
  freshFolder,
  messageNode,
  NOON,
  NOON_MS,
  node,
  openFile,
  type Tree,
  treeOf,
} from './support.ts';

const SMALL_STEP = 60;
/** Leaves that come or go at once. */
const BATCH = 32;

const newFile = () => join(freshFolder(), 'store.db');

function open(file = newFile(), adoptionStep = SMALL_STEP): Store {
  const store = openSqliteStore(file, { adoptionStep });
  onTestFinished(() => store.close());
  return store;
}

const leaf = (i: number) => messageNode(`${i}`, NOON - i);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const treeOfRange = (from: number, to: number): Tree =>
  from === to ? { root: EMPTY_ROOT, nodes: [] } : treeOf(range(from, to).map(leaf));

const NOTHING: Tree = { root: EMPTY_ROOT, nodes: [] };

/** Alice has had a tree, though of no message: later ones come bit by bit. */
function openKnown(file = newFile(), adoptionStep = SMALL_STEP): Store {
  const store = open(file, adoptionStep);
  if (store.currentRoot('alice') === undefined) fetchTree(store, 'alice', NOTHING);
  return store;
}

function inputFor({ root }: Tree, more: Partial<AdoptionInput> = {}): AdoptionInput {
  return { feed: 'alice', root, nowMs: NOON_MS, authenticated: true, quota: 10_000, ...more };
}

function pagesOf(file: string): number {
  using db = new DatabaseSync(file);
  return db.prepare('PRAGMA page_count').get()?.page_count as number;
}

/** Some steps of an adoption, which is then left. */
function abandon(store: Store, tree: Tree, calls: number): void {
  store.beginWalk('alice', tree.root, NOON_MS);
  store.putNodes(tree.nodes);
  for (let i = 0; i < calls; i++) expect(store.adopt(inputFor(tree))).toEqual({ status: 'underway' });
}

/** Steps until so many messages are there. */
function abandonWith(store: Store, tree: Tree, messages: number): void {
  abandon(store, tree, 0);
  while (store.countMessages() < messages) expect(store.adopt(inputFor(tree))).toEqual({ status: 'underway' });
}

describe('the loop is free between steps', () => {
  test('a call brings no more messages than a step is worth, and they are there when it ends', () => {
    const store = openKnown();
    const tree = treeOfRange(0, 1_000);
    abandon(store, tree, 1);
    let before = 0;
    let calls = 1;
    for (; store.adopt(inputFor(tree)).status === 'underway'; calls++) {
      const messages = store.countMessages();
      expect(messages - before).toBeLessThanOrEqual(BATCH);
      expect(store.messages({ limit: 2_000 })).toHaveLength(messages);
      before = messages;
    }
    expect(before).toBeGreaterThan(900);
    expect(calls).toBeGreaterThan(1_000 / BATCH);
  });

  test('nor does it take more of them away', () => {
    const store = open();
    fetchTree(store, 'alice', treeOfRange(0, 1_000));
    let before = 1_000;
    while (store.adopt(inputFor({ root: EMPTY_ROOT, nodes: [] })).status === 'underway') {
      expect(before - store.countMessages()).toBeLessThanOrEqual(BATCH);
      before = store.countMessages();
    }
    expect(before).toBeLessThan(100);
    expect(store.countMessages()).toBe(0);
  });

  test('counting and comparing alone, too, take several calls', () => {
    const store = openKnown();
    abandon(store, treeOfRange(0, 1_000), 1_000 / SMALL_STEP);
    expect(store.countMessages()).toBe(0);
  });

  test('some hundred messages come in one call, and to a tree of thousands as well', () => {
    const store = openFile(newFile());
    fetchTree(store, 'alice', treeOfRange(0, 5_000));
    const tree = treeOfRange(0, 5_400);
    store.putNodes(tree.nodes);
    expect(store.adopt(inputFor(tree))).toMatchObject({ status: 'adopted', newMessages: 400 });
  });
});

describe('an adoption that is under way', () => {
  test('leaves the root before current until its last step, but not as what the messages are of', () => {
    const store = open();
    const [first, second] = [treeOfRange(0, 5), treeOfRange(0, 300)];
    fetchTree(store, 'alice', first);
    expect(store.isCurrent('alice', first.root)).toBe(true);
    abandonWith(store, second, 100);
    expect(store.currentRoot('alice')).toBe(first.root);
    expect([first, second].map(({ root }) => store.isCurrent('alice', root))).toEqual([false, false]);
    adoptWholly(store, inputFor(second));
    expect([first, second].map(({ root }) => store.isCurrent('alice', root))).toEqual([false, true]);
  });

  test('has its nodes kept, whatever becomes of the walk', () => {
    const store = open();
    const tree = treeOfRange(0, 300);
    abandon(store, tree, 1);
    store.endWalk('alice');
    store.collectGarbage();
    for (const { hash } of tree.nodes) expect(store.getNode(hash)).toBeDefined();
    expect(adoptWholly(store, inputFor(tree))).toMatchObject({ newMessages: 300 });
  });

  test('of more than the quota changes nothing, and one that lacks a node neither', () => {
    const store = open();
    const before = treeOfRange(0, 5);
    fetchTree(store, 'alice', before);
    const tree = treeOfRange(0, 300);
    abandon(store, tree, 1);
    const refused = { status: 'over-quota', leaves: 300, quota: 10 };
    expect(adoptWholly(store, inputFor(tree, { quota: 10 }))).toEqual(refused);
    // What another input had begun is still to be put right; nothing of it is there.
    expect(adoptWholly(store, inputFor(before))).toMatchObject({ newMessages: 0, withdrawnMessages: 0 });
    expect(fetchTree(store, 'alice', tree, { quota: 10 })).toEqual(refused);
    expect(store.isCurrent('alice', before.root)).toBe(true);
    const lacking = treeOfRange(0, 400);
    const incomplete = fetchTree(store, 'alice', { ...lacking, nodes: lacking.nodes.toSpliced(350, 1) });
    expect(incomplete).toEqual({ status: 'incomplete', missing: leaf(350).hash });
    expect(store.isCurrent('alice', before.root)).toBe(true);
    expect(bodies(store)).toHaveLength(5);
  });

  test('that may not withdraw anything leaves all as it was if something would go, and else is like any other', () => {
    const store = open();
    const [first, second] = [treeOfRange(0, 100), treeOfRange(0, 300)];
    const adopt = (tree: Tree) => fetchTree(store, 'alice', tree, { mayWithdraw: false });
    expect(adopt(first)).toMatchObject({ status: 'adopted', newMessages: 100 });
    expect(adopt(second)).toMatchObject({ status: 'adopted', newMessages: 200 });
    expect(adopt(first)).toEqual({ status: 'withdraws' });
    expect(adopt(treeOfRange(1, 301))).toEqual({ status: 'withdraws' });
    expect(store.isCurrent('alice', second.root)).toBe(true);
    expect(store.messages({ limit: 1_000 })).toHaveLength(300);
    abandon(store, first, 2);
    expect(adopt(second)).toEqual({ status: 'withdraws' });
    expect(fetchTree(store, 'alice', second)).toMatchObject({ status: 'adopted', totalMessages: 300 });
  });

  test('tells once that history went back', () => {
    const store = open();
    const [first, second] = [treeOfRange(0, 100), treeOfRange(0, 300)];
    fetchTree(store, 'alice', first);
    fetchTree(store, 'alice', second);
    abandon(store, first, 2);
    expect(adoptWholly(store, inputFor(first))).toMatchObject({ wentBack: true, withdrawnMessages: 200 });
    // To go on with what is current already is no going back.
    abandon(store, second, 3);
    expect(fetchTree(store, 'alice', first)).toMatchObject({ wentBack: false });
    expect(fetchTree(store, 'alice', second)).toMatchObject({ wentBack: true });
  });

  test('of a signed root signs what an unsigned one had brought', () => {
    const store = open();
    const tree = treeOfRange(0, 1_000);
    fetchTree(store, 'alice', tree, { authenticated: false });
    expect(store.adopt(inputFor(tree))).toEqual({ status: 'underway' });
    adoptWholly(store, inputFor(tree));
    expect(store.messages({ limit: 2_000 }).every(({ authenticated }) => authenticated)).toBe(true);
  });
});

describe('a crash in between', () => {
  test('loses nothing, and shows nothing twice', () => {
    const file = newFile();
    const tree = treeOfRange(0, 300);
    const seen: string[] = [];
    let last = FIRST_ARRIVAL;
    const look = (store: Store) => {
      const { messages, mark } = store.arrivalsAfter(last, 1_000);
      last = mark;
      seen.push(...messages.map(({ body }) => body));
    };
    openKnown(file).close();
    for (const messages of [50, 51, 200]) {
      using store = openSqliteStore(file, { adoptionStep: SMALL_STEP });
      abandonWith(store, tree, messages);
      look(store);
      expect(store.search({ text: seen.at(-1) ?? '' }).map(({ body }) => body)).toContain(seen.at(-1));
    }
    const store = open(file);
    const there = store.countMessages();
    expect(there).toBeGreaterThan(200);
    expect(adoptWholly(store, inputFor(tree))).toMatchObject({ newMessages: 300 - there, totalMessages: 300 });
    look(store);
    expect(seen).toEqual(range(0, 300).map(String));
    for (const text of seen) {
      expect(store.search({ text, limit: 1_000 }).filter(({ body }) => body === text)).toHaveLength(1);
    }
  });

  test('in the middle of a withdrawal loses nothing of what comes back', () => {
    const file = newFile();
    const [all, none] = [treeOfRange(0, 300), treeOfRange(0, 0)];
    {
      using store = openSqliteStore(file, { adoptionStep: SMALL_STEP });
      fetchTree(store, 'alice', all);
      while (store.countMessages() > 150) store.adopt(inputFor(none));
    }
    const store = open(file);
    store.collectGarbage();
    // The root is the current one, and yet its messages are not all there.
    expect(store.isCurrent('alice', all.root)).toBe(false);
    expect(fetchTree(store, 'alice', all)).toMatchObject({ withdrawnMessages: 0, totalMessages: 300, wentBack: false });
    expect(bodies(store)).toHaveLength(300);
  });

  test('and another root then: what only the abandoned one has goes, leaves of unknown kinds too', () => {
    const file = newFile();
    const odd = range(0, 50).map((i) => node(Uint8Array.of(77, i)));
    const abandoned = treeOf([...odd, ...range(100, 400).map(leaf)]);
    {
      using store = openSqliteStore(file, { adoptionStep: SMALL_STEP });
      fetchTree(store, 'alice', treeOfRange(0, 50));
      abandonWith(store, abandoned, 200);
      expect(bodies(store).length).toBeGreaterThanOrEqual(200);
    }
    const store = open(file);
    // The nodes that it had brought are nobody's; those that are still shown stay.
    abandon(store, treeOfRange(0, 200), 1);
    store.collectGarbage();
    for (const { hash } of store.messages({ limit: 1_000 })) expect(store.getNode(hash)).toBeDefined();
    fetchTree(store, 'alice', treeOfRange(0, 200));
    expect(bodies(store).sort()).toEqual(range(0, 200).map(String).sort());
    expect(store.peer('alice')).toMatchObject({ messages: 200 });
    store.collectGarbage();
    expect(odd.every(({ hash }) => store.getNode(hash) === undefined)).toBe(true);
  });

  test('a step that fails is undone, and whoever tries again goes on', () => {
    const file = newFile();
    const tree = treeOfRange(0, 2_000);
    {
      using store = openFile(file);
      fetchTree(store, 'alice', NOTHING);
      store.beginWalk('alice', tree.root, NOON_MS);
      store.putNodes(tree.nodes);
    }
    using store = openSqliteStore(file, { adoptionStep: SMALL_STEP, maxPages: pagesOf(file) + 8 });
    for (const _ of ['first', 'again']) expect(() => adoptWholly(store, inputFor(tree))).toThrow(FullDiskError);
    const there = store.countMessages();
    expect(there).toBeGreaterThan(0);
    expect(store.messages({ limit: 3_000 })).toHaveLength(there);
    const roomy = open(file);
    expect(adoptWholly(roomy, inputFor(tree))).toMatchObject({ newMessages: 2_000 - there, totalMessages: 2_000 });
  });
});

describe('two processes that adopt for one feed', () => {
  test('the same root: each message is added by one of them, and counted by that one', () => {
    const file = newFile();
    const [one, other] = [openKnown(file), openKnown(file, SMALL_STEP * 2)];
    const tree = treeOfRange(0, 500);
    abandonWith(one, tree, 50);
    const adoptions = [];
    for (const store = [one, other]; store.length > 0; store.reverse()) {
      const adoption = store[0]?.adopt(inputFor(tree));
      if (adoption === undefined || adoption.status === 'underway') continue;
      adoptions.push(adoption);
      store.shift();
    }
    const added = adoptions.flatMap((adoption) => (adoption.status === 'adopted' ? adoption.added : []));
    expect(new Set(added).size).toBe(500);
    expect(added).toHaveLength(500);
    expect(adoptions.every((adoption) => adoption.status === 'adopted' && adoption.newMessages > 0)).toBe(true);
    expect(adoptions).toMatchObject([{ totalMessages: 500 }, { totalMessages: 500 }]);
    expect(bodies(one)).toHaveLength(500);
  });

  test('different roots: both get done, and the last one is current', () => {
    const file = newFile();
    const [one, other] = [openKnown(file), openKnown(file)];
    const [first, second] = [treeOfRange(0, 500), treeOfRange(300, 900)];
    abandon(one, first, 25);
    abandon(other, second, 25);
    expect(one.adopt(inputFor(first))).toMatchObject({ status: 'adopted', totalMessages: 500 });
    expect(other.adopt(inputFor(second))).toMatchObject({ status: 'adopted', totalMessages: 600 });
    expect(bodies(one).sort()).toEqual(range(300, 900).map(String).sort());
    expect(one.currentRoot('alice')).toBe(second.root);
  });
});

/** Numbers below 60, repeats included: trees that have much in common, and little. */
const trees = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 59 }), fc.constant(-1)), { maxLength: 80 })
  .map((numbers): Tree => {
    const leaves = numbers.map((i) => (i < 0 ? node(Uint8Array.of(77)) : leaf(i)));
    return leaves.length === 0 ? { root: EMPTY_ROOT, nodes: [] } : treeOf(leaves);
  });
const courses = fc.array(
  fc.record({
    tree: trees,
    /** After so many calls the adoption is left, if it is not done by then. */
    calls: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(1_000)),
    after: fc.constantFrom('another root', 'crash', 'collection', 'another process'),
  }),
  { minLength: 1, maxLength: 6 },
);

const messagesOf = (store: Store) => store.messages({ authors: ['alice'], limit: 1_000 });

test('in steps, and whatever comes in between, a tree is adopted as it is at once', () => {
  fc.assert(
    fc.property(courses, fc.option(trees), fc.integer({ min: 5, max: 200 }), (course, tree, adoptionStep) => {
      // Whoever stopped often comes back for the same tree.
      const final = tree ?? (course[0]?.tree as Tree);
      const file = newFile();
      const atOnce = open(':memory:', Number.POSITIVE_INFINITY);
      let store = open(file, adoptionStep);
      const other = open(file, adoptionStep);
      const shown = new Set<Hash>();
      let last = FIRST_ARRIVAL;
      /** What is there is what has arrived and was not there before, without what has gone. */
      const check = () => {
        const there = new Set(messagesOf(store).map(({ hash }) => hash));
        expect(store.peer('alice')?.messages).toBe(there.size);
        for (const hash of shown) if (!there.has(hash)) shown.delete(hash);
        const { messages, mark } = store.arrivalsAfter(last, 1_000);
        expect(mark.arrival).toBeGreaterThanOrEqual(last.arrival);
        last = mark;
        for (const message of messages) {
          if (message.author !== 'alice') continue;
          expect(shown.has(message.hash)).toBe(false);
          shown.add(message.hash);
        }
        expect([...shown].sort()).toEqual([...there].sort());
      };
      const adopt = (tree: Tree, calls: number) => {
        store.beginWalk('alice', tree.root, NOON_MS);
        store.putNodes(tree.nodes);
        for (let i = 0; i < calls; i++) {
          const adoption = store.adopt(inputFor(tree));
          check();
          if (adoption.status === 'underway') continue;
          store.endWalk('alice');
          return adoption;
        }
        return undefined;
      };
      for (const { tree, calls, after } of course) {
        if (adopt(tree, calls) !== undefined) fetchTree(atOnce, 'alice', tree);
        if (after === 'collection') other.collectGarbage();
        if (after === 'another process') for (const one of [other, atOnce]) fetchTree(one, 'bob', tree);
        if (after !== 'crash') continue;
        store.close();
        store = open(file, adoptionStep);
      }
      expect(adopt(final, 10_000)?.status).toBe('adopted');
      fetchTree(atOnce, 'alice', final);
      expect(messagesOf(store)).toEqual(messagesOf(atOnce));
      for (const name of ['alice', 'bob']) expect(store.peer(name)).toEqual(atOnce.peer(name));
      expect(store.isCurrent('alice', final.root)).toBe(true);
      other.collectGarbage();
      for (const { hash } of final.nodes) expect(store.getNode(hash)).toBeDefined();
      expect(store.statusOf([final.root])).toEqual(atOnce.statusOf([final.root]));
      const found = (one: Store) => one.search({ text: '1', limit: 1_000 }).length;
      expect(found(store)).toBe(found(atOnce));
      store.close();
      other.close();
    }),
    { numRuns: 150, seed: 20220101 },
  );
  // It waits for the disk some thousand times.
}, 300_000);
