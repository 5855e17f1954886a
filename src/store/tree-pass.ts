/**
 * A pass through a tree that is being fetched, or is there: leaf by leaf, left to right, each node once. It counts what is below each
 * internal node, and hands on the leaves, as far as the nodes are there; where one is missing, it stops, and goes on once it has come.
 * Depth costs memory and never call stack, and a few nodes that expand to billions of leaves cost a few steps (protocol §9).
 */
import { childrenOf } from '../merkle/read-node.ts';
import { type Hash, isEmptyRoot } from '../wire/hash.ts';
import { NumberSet } from './number-set.ts';
import type { Leaf } from './sqlite-leaves.ts';
import type { InternalNode, SqliteNodes } from './sqlite-nodes.ts';

/** What opening an internal node, or handing on a leaf, costs beside looking at a node. */
const COST = { internal: 4, leaf: 1 };

export interface PassOptions {
  /** Is given the leaves in order, repeats included, those of an earlier round too if the pass had to begin anew; not at all what is below an internal node that was met before. */
  readonly onLeaves: (leaves: readonly Leaf[]) => void;
  /** Whether to go below internal nodes that are known to be whole. */
  readonly entersWhole: boolean;
  /** When there are more leaves than this, the rest is counted only. */
  readonly quota: number;
}

export type PassState =
  | { readonly status: 'underway' }
  | { readonly status: 'missing'; readonly missing: Hash }
  /** `leaves`: how many there are, repeats included; saturates at Number.MAX_SAFE_INTEGER. */
  | { readonly status: 'done'; readonly leaves: number };

/** The lowest nodes on the way down keep their children; of the others these are read again on the way back. */
const NEAR = 64;

interface Frame {
  /** 0: above the root. */
  readonly id: number;
  readonly children: readonly Hash[];
  next: number;
  leaves: number;
  /** How many children are looked up at once: where one is an internal node, most are, and each takes a while. */
  ahead: number;
}

export class TreePass {
  readonly #nodes: SqliteNodes;
  readonly #root: Hash;
  readonly #options: PassOptions;
  #path: Frame[] = [];
  /** What is above that: id, next and leaves of each, in a row. BOUNDED by the internal nodes of the tree. */
  #far: number[] = [];
  /** Internal nodes that were gone through. */
  #met = new NumberSet();
  /** Leaves in all frames. */
  #leaves = 0;

  constructor(nodes: SqliteNodes, root: Hash, options: PassOptions) {
    this.#nodes = nodes;
    this.#root = root;
    this.#options = options;
    this.#begin();
  }

  /** Does as much as looking at so many nodes takes, or a little more. @throws InvalidNodeError */
  advance(budget: number): PassState {
    let spent = 0;
    for (let frame = this.#lowest(); frame !== undefined; frame = this.#lowest()) {
      if (spent >= budget) return { status: 'underway' };
      if (frame.next >= frame.children.length) {
        this.#leave(frame);
        continue;
      }
      const next = frame.children[frame.next] ?? '';
      const internal = frame.ahead === 1 ? this.#nodes.internal(next) : undefined;
      if (internal !== undefined) {
        frame.next += 1;
        spent += this.#enter(frame, next, internal);
        continue;
      }
      const ahead = frame.children.slice(frame.next, frame.next + frame.ahead);
      const found = this.#nodes.find(ahead);
      spent += ahead.length;
      const [first] = found;
      if (first === undefined) return { status: 'missing', missing: next };
      if (first.kind === 'leaf') {
        const end = found.findIndex((node) => node?.kind !== 'leaf');
        const leaves = found.slice(0, end < 0 ? found.length : end) as Leaf[];
        frame.next += leaves.length;
        frame.ahead = 32;
        this.#count(frame, leaves.length);
        if (this.#leaves <= this.#options.quota) this.#options.onLeaves(leaves);
        spent += leaves.length * COST.leaf;
      } else frame.ahead = 1;
    }
    return { status: 'done', leaves: this.#leaves };
  }

  #enter(parent: Frame, hash: Hash, node: InternalNode): number {
    const isKnown = this.#met.has(node.id) || !this.#options.entersWhole;
    if (isKnown && node.leaves !== null) {
      this.#count(parent, node.leaves);
      return 1;
    }
    const children = childrenOf(hash, () => node.value) ?? [];
    this.#path.push({ id: node.id, children, next: 0, leaves: 0, ahead: 32 });
    if (this.#path.length > 2 * NEAR) {
      for (const { id, next, leaves } of this.#path.splice(0, NEAR)) this.#far.push(id, next, leaves);
    }
    return COST.internal;
  }

  /** The node that is being gone through, the way back to which may have to be read. */
  #lowest(): Frame | undefined {
    if (this.#path.length === 0 && this.#far.length > 0) {
      const [id = 0, next = 0, leaves = 0] = this.#far.splice(-3);
      const children = id === 0 ? this.#top() : this.#nodes.childrenOf(id);
      if (children === undefined) this.#begin();
      else this.#path.push({ id, children, next, leaves, ahead: 32 });
    }
    return this.#path.at(-1);
  }

  #leave(frame: Frame): void {
    this.#path.pop();
    if (frame.id === 0) return;
    // Collected while it was being gone through: what else was, the next round finds.
    if (!this.#nodes.setLeaves(frame.id, frame.leaves)) {
      this.#begin();
      return;
    }
    this.#met.add(frame.id);
    const parent = this.#lowest();
    // In #leaves they are already.
    if (parent) parent.leaves = saturated(parent.leaves + frame.leaves);
  }

  #begin(): void {
    this.#path = [{ id: 0, children: this.#top(), next: 0, leaves: 0, ahead: 1 }];
    this.#far = [];
    this.#met = new NumberSet();
    this.#leaves = 0;
  }

  #top(): readonly Hash[] {
    return isEmptyRoot(this.#root) ? [] : [this.#root];
  }

  #count(frame: Frame, leaves: number): void {
    frame.leaves = saturated(frame.leaves + leaves);
    this.#leaves = saturated(this.#leaves + leaves);
  }
}

function saturated(leaves: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, leaves);
}
