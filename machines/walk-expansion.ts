/** What the nodes of a tree lead to: their children, as far as these were not met before; pure. */
import { type HashSet, hasHash, withHash } from '../src/merkle/hash-set.ts';
import type { Hash } from '../src/wire/hash.ts';
import { maskOf } from './bulk-answer.ts';
import type { ReceivedNode } from './events.ts';
import { childrenOf } from './tree-nodes.ts';
import type { Group, Suspected } from './walk-frontier.ts';

export interface Met {
  readonly seen: HashSet;
  readonly tip: Hash | undefined;
  readonly suspected: Suspected | undefined;
}

/** `groups`: one for each internal node of this tree, in the order of the nodes. Nodes of a former tree lead nowhere. */
export function expand(met: Met, nodes: readonly ReceivedNode[]): Met & { readonly groups: readonly Group[] } {
  const groups = new Map<ReceivedNode, Group>();
  let { seen, tip, suspected } = met;
  // Parents come last, as their newest children do: those that are not met yet are gone through once more.
  let left = nodes;
  for (let isGoingOn = true; isGoingOn; ) {
    isGoingOn = false;
    const later: ReceivedNode[] = [];
    for (const node of left) {
      if (!hasHash(seen, node.hash)) {
        later.push(node);
        continue;
      }
      const children = childrenOf(node.value);
      if (tip === node.hash) tip = children.at(-1);
      if (children.length === 0) continue;
      let mask = 0;
      for (const [bit, hash] of children.entries()) {
        if (hasHash(seen, hash)) continue;
        seen = withHash(seen, hash);
        mask = (mask | (1 << bit)) >>> 0;
      }
      isGoingOn ||= mask !== 0;
      if (suspected?.parent === node.hash) {
        mask = (mask & ~suspected.mask) >>> 0;
        suspected = undefined;
      }
      const depth = node.depth === undefined ? undefined : node.depth + 1;
      groups.set(node, { parent: node.hash, children, mask: (mask & maskOf(children.length)) >>> 0, depth });
    }
    left = later;
  }
  return { seen, tip, suspected, groups: nodes.flatMap((node) => groups.get(node) ?? []) };
}

/** But for those that are known. */
export function without(group: Group, known: ReadonlyMap<Hash, unknown>): Group {
  const mask = group.children.reduce((bits, hash, bit) => (known.has(hash) ? bits & ~(1 << bit) : bits), group.mask);
  return { ...group, mask: mask >>> 0 };
}
