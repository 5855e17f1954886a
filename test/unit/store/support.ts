/** Stores to test, and trees to put into them. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Adoption, AdoptionInput, Store } from '../../../src/store/store.ts';
import { NOON_MS, type Tree } from './support-trees.ts';

export * from './support-trees.ts';

/** Where files are in memory, if the system has that: tests of the store would wait for the disk most of the time. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function freshFolder(): string {
  const folder = mkdtempSync(join(MEMORY, 'murmure-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openFile(file: string): Store {
  const store = openSqliteStore(file);
  onTestFinished(() => store.close());
  return store;
}

export function openInMemory(): Store {
  return openFile(':memory:');
}

export interface FetchOptions {
  readonly nowMs?: number;
  readonly authenticated?: boolean;
  readonly quota?: number;
  readonly mayWithdraw?: boolean;
}

/** Step after step, until it is done. */
export function adoptWholly(store: Store, input: AdoptionInput): Adoption {
  for (let call = 0; call < 10_000; call++) {
    const adoption = store.adopt(input);
    if (adoption.status !== 'underway') return adoption;
  }
  throw new Error('not adopted in 10,000 calls');
}

/** What a walk does: all nodes come, then the tree is adopted. */
export function fetchTree(store: Store, feed: string, { root, nodes }: Tree, options: FetchOptions = {}): Adoption {
  const { nowMs = NOON_MS, authenticated = true, quota = 1_000_000, mayWithdraw = true } = options;
  store.beginWalk(feed, root, nowMs);
  store.putNodes(nodes);
  const adoption = adoptWholly(store, { feed, root, nowMs, authenticated, quota, mayWithdraw });
  if (adoption.status !== 'incomplete') store.endWalk(feed);
  return adoption;
}

export function bodies(store: Store, author?: string): string[] {
  const query = author === undefined ? { limit: 10_000 } : { authors: [author], limit: 10_000 };
  return store.messages(query).map(({ body }) => body);
}
