/** Making a fetched tree a feed's current one: the same steps for every kind of store. */
import { compareTrees } from '../merkle/compare.ts';
import { countLeaves, type LeafCounts } from '../merkle/leaves.ts';
import type { ReadNode } from '../merkle/read-node.ts';
import { EMPTY_ROOT, type Hash, isEmptyRoot } from '../wire/hash.ts';
import { decodeNode, type MessageFields } from '../wire/node.ts';
import type { Adoption, AdoptionInput } from './store.ts';

/** `Adoption.added` names at most so many messages. */
const MAX_ADDED = 1_000;

/** What adoption needs of one feed in a store; the store wraps it in a transaction. */
export interface FeedIndex {
  readonly read: ReadNode;
  /** The memo of counted subtrees: a node that is in it is whole. */
  readonly leafCounts: LeafCounts;
  currentRoot(): Hash | undefined;
  hadLeaf(leaf: Hash): boolean;
  /** Adds a leaf of so many bytes; `message` is undefined for a node that is none. */
  addLeaf(leaf: Hash, message: MessageFields | undefined, bytes: number): void;
  /** Removes a leaf. True if a message went with it. */
  removeLeaf(leaf: Hash): boolean;
  /** Makes the root current, after its leaves are added, and remembers the one before. True if it had been current, and superseded, before. */
  setRoot(root: Hash): boolean;
  countMessages(): number;
}

export function adoptTree(index: FeedIndex, { root, quota }: AdoptionInput): Adoption {
  const current = index.currentRoot();
  if (current === root) return unchanged(index);
  if (!isEmptyRoot(root)) {
    const count = countLeaves(root, index.read, index.leafCounts);
    if (!count.complete) return { status: 'incomplete', missing: count.missing };
    if (count.leaves > quota) return { status: 'over-quota', leaves: count.leaves, quota };
  }
  const isFirst = current === undefined || isEmptyRoot(current);
  const hadLeaf = isFirst ? () => false : (leaf: Hash) => index.hadLeaf(leaf);
  const change = compareTrees(current ?? EMPTY_ROOT, root, index.read, {
    hadLeaf,
    leafCount: (hash) => index.leafCounts.get(hash),
  });
  let withdrawnMessages = 0;
  for (const leaf of change.removed) if (index.removeLeaf(leaf)) withdrawnMessages += 1;
  const added: Hash[] = [];
  for (const leaf of change.added) {
    const value = index.read(leaf);
    const message = messageIn(value);
    index.addLeaf(leaf, message, value?.length ?? 0);
    if (message !== undefined) added.push(leaf);
  }
  const wentBack = index.setRoot(root);
  return {
    status: 'adopted',
    newMessages: added.length,
    withdrawnMessages,
    totalMessages: index.countMessages(),
    added: added.slice(-MAX_ADDED),
    wentBack,
  };
}

function unchanged(index: FeedIndex): Adoption {
  const totalMessages = index.countMessages();
  return { status: 'adopted', newMessages: 0, withdrawnMessages: 0, totalMessages, added: [], wentBack: false };
}

/** The message in a leaf; undefined for a leaf of another kind, or a malformed one. */
export function messageIn(value: Uint8Array | undefined): MessageFields | undefined {
  const node = value === undefined ? undefined : decodeNode(value);
  return node?.ok && node.value.kind === 'message' ? node.value : undefined;
}
