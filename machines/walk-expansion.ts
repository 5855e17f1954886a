/** What the nodes of a tree lead to: their children, as far as these were not met before; pure. */
import { type HashSet, hasHash, withHashes } from '../src/merkle/hash-set.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { ReceivedNode } from './events.ts';
import { childrenOf } from './tree-nodes.ts';
import type { Group, Suspected } from './walk-frontier.ts';

export interface Met {
  readonly seen: HashSet;
  readonly tip: Hash | undefined;
  readonly suspected: Suspected | undefined;
}

/**
 * `groups`: one for each internal node of this tree, in the order of the nodes, in which parents stand before their children. Nodes of a
 * former tree lead nowhere.
 */
export function expand(met: Met, nodes: readonly ReceivedNode[]): Met & { readonly groups: readonly Group[] } {
  const groups: Group[] = [];
  const fresh = new Set<Hash>();
  const { seen } = met;
  let { tip, suspected } = met;
  for (const { hash: parent, value, depth } of nodes) {
    const children = childrenOf(value);
    // Most nodes are leaves, and lead nowhere.
    if (children.length === 0 && tip !== parent && suspected?.parent !== parent) continue;
    if (!hasHash(seen, parent) && !fresh.has(parent)) continue;
    if (tip === parent) tip = children.at(-1);
    let mask = 0;
    for (let bit = 0; bit < children.length; bit++) {
      const hash = children[bit] as Hash;
      if (fresh.has(hash) || hasHash(seen, hash)) continue;
      fresh.add(hash);
      mask = (mask | (1 << bit)) >>> 0;
    }
    if (suspected?.parent === parent) {
      mask = (mask & ~suspected.mask) >>> 0;
      suspected = undefined;
    }
    if (mask !== 0) groups.push({ parent, children, mask, depth: depth === undefined ? undefined : depth + 1 });
  }
  return { seen: withHashes(seen, [...fresh]), tip, suspected, groups };
}

/** But for those that are known. */
export function without(group: Group, known: ReadonlyMap<Hash, unknown>): Group {
  const mask = group.children.reduce((bits, hash, bit) => (known.has(hash) ? bits & ~(1 << bit) : bits), group.mask);
  return { ...group, mask: mask >>> 0 };
}
