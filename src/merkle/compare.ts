/**
 * What changed between two trees, as sets of leaves.
 *
 * Both trees are explored from their roots, one generation at a time and in turn. A hash that was met in both is
 * *shared*: its subtree is the same on both sides, so neither goes below it, and whatever one side had already found
 * below it is shared too. Exploring in turn is what makes the cost follow the change whichever tree is the deeper one:
 * when a tree has grown a level on top, the new side meets the old root after one step, and the old side has not gone
 * further by then. After an append to a canonical tree that is two nodes a level and the new leaf; for a chain whose
 * new root holds the old one, the new root and the new leaf.
 *
 * A leaf found outside the shared subtrees on one side only has nearly certainly come or gone. "Nearly": the same
 * message may stand in several places, once more inside a shared subtree. No digest tells, so an exact answer looks
 * there as well, but only if there are such leaves, and only until the last of them is settled. A caller that has an
 * index of the old leaves spares itself that search for the added ones (`hadLeaf`); removed ones are rare enough to be
 * searched for.
 */
import { type Hash, isEmptyRoot } from '../wire/hash.ts';
import { finish, type InSteps } from './in-steps.ts';
import { MissingNodeError } from './missing-node-error.ts';
import { childrenOf, type ReadNode } from './read-node.ts';

export interface TreeChange {
  /** Leaves of the new tree that are not leaves of the old one; each once, in tree order of the new tree. */
  readonly added: readonly Hash[];
  /** Leaves of the old tree that are not leaves of the new one; each once, in tree order of the old tree. */
  readonly removed: readonly Hash[];
}

export interface CompareOptions {
  /**
   * Whether a hash is a leaf of the old tree, by an index. Without it, any addition makes the shared subtrees be
   * searched.
   */
  readonly hadLeaf?: (leaf: Hash) => boolean;
  /** How many leaves are below a node, as far as it is known: a node with as many children has leaves only, and they are not read. */
  readonly leafCount?: (hash: Hash) => number | undefined;
}

/**
 * The exact difference of two trees of any shape. An old tree may be partly collected: a node of it that is not at hand
 * counts as a leaf of unknown content. The new tree must be whole where the comparison goes.
 * @throws MissingNodeError if a node of the new tree is not at hand
 * @throws InvalidNodeError if an internal node is not valid
 */
export function compareTrees(oldRoot: Hash, newRoot: Hash, read: ReadNode, options: CompareOptions = {}): TreeChange {
  return finish(comparingTrees(oldRoot, newRoot, read, options));
}

/** As `compareTrees`, in steps. */
export function* comparingTrees(
  oldRoot: Hash,
  newRoot: Hash,
  read: ReadNode,
  options: CompareOptions = {},
): InSteps<TreeChange> {
  const before: Side = { root: oldRoot, mayLackNodes: true, known: new Map(), frontier: [] };
  const after: Side = { root: newRoot, mayLackNodes: false, known: new Map(), frontier: [] };
  const { hadLeaf, leafCount = () => undefined } = options;
  const shared = yield* findShared(before, after, read, leafCount);

  const cameOrGone = new Set(yield* unsharedLeaves(before, shared));
  const came = yield* unsharedLeaves(after, shared);
  const added = hadLeaf ? came.filter((leaf) => !hadLeaf(leaf)) : came;
  const removed = [...cameOrGone];
  if (!hadLeaf) for (const leaf of added) cameOrGone.add(leaf);

  const elsewhere = yield* findBelow(shared, cameOrGone, (hash) => {
    const children = after.known.get(hash) ?? before.known.get(hash);
    return children?.length ? children : openNode(hash, read);
  });
  return {
    added: added.filter((leaf) => !elsewhere.has(leaf)),
    removed: removed.filter((leaf) => !elsewhere.has(leaf)),
  };
}

/** One of the two trees, as far as it has been explored. */
interface Side {
  readonly root: Hash;
  readonly mayLackNodes: boolean;
  /** Every hash met, with its children once it was opened. A leaf keeps none. */
  readonly known: Map<Hash, readonly Hash[]>;
  /** Met, not yet opened: one generation. */
  frontier: Hash[];
}

type LeafCount = (hash: Hash) => number | undefined;

/** What a hash costs that is only met, beside a node that is read. */
const IN_MEMORY = 0.25;

const NO_CHILDREN: readonly Hash[] = [];

/** Explores both sides until every node met is opened or shared; returns the shared ones. */
function* findShared(before: Side, after: Side, read: ReadNode, leafCount: LeafCount): InSteps<Set<Hash>> {
  const shared = new Set<Hash>();
  meet(before, after, before.root, shared);
  meet(after, before, after.root, shared);
  while (before.frontier.length > 0 || after.frontier.length > 0) {
    // The new side first: it is the one that may find the other's root one level down.
    yield* openGeneration(after, before, shared, read, leafCount);
    yield* openGeneration(before, after, shared, read, leafCount);
  }
  return shared;
}

function* openGeneration(
  side: Side,
  other: Side,
  shared: Set<Hash>,
  read: ReadNode,
  leafCount: LeafCount,
): InSteps<void> {
  const generation = side.frontier;
  side.frontier = [];
  for (const hash of generation) {
    if (shared.has(hash)) continue;
    const children = side.mayLackNodes ? (childrenOf(hash, read) ?? NO_CHILDREN) : openNode(hash, read);
    side.known.set(hash, children);
    const areLeaves = leafCount(hash) === children.length;
    for (const child of children) meet(side, other, child, shared, areLeaves);
    yield 1 + children.length * IN_MEMORY;
  }
}

/** Takes note of a hash that a side refers to; a leaf need not be opened. */
function meet(side: Side, other: Side, hash: Hash, shared: Set<Hash>, isLeaf = false): void {
  if (isEmptyRoot(hash) || side.known.has(hash) || shared.has(hash)) return;
  if (other.known.has(hash)) {
    // One of the two may have gone below it already: whatever is known there is shared as well, and need not be opened.
    const below = [hash];
    for (let next = below.pop(); next !== undefined; next = below.pop()) {
      if (shared.has(next)) continue;
      shared.add(next);
      below.push(...(other.known.get(next) ?? NO_CHILDREN));
      below.push(...(side.known.get(next) ?? NO_CHILDREN));
    }
    return;
  }
  side.known.set(hash, NO_CHILDREN);
  if (!isLeaf) side.frontier.push(hash);
}

/** The leaves that a side reaches without entering a shared subtree: each once, left to right. */
function* unsharedLeaves(side: Side, shared: ReadonlySet<Hash>): InSteps<Hash[]> {
  const leaves: Hash[] = [];
  const seen = new Set<Hash>();
  const stack = [side.root];
  for (let hash = stack.pop(); hash !== undefined; hash = stack.pop()) {
    const children = side.known.get(hash);
    if (children === undefined || shared.has(hash) || seen.has(hash)) continue;
    seen.add(hash);
    if (children.length === 0) leaves.push(hash);
    else yield children.length * IN_MEMORY;
    stack.push(...children.toReversed());
  }
  return leaves;
}

/** Those of `wanted` that stand in one of the subtrees `roots`. Stops as soon as none is left to be found. */
function* findBelow(
  roots: ReadonlySet<Hash>,
  wanted: ReadonlySet<Hash>,
  open: (hash: Hash) => readonly Hash[],
): InSteps<ReadonlySet<Hash>> {
  const found = new Set<Hash>();
  const seen = new Set<Hash>();
  const stack = [...roots];
  while (found.size < wanted.size) {
    const hash = stack.pop();
    if (hash === undefined) break;
    if (seen.has(hash)) continue;
    seen.add(hash);
    yield 1;
    if (wanted.has(hash)) found.add(hash);
    else stack.push(...open(hash));
  }
  return found;
}

function openNode(hash: Hash, read: ReadNode): readonly Hash[] {
  const children = childrenOf(hash, read);
  if (children === undefined) throw new MissingNodeError(hash);
  return children;
}
