/** Stores to test, and trees to put into them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { wireDate } from '../../../src/feed/message.ts';
import { buildTree } from '../../../src/merkle/build.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import type { Adoption, AdoptionInput, Store, StoredNode } from '../../../src/store/store.ts';
import { type Hash, hashOf } from '../../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../../src/wire/node.ts';

/** Noon of 2026-01-01, Unix ms, and as dates on the wire count. */
export const NOON_MS = Date.UTC(2026, 0, 1, 12);
export const NOON = wireDate(NOON_MS);

export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-store-'));
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

export function node(value: Uint8Array): StoredNode {
  return { hash: hashOf(value), value };
}

export function messageNode(body: string, date = NOON): StoredNode {
  return node(encodeMessage({ date, inReplyTo: null, body }));
}

export interface Tree {
  readonly root: Hash;
  readonly nodes: readonly StoredNode[];
}

/** The canonical tree over these leaves. */
export function treeOf(leaves: readonly StoredNode[]): Tree {
  const { root, nodes } = buildTree(leaves.map(({ hash }) => hash));
  const internal = nodes.entries().map(([hash, value]) => ({ hash, value }));
  return { root, nodes: [...leaves, ...internal] };
}

export function treeOfBodies(...bodies: string[]): Tree {
  return treeOf(bodies.map((body) => messageNode(body)));
}

export function parentOf(...children: Hash[]): StoredNode {
  return node(encodeInternal(children));
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
