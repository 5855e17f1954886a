/**
 * Making a fetched tree a feed's current one, in steps between which a store may commit.
 * The root is noted before anything else is: whoever finds it there, and no root made current, knows the leaves to be those of
 * neither tree, and goes by what is there rather than by what the trees say.
 */
import { comparingTrees } from '../merkle/compare.ts';
import type { InSteps } from '../merkle/in-steps.ts';
import { countingLeaves, type LeafCounts } from '../merkle/leaves.ts';
import type { ReadNode } from '../merkle/read-node.ts';
import { EMPTY_ROOT, type Hash } from '../wire/hash.ts';
import { decodeNode, type MessageFields } from '../wire/node.ts';
import type { Adoption, AdoptionInput } from './store.ts';

/** `Adoption.added` names at most so many messages. */
const MAX_ADDED = 1_000;
/** Adding or removing a leaf takes as long as looking at so many nodes. */
const LEAF_COST = 5;
/** And a portion of leaves to find, or to mark, as long as so many. */
const PORTION_COST = 500;

/** What adoption needs of one feed in a store; the store wraps each step in a transaction. */
export interface FeedIndex {
  readonly read: ReadNode;
  /** The memo of counted subtrees: a node that is in it is whole. */
  readonly leafCounts: LeafCounts;
  currentRoot(): Hash | undefined;
  /** The root whose adoption was begun, and has not ended. */
  adopting(): Hash | undefined;
  setAdopting(root: Hash | undefined): void;
  /** Every leaf that is there, in portions. */
  leaves(): Iterable<readonly Hash[]>;
  /** Adds a leaf of so many bytes; `message` is undefined for a node that is none. False, and nothing is done, if it is there. */
  addLeaf(leaf: Hash, message: MessageFields | undefined, bytes: number): boolean;
  /** Removes a leaf, if it is there. True if a message went with it. */
  removeLeaf(leaf: Hash): boolean;
  /** Takes messages that no signed root had brought for authenticated. True if there may be more of them. */
  authenticateSome(): boolean;
  /** Makes the root current, and remembers the one before. True if it had been current, and superseded, before. */
  setRoot(root: Hash): boolean;
  countMessages(): number;
}

/** What an adoption has done so far: it counts when the work begins anew, too. */
export interface Tally {
  /** Messages. */
  readonly added: Hash[];
  withdrawn: number;
}

export function newTally(): Tally {
  return { added: [], withdrawn: 0 };
}

export function* adoptingTree(index: FeedIndex, input: AdoptionInput, tally = newTally()): InSteps<Adoption> {
  const { root, quota, authenticated, mayWithdraw = true } = input;
  const current = index.currentRoot();
  const abandoned = index.adopting();
  const isChange = current !== root || abandoned !== undefined;
  if (isChange) {
    index.setAdopting(root);
    const count = yield* countingLeaves(root, index.read, index.leafCounts);
    if (!count.complete || count.leaves > quota) {
      index.setAdopting(abandoned);
      if (!count.complete) return { status: 'incomplete', missing: count.missing };
      return { status: 'over-quota', leaves: count.leaves, quota };
    }
    const before = abandoned === undefined ? (current ?? EMPTY_ROOT) : undefined;
    const change = yield* comparingTrees(before ?? EMPTY_ROOT, root, index.read, {
      // What is there is not added.
      hadLeaf: () => false,
      leafCount: (hash) => index.leafCounts.get(hash),
    });
    // Where leaves of no one tree are left over, nobody knows what would go.
    if (!mayWithdraw && (before === undefined || change.removed.length > 0)) {
      index.setAdopting(abandoned);
      return { status: 'withdraws' };
    }
    yield* changeLeaves(index, before === undefined ? { ...change, removed: undefined } : change, tally);
  }
  if (authenticated) while (index.authenticateSome()) yield PORTION_COST;
  const wentBack = isChange && index.setRoot(root);
  return {
    status: 'adopted',
    newMessages: tally.added.length,
    withdrawnMessages: tally.withdrawn,
    totalMessages: index.countMessages(),
    added: tally.added.slice(-MAX_ADDED),
    wentBack,
  };
}

/** `removed` is undefined if the leaves that are there are those of no one tree: whatever is not added goes. */
function* changeLeaves(
  index: FeedIndex,
  { added, removed }: { readonly added: readonly Hash[]; readonly removed: readonly Hash[] | undefined },
  tally: Tally,
): InSteps<void> {
  for (const leaf of added) {
    const value = index.read(leaf);
    const message = messageIn(value);
    const isNew = index.addLeaf(leaf, message, value?.length ?? 0);
    if (isNew && message !== undefined) tally.added.push(leaf);
    yield LEAF_COST;
  }
  const wanted = new Set(added);
  for (const portion of removed === undefined ? index.leaves() : [removed]) {
    for (const leaf of portion) {
      if (wanted.has(leaf)) continue;
      if (index.removeLeaf(leaf)) tally.withdrawn += 1;
      yield LEAF_COST;
    }
    if (removed === undefined) yield PORTION_COST;
  }
}

/** The message in a leaf; undefined for a leaf of another kind, or a malformed one. */
export function messageIn(value: Uint8Array | undefined): MessageFields | undefined {
  const node = value === undefined ? undefined : decodeNode(value);
  return node?.ok && node.value.kind === 'message' ? node.value : undefined;
}
