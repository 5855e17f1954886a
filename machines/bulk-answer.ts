/**
 * What has come of a GetNodes (protocol §10.1): which of its Nodes datagrams, and which of the nodes it asks for. No hash is carried, so
 * each item is hashed and compared with what was asked for in its place; pure.
 */
import {
  type GetNodesFields,
  ITEMS_BYTES,
  itemSize,
  MAX_ENTRIES,
  NO_PARENT,
  NODES_BYTES,
  type NodesEntry,
  type NodesFields,
  type NodesItem,
} from '../src/wire/bulk.ts';
import { type Hash, hashOf } from '../src/wire/hash.ts';
import type { ReceivedNode } from './events.ts';
import { childrenOf } from './tree-nodes.ts';

/** Nodes that are wanted from one place: some children of an internal node, or one node by its own hash. */
export interface Wanted {
  /** Undefined: `children` is the one hash that is asked for by itself. */
  readonly parent: Hash | undefined;
  /** All children of the parent; undefined if it is asked for in the same request, earlier. */
  readonly children: readonly Hash[] | undefined;
  /** Bit i: child i. Unsigned 32 bits, not 0. */
  readonly mask: number;
  /** How far below the root these nodes are, if that is known. */
  readonly depth: number | undefined;
}

export interface BulkQuestion extends Omit<GetNodesFields, 'entries'> {
  readonly type: 'GetNodes';
  /** 1 to 32. */
  readonly wanted: readonly Wanted[];
}

export function entryFor({ parent, children, mask }: Wanted): NodesEntry {
  return parent === undefined ? { kind: 'node', hash: children?.[0] as Hash } : { kind: 'children', parent, mask };
}

export interface BulkAnswer {
  /** By entry: the bits of what has not come. */
  readonly left: readonly number[];
  /** Children of nodes that came in this answer, by their hash. Bounded: one node for each entry and bit. */
  readonly parents: ReadonlyMap<Hash, readonly Hash[]>;
  /** Items that came before their parent did. Bounded by the grant. */
  readonly early: readonly NodesItem[];
  readonly sequences: Sequences;
  /** Bytes of nodes. */
  readonly bytes: number;
}

/** Which datagrams of an answer have come. */
export interface Sequences {
  /** Bounded by the grant. */
  readonly come: ReadonlySet<number>;
  /** The highest one, -1 before any. */
  readonly highest: number;
  /** The last one of the answer; undefined as long as it has not come. */
  readonly last: number | undefined;
}

/** What some datagrams have brought. */
export interface Harvest {
  /** The newest last. */
  readonly nodes: readonly ReceivedNode[];
  /** The other side does not hold these. */
  readonly absent: readonly Hash[];
  /** They are to be had by their hashes only: too large, or their parent is not there. */
  readonly single: readonly Hash[];
  /** Datagrams that had not come before; bytes of their payload. */
  readonly arrivals: readonly { readonly sequence: number; readonly isLast: boolean; readonly bytes: number }[];
  /** Items that are not what was asked for. */
  readonly unfit: number;
}

export const NO_HARVEST: Harvest = { nodes: [], absent: [], single: [], arrivals: [], unfit: 0 };
const NO_SEQUENCES: Sequences = { come: new Set(), highest: -1, last: undefined };
/** So many later ones show that a datagram is lost (RFC 9002 §6.1.1). */
const LATER_ONES = 3;

export function noAnswer({ wanted }: BulkQuestion): BulkAnswer {
  return { left: wanted.map(({ mask }) => mask), parents: new Map(), early: [], sequences: NO_SEQUENCES, bytes: 0 };
}

export function withSequences(sequences: Sequences, datagrams: readonly NodesFields[]): Sequences {
  const come = new Set(sequences.come);
  let { highest, last } = sequences;
  for (const { sequence, isLast } of datagrams) {
    come.add(sequence);
    highest = Math.max(highest, sequence);
    if (isLast) last = sequence;
  }
  return { come, highest, last };
}

/** All datagrams of the answer are there: what is missing was not served. */
export function isWhole({ come, last }: Sequences): boolean {
  return last !== undefined && come.size > last;
}

/** One before the highest is missing. */
export function hasGap({ come, highest }: Sequences): boolean {
  return come.size <= highest;
}

/** One is missing that three later ones have overtaken. */
export function showsLoss(sequences: Sequences): boolean {
  if (!hasGap(sequences)) return false;
  let missing = 0;
  while (sequences.come.has(missing)) missing += 1;
  let later = 0;
  for (const sequence of sequences.come) if (sequence > missing) later += 1;
  return later >= LATER_ONES;
}

/** Takes what has come in one turn of the event loop. Nothing is believed that does not hash to what was asked for. */
export function takeNodes(
  question: BulkQuestion,
  answer: BulkAnswer,
  datagrams: readonly NodesFields[],
): { readonly answer: BulkAnswer; readonly harvest: Harvest } {
  const fresh = datagrams.filter(
    ({ sequence }, index) =>
      !answer.sequences.come.has(sequence) && datagrams.findIndex((other) => other.sequence === sequence) === index,
  );
  const taking = new Taking(question, answer);
  for (const { items } of fresh) for (const item of items) taking.take(item);
  return taking.end(withSequences(answer.sequences, fresh), fresh.map(arrivalOf));
}

function arrivalOf({ sequence, isLast, items }: NodesFields) {
  return {
    sequence,
    isLast,
    bytes: NODES_BYTES - ITEMS_BYTES + items.reduce((sum, { value }) => sum + itemSize(value), 0),
  };
}

class Taking {
  readonly #wanted: readonly Wanted[];
  readonly #left: number[];
  readonly #parents: Map<Hash, readonly Hash[]>;
  /** Nodes that are asked for together with their children. */
  readonly #expected: ReadonlySet<Hash | undefined>;
  #early: NodesItem[];
  readonly #nodes: { readonly node: ReceivedNode; readonly place: number }[] = [];
  readonly #absent: Hash[] = [];
  readonly #single: Hash[] = [];
  #unfit = 0;
  #bytes: number;

  constructor({ wanted }: BulkQuestion, { left, parents, early, bytes }: BulkAnswer) {
    this.#wanted = wanted;
    this.#left = [...left];
    this.#parents = new Map(parents);
    this.#expected = new Set(wanted.flatMap(({ parent, children }) => (children === undefined ? [parent] : [])));
    this.#early = [...early];
    this.#bytes = bytes;
  }

  take(item: NodesItem): void {
    const { entry, child, value } = item;
    const wanted = this.#wanted[entry];
    if (wanted === undefined) {
      this.#unfit += 1;
      return;
    }
    const children = this.#childrenIn(wanted);
    if (child === NO_PARENT && value === 'absent') {
      // A leaf whose children were asked for on suspicion has none.
      if (children !== undefined) this.#single.push(...hashesIn({ children, mask: this.#left[entry] as number }));
      this.#left[entry] = 0;
      return;
    }
    const bit = child < 32 ? (1 << child) >>> 0 : 0;
    if (((this.#left[entry] as number) & bit) === 0) this.#unfit += 1;
    else if (children === undefined) this.#early.push(item);
    else this.#takeChild(entry, bit, children[child], value);
  }

  #childrenIn({ parent, children }: Wanted): readonly Hash[] | undefined {
    return children ?? this.#parents.get(parent as Hash);
  }

  #takeChild(entry: number, bit: number, hash: Hash | undefined, value: NodesItem['value']): void {
    if (hash === undefined || (typeof value !== 'string' && hashOf(value) !== hash)) {
      this.#unfit += 1;
      return;
    }
    this.#left[entry] = ((this.#left[entry] as number) & ~bit) >>> 0;
    if (value === 'absent') this.#absent.push(hash);
    else if (value === 'large') this.#single.push(hash);
    else this.#keep(entry, bit, { hash, value, depth: (this.#wanted[entry] as Wanted).depth });
  }

  /** The newest nodes are asked for in the first entries, and are the last children there; children come after their parent. */
  #keep(entry: number, bit: number, node: ReceivedNode): void {
    const { hash, value } = node;
    const isWithParent = this.#wanted[entry]?.children === undefined;
    this.#nodes.push({ node, place: 31 - Math.clz32(bit) - (isWithParent ? 0 : MAX_ENTRIES * (entry + 1)) });
    this.#bytes += value.length;
    if (!this.#expected.has(hash)) return;
    this.#parents.set(hash, childrenOf(value));
    const early = this.#early;
    this.#early = [];
    for (const item of early) this.take(item);
  }

  end(sequences: Sequences, arrivals: Harvest['arrivals']): { answer: BulkAnswer; harvest: Harvest } {
    return {
      answer: {
        left: this.#left,
        parents: this.#parents,
        early: this.#early,
        sequences,
        bytes: this.#bytes,
      },
      harvest: {
        nodes: this.#nodes.sort((a, b) => a.place - b.place).map(({ node }) => node),
        absent: this.#absent,
        single: this.#single,
        arrivals,
        unfit: this.#unfit,
      },
    };
  }
}

/** What was asked for and has not come. Children of a node that has not come itself are left out: they are met when it does. */
export function unserved({ wanted }: BulkQuestion, { left, parents }: BulkAnswer): Wanted[] {
  return wanted.flatMap((entry, index) => {
    const children = entry.children ?? parents.get(entry.parent as Hash);
    if (children === undefined) return [];
    const mask = ((left[index] as number) & maskOf(children.length)) >>> 0;
    return mask === 0 ? [] : [{ ...entry, children, mask }];
  });
}

/** A bit for each of so many children, at most 32. */
export function maskOf(count: number): number {
  return count >= 32 ? 0xffffffff : (1 << count) - 1;
}

/** Numbers of the bits that are set, ascending. */
export function bitsIn(mask: number): number[] {
  const bits: number[] = [];
  for (let bit = 0; bit < 32; bit++) if ((mask >>> bit) & 1) bits.push(bit);
  return bits;
}

export function countBits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count += 1;
  return count;
}

/** The hashes that are wanted there. */
export function hashesIn({ children = [], mask }: Pick<Wanted, 'children' | 'mask'>): Hash[] {
  return bitsIn(mask).flatMap((bit) => children[bit] ?? []);
}
