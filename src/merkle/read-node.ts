/** How the algorithms of this room see a tree: a way to read a node's bytes, and what a node's children are. */
import type { Hash } from '../wire/hash.ts';
import { decodeNode, nodeKind } from '../wire/node.ts';
import { InvalidNodeError } from './invalid-node-error.ts';

/** Gives a node's bytes, already checked against its hash; undefined if it is not at hand. */
export type ReadNode = (hash: Hash) => Uint8Array | undefined;

const NO_CHILDREN: readonly Hash[] = [];

/**
 * The children of a node, left to right: none for a leaf (messages and unknown types alike, protocol §2), undefined if
 * the node is not at hand.
 * @throws InvalidNodeError for an internal node that protocol §2 does not allow
 */
export function childrenOf(hash: Hash, read: ReadNode): readonly Hash[] | undefined {
  const bytes = read(hash);
  if (bytes === undefined) return undefined;
  // Leaves are told by their first byte: their bodies are nobody's business here, and a broken one is a leaf all the same.
  if (nodeKind(bytes) !== 'internal') return NO_CHILDREN;
  const node = decodeNode(bytes);
  if (!node.ok) throw new InvalidNodeError(hash, node.why);
  return node.value.kind === 'internal' ? node.value.children : NO_CHILDREN;
}
