/**
 * What a download has still to ask for, what is wanted first on top: a linked stack of groups, each some children of one node. Every
 * operation gives a new value and copies nothing, as it lives in the context of a state machine. Nested as deep as the stack is high:
 * fold it with a loop, never with recursion.
 */
import { MAX_ENTRIES, MAX_GRANT, MAX_ITEM_NODE } from '../src/wire/bulk.ts';
import type { Hash } from '../src/wire/hash.ts';
import { bitsIn, countBits, type Wanted } from './bulk-answer.ts';

export interface Group extends Wanted {
  readonly children: readonly Hash[];
  /** To be asked for by their hashes: in bulk they are not to be had. */
  readonly isSingle?: boolean;
}

export type Frontier = { readonly group: Group; readonly rest: Frontier } | undefined;

/** The last one is on top then. */
export function pushGroups(frontier: Frontier, groups: readonly Group[]): Frontier {
  return groups.reduce<Frontier>((rest, group) => (group.mask === 0 ? rest : { group, rest }), frontier);
}

/**
 * From old to new, below those that are as deep or deeper: what was asked for together comes bit by bit, from old to new, and so do the
 * children. What has no depth was asked for before, and stays on top.
 */
export function queueGroups(frontier: Frontier, groups: readonly Group[]): Frontier {
  let queued = frontier;
  for (const alike of Map.groupBy(groups, depthOf).values()) {
    const above: Group[] = [];
    let rest = queued;
    for (; rest !== undefined && depthOf(rest.group) >= depthOf(alike[0] as Group); rest = rest.rest)
      above.push(rest.group);
    queued = pushGroups(pushGroups(rest, alike.toReversed()), above.toReversed());
  }
  return queued;
}

function depthOf({ depth = Number.POSITIVE_INFINITY }: Group): number {
  return depth;
}

/** The same groups, the last one on top. */
export function turned(frontier: Frontier): Frontier {
  let over: Frontier;
  for (let at = frontier; at !== undefined; at = at.rest) over = { group: at.group, rest: over };
  return over;
}

export function countIn(groups: readonly Wanted[]): number {
  return groups.reduce((sum, { mask }) => sum + countBits(mask), 0);
}

/** Nodes that are wanted by nothing but their hashes. */
export function groupOf(hash: Hash, depth?: number): Group {
  return { parent: undefined, children: [hash], mask: 1, depth };
}

/** Average sizes of nodes by their depth, as far as any have come. Bounded by `MOST_DEPTHS`. */
export type Sizes = Readonly<Record<number, number>>;
const MOST_DEPTHS = 64;
/** What came by its hash alone has no depth, nor has what is below it; most of such nodes are leaves. */
const UNKNOWN_DEPTH = -1;

export function withSizes(
  sizes: Sizes,
  nodes: readonly { readonly value: Uint8Array; readonly depth?: number | undefined }[],
): Sizes {
  const sums = new Map<number, { bytes: number; count: number }>();
  for (const { value, depth = UNKNOWN_DEPTH } of nodes) {
    if (depth >= MOST_DEPTHS) continue;
    const sum = sums.get(depth) ?? { bytes: 0, count: 0 };
    sums.set(depth, { bytes: sum.bytes + value.length, count: sum.count + 1 });
  }
  if (sums.size === 0) return sizes;
  const grown: Record<number, number> = { ...sizes };
  for (const [depth, { bytes, count }] of sums) {
    const latest = bytes / count;
    const former = grown[depth];
    grown[depth] = former === undefined ? latest : (former + latest) / 2;
  }
  return grown;
}

/** How many nodes of this depth a datagram has, about. */
function perDatagram(sizes: Sizes, depth = UNKNOWN_DEPTH): number {
  const size = sizes[depth];
  return size === undefined ? 1 : Math.max(1, Math.floor((MAX_ITEM_NODE + 4) / (size + 4)));
}

export interface Plan {
  /** For a GetDatum each. */
  readonly hashes: readonly Hash[];
  /** For a GetNodes each. */
  readonly requests: readonly { readonly wanted: readonly Wanted[]; readonly grant: number }[];
  readonly frontier: Frontier;
  /** Nodes that were taken from the frontier, and datagrams that they come in. */
  readonly taken: number;
  readonly grants: number;
  /** Children that are asked for together with their parent, before that is known. */
  readonly suspected: Suspected | undefined;
}

export interface Suspected {
  readonly parent: Hash;
  readonly mask: number;
}

export interface Room {
  readonly frontier: Frontier;
  /** Datagrams that may be under way besides those that are. */
  readonly room: number;
  readonly window: number;
  readonly isBulk: boolean;
  readonly sizes: Sizes;
  /** The node on the way to the newest message that is needed next, in a cold start; undefined: that message is there. */
  readonly tip: Hash | undefined;
  /** Whether the oldest children of a group are asked for before the newest. */
  readonly isOldestFirst: boolean;
}

/** Fills the room with what is on top of the frontier. */
export function planRequests(given: Room): Plan {
  const planning = new Planning(given);
  if (given.isBulk) planning.suspectChildren();
  planning.fill();
  return planning.end();
}

/** About how many datagrams answer one request: of an answer that is cut, what is under way comes twice. */
export function requestSize(window: number): number {
  const [quarter, eighth] = [Math.floor(window / 4), Math.floor(window / 8)];
  return Math.max(2, Math.min(16, quarter), Math.min(64, eighth));
}

/** Datagrams for children of a node that is not known yet: the newest of them matter. */
const SUSPECTED = 8;
/** Messages differ in length: so much more is granted than would do on average, but to a request that is small anyway. */
const SPARE = 1.125;

class Planning {
  readonly #given: Room;
  readonly #hashes: Hash[] = [];
  readonly #requests: { wanted: Wanted[]; grant: number }[] = [];
  #frontier: Frontier;
  #room: number;
  #taken = 0;
  #suspected: Suspected | undefined;
  /** The request that is being put together, and the datagrams that it needs, with fractions. */
  #wanted: Wanted[] = [];
  #load = 0;

  constructor(given: Room) {
    this.#given = given;
    this.#frontier = given.frontier;
    this.#room = given.room;
  }

  /** In a cold start the way to the newest message goes two levels down with each round trip. */
  suspectChildren(): void {
    const top = this.#frontier?.group;
    const { tip } = this.#given;
    if (top === undefined || tip === undefined || top.isSingle === true || this.#room < 2) return;
    const bit = 31 - Math.clz32(top.mask);
    if (top.children[bit] !== tip) return;
    const depth = top.depth === undefined ? undefined : top.depth + 1;
    const children = oneByOne({ parent: tip, children: undefined, mask: 0xffffffff, depth }).slice(0, MAX_ENTRIES - 1);
    const mask = (1 << bit) >>> 0;
    this.#take(top, mask);
    this.#ask([{ ...top, mask }, ...children], Math.min(SUSPECTED, Math.ceil(this.#room / 2)));
    this.#suspected = { parent: tip, mask: children.reduce((bits, child) => (bits | child.mask) >>> 0, 0) };
    const rest = this.#frontier?.group;
    if (rest?.parent !== top.parent || rest === undefined || this.#room === 0) return;
    this.#take(rest, rest.mask);
    this.#ask(oneByOne(rest), this.#room);
  }

  #ask(wanted: Wanted[], most: number): void {
    const grant = Math.max(1, Math.min(wanted.length, most, this.#room));
    this.#requests.push({ wanted, grant });
    this.#room -= grant;
  }

  fill(): void {
    for (let top = this.#frontier; top !== undefined && this.#room - this.#load > 0; top = this.#frontier) {
      const { group } = top;
      if (this.#given.isBulk && group.isSingle !== true) this.#fillFrom(group);
      else if (this.#room - this.#load >= 1) this.#askForHash(group);
      else break;
    }
    this.#close();
  }

  #askForHash(group: Group): void {
    const bit = 31 - Math.clz32(this.#first(group.mask, 1));
    this.#take(group, (1 << bit) >>> 0);
    this.#hashes.push(group.children[bit] as Hash);
    this.#room -= 1;
  }

  #fillFrom(group: Group): void {
    const each = perDatagram(this.#given.sizes, group.depth);
    const most = Math.max(1, Math.floor((Math.min(requestSize(this.#given.window), this.#room) - this.#load) * each));
    const mask = this.#first(group.mask, most);
    this.#take(group, mask);
    this.#wanted.push({ ...group, mask });
    this.#load += countBits(mask) / each;
    const isFull = this.#load >= Math.min(requestSize(this.#given.window), this.#room);
    if (isFull || this.#wanted.length === MAX_ENTRIES) this.#close();
  }

  #close(): void {
    if (this.#wanted.length === 0) return;
    const isExact = this.#wanted.every(({ depth }) => perDatagram(this.#given.sizes, depth) === 1);
    const needed = Math.max(Math.ceil(this.#load), isExact ? 0 : Math.round(this.#load * SPARE));
    const grant = Math.max(1, Math.min(needed, this.#room, MAX_GRANT));
    this.#requests.push({ wanted: this.#wanted, grant });
    this.#room -= grant;
    this.#wanted = [];
    this.#load = 0;
  }

  #first(mask: number, most: number): number {
    return this.#given.isOldestFirst ? lowestBits(mask, most) : highestBits(mask, most);
  }

  #take(group: Group, mask: number): void {
    const left = (group.mask & ~mask) >>> 0;
    const rest = this.#frontier?.rest;
    this.#frontier = left === 0 ? rest : { group: { ...group, mask: left }, rest };
    this.#taken += countBits(mask);
  }

  end(): Plan {
    return {
      hashes: this.#hashes,
      requests: this.#requests,
      frontier: this.#frontier,
      taken: this.#taken,
      grants: this.#given.room - this.#room,
      suspected: this.#suspected,
    };
  }
}

/** An entry for each child, the newest first: their sizes are not known, or how many there are, and the grant may not do for all. */
function oneByOne(wanted: Wanted): Wanted[] {
  return bitsIn(wanted.mask)
    .toReversed()
    .map((bit) => ({ ...wanted, mask: (1 << bit) >>> 0 }));
}

/** The newest of these children. */
function highestBits(mask: number, most: number): number {
  let rest = mask;
  for (let extra = countBits(mask) - most; extra > 0; extra--) rest = (rest & (rest - 1)) >>> 0;
  return rest;
}

/** The oldest of these children. */
function lowestBits(mask: number, most: number): number {
  let rest = mask;
  for (let extra = countBits(mask) - most; extra > 0; extra--) rest = (rest & ~(1 << (31 - Math.clz32(rest)))) >>> 0;
  return rest;
}
