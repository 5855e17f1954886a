/**
 * Adding one message at the end of a published tree: the right edge is loaded once, each append then costs one node per
 * level and no reading (build.ts says why).
 */
import { type Hash, isEmptyRoot } from '../wire/hash.ts';
import { MAX_CHILDREN } from '../wire/node.ts';
import { entryForRun, levelSizes } from './build.ts';
import { ForeignShapeError } from './foreign-shape-error.ts';
import { MissingNodeError } from './missing-node-error.ts';
import { childrenOf, type ReadNode } from './read-node.ts';

/** All that an append needs of a tree, whatever its size. Immutable. */
export interface RightEdge {
  /** Leaves, repeats included. */
  readonly count: number;
  /** The last run (1 to 32 hashes) of each level, leaves first; the topmost holds the root alone. */
  readonly runs: readonly (readonly Hash[])[];
}

/** An internal node as it is to be stored. */
export interface CreatedNode {
  readonly hash: Hash;
  readonly value: Uint8Array;
}

export interface Append {
  readonly edge: RightEdge;
  readonly root: Hash;
  /**
   * The internal nodes made, children before parents. None of them stood in the tree before, with one exception that
   * only repeated messages can bring about: a run that this append fills may equal an earlier full run. Storing it
   * again changes nothing.
   */
  readonly created: readonly CreatedNode[];
  /** Internal nodes of the old right edge that stand nowhere in the new tree, from the bottom up. */
  readonly superseded: readonly Hash[];
}

/**
 * Finds the right edge of a canonical tree, reading at most one internal node per level and no leaf. `count` is the
 * number of leaves: it has to be known, for the nodes on the way give away most wrong counts, but not all.
 * @throws MissingNodeError if a node of the right edge is not at hand
 * @throws ForeignShapeError if the tree is not the canonical one for `count` leaves
 * @throws InvalidNodeError if a node on the way is not valid
 */
export function loadRightEdge(root: Hash, count: number, read: ReadNode): RightEdge {
  if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`not a number of leaves: ${count}`);
  if (isEmptyRoot(root) !== (count === 0)) throw new ForeignShapeError(root, count);
  if (count === 0) return { count, runs: [] };

  const runs: (readonly Hash[])[] = [];
  let last = root;
  for (const size of levelSizes(count).reverse()) {
    const length = ((size - 1) % MAX_CHILDREN) + 1;
    // A run of one stands for itself: the hash above is the run.
    const run = length === 1 ? [last] : childrenOf(last, read);
    if (run === undefined) throw new MissingNodeError(last);
    const end = run.at(-1);
    if (run.length !== length || end === undefined) throw new ForeignShapeError(root, count);
    runs.push(run);
    last = end;
  }
  return { count, runs: runs.reverse() };
}

/** Adds one leaf at the end. Pure: the edge that went in stays valid for the old tree. */
export function appendLeaf(edge: RightEdge, leaf: Hash): Append {
  const runs: (readonly Hash[])[] = [];
  const created: CreatedNode[] = [];
  const superseded: Hash[] = [];

  // What changes at the end of the level at hand: `entry` is added, or takes the place of the level's last hash.
  let entry = leaf;
  let replaces = false;
  let size = edge.count;
  for (let level = 0; ; level += 1) {
    const before = edge.runs[level] ?? [];
    const opensRun: boolean = !replaces && before.length === MAX_CHILDREN;
    const run = opensRun ? [entry] : [...(replaces ? before.slice(0, -1) : before), entry];
    runs.push(run);

    const sizeAfter = replaces ? size : size + 1;
    if (sizeAfter === 1) return { edge: { count: edge.count + 1, runs }, root: entry, created, superseded };

    const replaced = edge.runs[level + 1]?.at(-1);
    if (!opensRun && before.length > 1 && replaced !== undefined) superseded.push(replaced);
    const { hash, value } = entryForRun(run);
    if (value) created.push({ hash, value });
    entry = hash;
    replaces = !opensRun;
    size = Math.ceil(size / MAX_CHILDREN);
  }
}
