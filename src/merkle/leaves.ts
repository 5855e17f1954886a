/**
 * The leaves of a tree: listed, and counted. Both are iterative, so that depth costs memory and never call stack;
 * counting visits each distinct node once, so that a handful of nodes that expand to billions of leaves is counted in a
 * handful of reads (protocol §9).
 */
import { type Hash, isEmptyRoot } from '../wire/hash.ts';
import { finish, type InSteps } from './in-steps.ts';
import { MissingNodeError } from './missing-node-error.ts';
import { childrenOf, type ReadNode } from './read-node.ts';

export interface LeavesOptions {
  /** Stop after this many leaves. Default: no limit; give one for a tree whose leaves were not counted. */
  readonly limit?: number;
}

/**
 * The leaves in depth-first, left-to-right order, repeats included: the messages of a peer in the order it gives them
 * (protocol §2).
 * @throws MissingNodeError when the walk comes to a node that is not at hand
 * @throws InvalidNodeError when it comes to an internal node that is not valid
 */
export function* leavesOf(root: Hash, read: ReadNode, options: LeavesOptions = {}): Generator<Hash, void, undefined> {
  if (isEmptyRoot(root)) return;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  const path = [{ children: [root] as readonly Hash[], next: 0 }];
  while (left > 0) {
    const frame = path.at(-1);
    if (frame === undefined) return;
    const hash = frame.children[frame.next];
    frame.next += 1;
    // A frame goes before its last child is entered: a chain that leans to the right is walked in constant memory.
    if (frame.next >= frame.children.length) path.pop();
    if (hash === undefined) continue;

    const children = childrenOf(hash, read);
    if (children === undefined) throw new MissingNodeError(hash);
    if (children.length > 0) {
      path.push({ children, next: 0 });
    } else {
      yield hash;
      left -= 1;
    }
  }
}

/**
 * Remembers how many leaves are below a node. A `Map` will do; a store may keep it for good, as a hash never changes
 * its meaning.
 */
export interface LeafCounts {
  get(hash: Hash): number | undefined;
  set(hash: Hash, leaves: number): unknown;
}

/** `leaves` saturates at Number.MAX_SAFE_INTEGER; `missing` is the first missing node in tree order. */
export type LeafCount =
  | { readonly complete: true; readonly leaves: number }
  | { readonly complete: false; readonly missing: Hash };

/**
 * Counts leaves, repeats included, without enumerating them: every distinct node that `memo` does not know is read
 * once, and `memo` learns the count of each node whose subtree is whole, also when the answer is "incomplete".
 * @throws InvalidNodeError when it comes to an internal node that is not valid
 */
export function countLeaves(root: Hash, read: ReadNode, memo: LeafCounts): LeafCount {
  return finish(countingLeaves(root, read, memo));
}

/** As `countLeaves`, in steps. */
export function* countingLeaves(root: Hash, read: ReadNode, memo: LeafCounts): InSteps<LeafCount> {
  if (isEmptyRoot(root)) return { complete: true, leaves: 0 };
  // The frame at the bottom stands for a parent of the root, and collects the result.
  const result: CountFrame = { hash: undefined, children: [root], next: 0, leaves: 0 };
  const path = [result];
  for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
    const hash = frame.children[frame.next];
    if (hash === undefined) {
      path.pop();
      if (frame.hash === undefined) continue;
      memo.set(frame.hash, frame.leaves);
      addLeaves(path.at(-1), frame.leaves);
      continue;
    }

    frame.next += 1;
    yield 1;
    const known = memo.get(hash);
    if (known !== undefined) {
      addLeaves(frame, known);
      continue;
    }
    const children = childrenOf(hash, read);
    if (children === undefined) return { complete: false, missing: hash };
    if (children.length > 0) {
      path.push({ hash, children, next: 0, leaves: 0 });
    } else {
      memo.set(hash, 1);
      addLeaves(frame, 1);
    }
  }
  return { complete: true, leaves: result.leaves };
}

interface CountFrame {
  readonly hash: Hash | undefined;
  readonly children: readonly Hash[];
  next: number;
  leaves: number;
}

function addLeaves(frame: CountFrame | undefined, leaves: number): void {
  if (frame) frame.leaves = Math.min(Number.MAX_SAFE_INTEGER, frame.leaves + leaves);
}
