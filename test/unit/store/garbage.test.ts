/** Unreferenced nodes are collected: a file that is updated again and again stays in proportion to what is in use. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Store } from '../../../src/store/store.ts';
import { fetchTree, freshFolder, messageNode, NOON, NOON_MS, openFile, treeOf } from './support.ts';

const UPDATES = 1_000;
const FEED = 250;
const BODY = 'x'.repeat(150);
/** Below so much, collecting is not worth it; and what an empty file takes. */
const FIXED_BYTES = 128 * 1024;

function bytesOnDisk(file: string): number {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  return statSync(file).size;
}

/** The size of a file with the same contents that never saw an update. */
function liveBytes(fill: (store: Store) => void): number {
  const file = join(freshFolder(), 'live.db');
  using store = openSqliteStore(file);
  fill(store);
  store.collectGarbage();
  return bytesOnDisk(file);
}

test(`after ${UPDATES} updates of a followed feed the file has grown by at most twice its live data`, () => {
  const file = join(freshFolder(), 'store.db');
  const store = openFile(file);
  const leaves = Array.from({ length: FEED }, (_, i) => messageNode(`${i} ${BODY}`));
  for (let i = 0; i < UPDATES; i++) {
    // A message goes, another comes: all nodes above change.
    leaves.splice((i * 7) % FEED, 1, messageNode(`${i} again ${BODY}`));
    expect(fetchTree(store, 'alice', treeOf(leaves)).status).toBe('adopted');
  }
  const live = liveBytes((fresh) => fetchTree(fresh, 'alice', treeOf(leaves)));
  expect(bytesOnDisk(file)).toBeLessThan(3 * live + FIXED_BYTES);
  expect(store.countMessages()).toBe(FEED);
}, 300_000);

test(`after ${UPDATES} messages of one’s own the file has grown by at most twice its live data`, () => {
  const file = join(freshFolder(), 'store.db');
  const store = openFile(file);
  const publishAll = (into: Store) => {
    for (let i = 0; i < UPDATES; i++) {
      into.publish('me', { date: NOON, inReplyTo: null, body: `${i} ${BODY}` }, NOON_MS);
    }
  };
  publishAll(store);
  const leaves = Array.from({ length: UPDATES }, (_, i) => messageNode(`${i} ${BODY}`));
  const live = liveBytes((fresh) => fetchTree(fresh, 'me', treeOf(leaves)));
  expect(bytesOnDisk(file)).toBeLessThan(3 * live + FIXED_BYTES);
  expect(store.ownFeed().messages).toBe(UPDATES);
}, 300_000);
