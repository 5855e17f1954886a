/** What machines read in tree nodes (protocol §2); pure. */
import type { Hash } from '../src/wire/hash.ts';
import { decodeNode, nodeKind } from '../src/wire/node.ts';

/** Children of an internal node, in order; none for a leaf, and for what is no valid node. */
export function childrenOf(value: Uint8Array): readonly Hash[] {
  if (nodeKind(value) !== 'internal') return [];
  const node = decodeNode(value);
  return node.ok && node.value.kind === 'internal' ? node.value.children : [];
}
