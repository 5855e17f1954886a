/**
 * A node that says "I hold a later tree of yours than the one with this root". It is an unknown node (protocol §2, §10), so that whoever
 * does not know it has no node of its hash. It tells what no node of the tree does: a root that stands in every later tree as well, or none
 * at all, is served whether or not there is one (docs/adr/0016).
 */
import { concatBytes } from '@noble/hashes/utils.js';
import { EMPTY_ROOT, type Hash, hashOf, hashToBytes, isEmptyRoot } from '../wire/hash.ts';
import { decodeNode } from '../wire/node.ts';
import { FULL_TREES } from './build.ts';

/** Its first byte is that of neither a message nor an internal node. */
const PREFIX = new TextEncoder().encode('later tree than ');

export function laterTreeNode(author: string, root: Hash): Uint8Array {
  return concatBytes(PREFIX, hashToBytes(root), new TextEncoder().encode(author));
}

export function laterTreeHash(author: string, root: Hash): Hash {
  return hashOf(laterTreeNode(author, root));
}

/** The node of that hash, if it is about a tree with which the present one begins. */
export function laterTreeNodeOf(
  hash: Hash,
  author: string,
  present: Hash | undefined,
  getNode: (hash: Hash) => Uint8Array | undefined,
): Uint8Array | undefined {
  if (present === undefined || isEmptyRoot(present)) return undefined;
  for (const root of beginningsOf(present, getNode)) {
    const node = laterTreeNode(author, root);
    if (hashOf(node) === hash) return node;
  }
  return undefined;
}

/** No messages, and the left edge below the root: as deep as trees of ours are. */
function* beginningsOf(present: Hash, getNode: (hash: Hash) => Uint8Array | undefined): Iterable<Hash> {
  yield EMPTY_ROOT;
  let hash = present;
  for (const _ of FULL_TREES) {
    const value = getNode(hash);
    const node = value === undefined ? undefined : decodeNode(value);
    if (node?.ok !== true || node.value.kind !== 'internal') return;
    hash = node.value.children[0] as Hash;
    yield hash;
  }
}
