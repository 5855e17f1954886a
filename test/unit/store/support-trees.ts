/** Trees to put into stores; scripts that tests start use them as well. */
import { wireDate } from '../../../src/feed/message.ts';
import { buildTree } from '../../../src/merkle/build.ts';
import type { StoredNode } from '../../../src/store/store.ts';
import { type Hash, hashOf } from '../../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../../src/wire/node.ts';

/** Noon of 2026-01-01, Unix ms, and as dates on the wire count. */
export const NOON_MS = Date.UTC(2026, 0, 1, 12);
export const NOON = wireDate(NOON_MS);

export function node(value: Uint8Array): StoredNode {
  return { hash: hashOf(value), value };
}

export function messageNode(body: string, date = NOON, inReplyTo: Hash | null = null): StoredNode {
  return node(encodeMessage({ date, inReplyTo, body }));
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
