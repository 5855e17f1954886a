/**
 * Taking a message out of a published tree. Every other message keeps its place: another leaf takes the withdrawn one's, of a type that
 * nobody knows, so that readers show nothing for it (protocol §2). The tree then changes along one path, and stays canonical for its
 * number of leaves; dropping the leaf would move all later ones, and change every node to the right of it.
 */
import type { Hash } from '../wire/hash.ts';
import { isEmptyRoot } from '../wire/hash.ts';
import { MAX_CHILDREN } from '../wire/node.ts';
import type { CreatedNode } from './append.ts';
import { entryForRun, levelSizes } from './build.ts';
import { ForeignShapeError } from './foreign-shape-error.ts';
import { MissingNodeError } from './missing-node-error.ts';
import { childrenOf, type ReadNode } from './read-node.ts';

/** What stands where a message stood. The same for all, so that readers fetch it once; legible in a dump; its type, 87, is no known one. */
export const TOMBSTONE: Uint8Array = new TextEncoder().encode('Withdrawn');

export interface Replacement {
  readonly root: Hash;
  /** The internal nodes made, children before parents. */
  readonly created: readonly CreatedNode[];
}

/**
 * The leaves of a canonical tree in order, repeats included; reads internal nodes only, each once.
 * @throws MissingNodeError if a node is not at hand
 * @throws ForeignShapeError if the tree is not the canonical one for `count` leaves
 */
export function canonicalLeaves(root: Hash, count: number, read: ReadNode): Hash[] {
  if (isEmptyRoot(root) !== (count === 0)) throw new ForeignShapeError(root, count);
  const sizes = levelSizes(count);
  let level: Hash[] = count === 0 ? [] : [root];
  // The topmost level is the root itself.
  for (const size of sizes.reverse().slice(1)) {
    const below: Hash[] = [];
    for (const [run, entry] of level.entries()) below.push(...runOf(entry, run, { size, root, count }, read));
    level = below;
  }
  return level;
}

/**
 * Puts `leaf` where the leaf number `position` (from 0) stands. Reads and makes one node per level.
 * @throws RangeError if there is no such position
 * @throws MissingNodeError, ForeignShapeError as above
 */
export function replaceLeaf(root: Hash, count: number, position: number, leaf: Hash, read: ReadNode): Replacement {
  if (!(position >= 0 && position < count)) throw new RangeError(`no leaf ${position} among ${count}`);
  const sizes = levelSizes(count);
  // From the root down: the run on each level that the path goes through.
  const path: { run: readonly Hash[]; at: number }[] = [];
  let entry = root;
  for (let level = sizes.length - 2; level >= 0; level--) {
    const index = Math.floor(position / MAX_CHILDREN ** level);
    const size = sizes[level] ?? 0;
    const run = runOf(entry, Math.floor(index / MAX_CHILDREN), { size, root, count }, read);
    const at = index % MAX_CHILDREN;
    path.push({ run, at });
    entry = run[at] ?? entry;
  }

  const created: CreatedNode[] = [];
  let changed = leaf;
  for (const { run, at } of path.reverse()) {
    const { hash, value } = entryForRun(run.with(at, changed));
    if (value) created.push({ hash, value });
    changed = hash;
  }
  return { root: changed, created };
}

interface Level {
  /** Hashes on the level of the run. */
  readonly size: number;
  /** Of the tree, to complain about. */
  readonly root: Hash;
  readonly count: number;
}

/** The hashes that `entry` stands for: run number `run` of a level. A run of one stands for itself. */
function runOf(entry: Hash, run: number, { size, root, count }: Level, read: ReadNode): readonly Hash[] {
  const length = Math.min(MAX_CHILDREN, size - run * MAX_CHILDREN);
  if (length === 1) return [entry];
  const children = childrenOf(entry, read);
  if (children === undefined) throw new MissingNodeError(entry);
  if (children.length !== length) throw new ForeignShapeError(root, count);
  return children;
}
