/**
 * The tree that this project publishes (protocol §2), built from scratch. Any shape is legal for a reader; a publisher
 * picks one, and ours is picked so that publishing one more message costs next to nothing, for us and for everyone who
 * follows.
 *
 * **The shape.** Level 0 is the leaves, oldest first. While a level has more than one hash, cut it from the left into
 * runs of 32:
 *
 *     level 2  (root)             R
 *                       ┌─────────┼─────────┐
 *     level 1           P         Q        l64
 *                   ┌───┴───┐ ┌───┴───┐     ┊    a run of one stands for itself
 *     level 0       l0 … l31  l32 … l63    l64
 *
 * A full run becomes an internal node, and so does a partial one; a run of one hash *is* its own entry on the next
 * level, since an internal node needs two children. So the shape depends on the number of leaves alone, and the same
 * messages always give the same root.
 *
 * **Why an append touches one node per level.** Runs are cut from the left, so all but the last run of each level are
 * full and never change again. A new leaf either joins the last run of level 0, whose node is then replaced, or opens a
 * run of its own. Either way exactly one entry changes at the end of level 1: replaced in the first case, added in the
 * second. The same argument holds there, and so on to the root: ⌈log₃₂ n⌉ new nodes, three for 30,000 messages.
 *
 * **Why the right edge can be found from the root and the count alone.** The number n of leaves fixes the size of every
 * level (⌈n/32⌉, ⌈n/32²⌉, …), hence the length of every last run: ((size − 1) mod 32) + 1. The last run of a level is
 * the last child of the last run above it: walking down from the root by the last child passes all of them, and where
 * the length is one no node was made and none is read. append.ts does that, and from then on needs no reading at all.
 */
import { EMPTY_ROOT, type Hash, hashOf } from '../wire/hash.ts';
import { encodeInternal, MAX_CHILDREN } from '../wire/node.ts';

/** A tree as published: its root and its internal nodes by hash (the leaves are the caller's). */
export interface BuiltTree {
  readonly root: Hash;
  readonly nodes: Map<Hash, Uint8Array>;
}

/**
 * Builds the canonical tree over the hashes of messages, oldest first. No leaves: `EMPTY_ROOT`; one: the leaf itself
 * (protocol §2). The same leaf may stand in several places.
 */
export function buildTree(leaves: readonly Hash[]): BuiltTree {
  const nodes = new Map<Hash, Uint8Array>();
  let level = leaves;
  while (level.length > 1) {
    const above: Hash[] = [];
    for (let start = 0; start < level.length; start += MAX_CHILDREN) {
      const run = level.slice(start, start + MAX_CHILDREN);
      const entry = entryForRun(run);
      if (entry.value) nodes.set(entry.hash, entry.value);
      above.push(entry.hash);
    }
    level = above;
  }
  return { root: level[0] ?? EMPTY_ROOT, nodes };
}

/** What stands for a run on the next level: its only hash (then there is no `value`), or a new internal node. */
export function entryForRun(run: readonly Hash[]): { readonly hash: Hash; readonly value?: Uint8Array } {
  const [only] = run;
  if (only !== undefined && run.length === 1) return { hash: only };
  const value = encodeInternal(run);
  return { hash: hashOf(value), value };
}

/** The sizes of the levels over `count` leaves, from the leaves up to the root: 1,025 → [1025, 33, 2, 1]; 0 → []. */
export function levelSizes(count: number): number[] {
  if (count === 0) return [];
  const sizes = [count];
  for (let size = count; size > 1; ) {
    size = Math.ceil(size / MAX_CHILDREN);
    sizes.push(size);
  }
  return sizes;
}

/** How many leaves are below a node that no later message changes (protocol §2): 1, 32, 1,024, … */
export const FULL_TREES: readonly number[] = Array.from({ length: 6 }, (_, level) => MAX_CHILDREN ** level);
