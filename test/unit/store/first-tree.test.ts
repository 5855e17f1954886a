/** A feed's first tree is made ready while it comes, and shown at once when it is whole. Work is counted, not timed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { FIRST_ARRIVAL, type Store } from '../../../src/store/store.ts';
import {
  adoptWholly,
  bodies,
  fetchTree,
  freshFolder,
  messageNode,
  NOON,
  NOON_MS,
  openFile,
  type Tree,
  treeOf,
} from './support.ts';

const leaf = (i: number) => messageNode(`message ${i}`, NOON - 10_000 + i);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const treeOfRange = (from: number, to: number): Tree => treeOf(range(from, to).map(leaf));
const terms = { authenticated: true, quota: 100_000 };
const inputFor = ({ root }: Tree) => ({ feed: 'alice', root, nowMs: NOON_MS, ...terms });

/** As a walk does: from the root down, left to right, in batches. */
function putInOrder(store: Store, tree: Tree, from = 0, to = tree.nodes.length): void {
  const leaves = tree.nodes.findIndex(({ value }) => value[0] === 1);
  const nodes = [...tree.nodes.slice(leaves).toReversed(), ...tree.nodes.slice(0, leaves)].slice(from, to);
  for (let at = 0; at < nodes.length; at += 512) store.putNodes(nodes.slice(at, at + 512));
}

test('takes nothing away, as nothing of it was shown: it is adopted even by whoever may not withdraw', () => {
  const store = openFile(join(freshFolder(), 'store.db'));
  const [abandoned, tree] = [treeOfRange(0, 300), treeOfRange(200, 400)];
  store.beginWalk('alice', abandoned.root, NOON_MS, terms);
  putInOrder(store, abandoned, 0, 200);
  expect(fetchTree(store, 'alice', tree, { mayWithdraw: false })).toMatchObject({
    ...{ status: 'adopted', newMessages: 200, withdrawnMessages: 0, totalMessages: 200 },
  });
  expect(bodies(store, 'alice')).toEqual(range(200, 400).map((i) => `message ${i}`));
});

test('nothing of it is shown before it is whole, wherever one looks; then all of it is, with one more call', () => {
  const store = openFile(join(freshFolder(), 'store.db'));
  const tree = treeOfRange(0, 3_000);
  fetchTree(store, 'bob', treeOfRange(2_999, 3_001));
  const mark = store.lastArrival();
  store.beginWalk('alice', tree.root, NOON_MS, terms);
  putInOrder(store, tree, 0, tree.nodes.length - 1);
  expect(store.peer('alice')).toMatchObject({ messages: 0, root: undefined });
  expect(store.countMessages()).toBe(2);
  expect(bodies(store)).toEqual(['message 2999', 'message 3000']);
  expect(store.message(leaf(5).hash)).toBeUndefined();
  expect(store.messagesStartingWith(leaf(5).hash, 9)).toEqual([]);
  expect(store.search({ text: '"message 5"' })).toEqual([]);
  const looked = store.arrivalsAfter(mark, 10_000);
  expect(looked.messages).toEqual([]);
  store.publish('me', { date: NOON, inReplyTo: null, body: 'meanwhile' }, NOON_MS);
  store.putNodes([leaf(2_999)]);
  expect(store.adopt(inputFor(tree))).toMatchObject({ status: 'adopted', newMessages: 3_000, totalMessages: 3_000 });
  expect(bodies(store, 'alice')).toEqual(range(0, 3_000).map((i) => `message ${i}`));
  // Whoever looks at what arrives sees all of it, page by page, and what came in between.
  const seen: string[] = [];
  for (let at = looked.mark, page = store.arrivalsAfter(at, 700); page.messages.length > 0; ) {
    seen.push(...page.messages.map(({ body }) => body));
    at = page.mark;
    page = store.arrivalsAfter(at, 700);
  }
  expect(seen.toSorted()).toEqual([...range(0, 3_000).map((i) => `message ${i}`), 'meanwhile'].toSorted());
  expect(store.arrivalsAfter(FIRST_ARRIVAL, 10_000).messages).toHaveLength(3_003);
});

test('in whatever order the nodes come, the messages are in the order of the tree', () => {
  const store = openFile(join(freshFolder(), 'store.db'));
  const tree = treeOf(range(0, 2_000).map((i) => messageNode(`message ${i}`)));
  store.beginWalk('alice', tree.root, NOON_MS, terms);
  const nodes = tree.nodes.toReversed();
  for (let at = 0; at < nodes.length; at += 300) store.putNodes(nodes.slice(at, at + 300));
  expect(adoptWholly(store, inputFor(tree))).toMatchObject({ newMessages: 2_000 });
  expect(bodies(store, 'alice')).toEqual(range(0, 2_000).map((i) => `message ${i}`));
});

test('a root that moves on while it comes takes nothing wrong along', () => {
  const store = openFile(join(freshFolder(), 'store.db'));
  const [first, second] = [treeOfRange(0, 1_500), treeOfRange(700, 2_000)];
  store.beginWalk('alice', first.root, NOON_MS, terms);
  putInOrder(store, first, 0, 1_200);
  store.beginWalk('alice', second.root, NOON_MS, terms);
  putInOrder(store, second);
  expect(adoptWholly(store, inputFor(second))).toMatchObject({
    newMessages: 1_300,
    withdrawnMessages: 0,
    totalMessages: 1_300,
  });
  expect(bodies(store, 'alice')).toEqual(range(700, 2_000).map((i) => `message ${i}`));
  store.collectGarbage();
  expect(store.getNode(leaf(3).hash)).toBeUndefined();
});

test('a message costs a quarter of a statement and is read from no row, whatever the size of the feed', () => {
  const run = vi.spyOn(StatementSync.prototype, 'run');
  const [get, all] = [vi.spyOn(StatementSync.prototype, 'get'), vi.spyOn(StatementSync.prototype, 'all')];
  onTestFinished(() => void vi.restoreAllMocks());
  const counted = (work: () => void) => {
    for (const spy of [run, get, all]) spy.mockClear();
    work();
    return {
      statements: run.mock.calls.length + get.mock.calls.length + all.mock.calls.length,
      rows: all.mock.results.reduce((sum, { value }) => sum + value.length, 0),
    };
  };
  for (const size of [2_000, 20_000]) {
    const store = openFile(join(freshFolder(), 'store.db'));
    const download = (tree: Tree) => {
      store.beginWalk('alice', tree.root, NOON_MS, terms);
      const missing = tree.nodes.filter((_, at) => statuses(tree)[at] === 'missing');
      putInOrder(store, { root: tree.root, nodes: missing });
      adoptWholly(store, inputFor(tree));
      store.endWalk('alice');
    };
    const known = new Map<Tree, readonly string[]>();
    const statuses = (tree: Tree) => {
      const there = known.get(tree) ?? store.statusOf(tree.nodes.map(({ hash }) => hash));
      known.set(tree, there);
      return there;
    };
    const [tree, next] = [treeOfRange(0, size), treeOfRange(0, size + 1)];
    // What a walk looks up before it asks is not in this.
    statuses(tree);
    const first = counted(() => download(tree));
    expect(first.statements / size).toBeLessThan(0.23);
    expect(first.rows / size).toBeLessThan(0.04);
    statuses(next);
    expect(counted(() => download(next)).statements).toBeLessThan(100);
    expect(bodies(store, 'alice').at(-1)).toBe(`message ${size}`);
  }
}, 120_000);

test('a process that is killed at any moment loses nothing that was acknowledged, and the next one goes on', async () => {
  const file = join(freshFolder(), 'store.db');
  const url = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));
  const script = `
    import { openSqliteStore } from ${url('../../../src/store/sqlite-store.ts')};
    import { messageNode, NOON, NOON_MS, treeOf } from ${url('./support-trees.ts')};
    const store = openSqliteStore(${JSON.stringify(file)});
    const leaves = Array.from({ length: 4_000 }, (_, i) => messageNode('message ' + i, NOON - 10_000 + i));
    const tree = treeOf(leaves);
    store.beginWalk('alice', tree.root, NOON_MS, { authenticated: true, quota: 100_000 });
    const nodes = [...tree.nodes.slice(4_000).reverse(), ...leaves];
    for (let at = 0; at < nodes.length; at += 40) {
      store.putNodes(nodes.slice(at, at + 40));
      const { hash } = store.publish('me', { date: NOON, inReplyTo: null, body: 'own ' + at }, NOON_MS);
      console.log(hash);
    }
  `;
  const acknowledged: string[] = [];
  for (const lines of [3, 11, 29]) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let left = lines;
    for await (const line of createInterface(child.stdout)) {
      acknowledged.push(line);
      left -= 1;
      if (left === 0) child.kill('SIGKILL');
    }
    if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
    using db = new DatabaseSync(file);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    using store = openSqliteStore(file);
    for (const hash of acknowledged) expect(store.message(hash)?.author).toBe('me');
    expect(bodies(store, 'alice')).toEqual([]);
  }
  const store = openFile(file);
  const tree = treeOfRange(0, 4_000);
  expect(fetchTree(store, 'alice', tree)).toMatchObject({ newMessages: 4_000, totalMessages: 4_000 });
  expect(bodies(store, 'alice')).toEqual(range(0, 4_000).map((i) => `message ${i}`));
}, 120_000);
