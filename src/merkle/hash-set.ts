/**
 * A persistent set of hashes: a trie over their hex digits, so that adding copies a handful of 16-slot branches however
 * many hashes there are. Walks keep the hashes they have met in one: machines are pure, and a walk may meet millions.
 */
import type { Hash } from '../wire/hash.ts';

type Branch = readonly (Branch | Hash | undefined)[];

/** Empty: undefined. */
export type HashSet = Branch | Hash | undefined;

function digit(hash: Hash, depth: number): number {
  const code = hash.charCodeAt(depth);
  return code < 58 ? code - 48 : code - 87;
}

export function hasHash(set: HashSet, hash: Hash): boolean {
  let at = set;
  for (let depth = 0; at !== undefined; depth++) {
    if (typeof at === 'string') return at === hash;
    at = at[digit(hash, depth)];
  }
  return false;
}

/** The set with `hash` in it; the same set if it was there. */
export function withHash(set: HashSet, hash: Hash): HashSet {
  return insert(set, hash, 0);
}

/** The set with all of these in it: what is copied for one of them is not copied for another. None twice, and none that is there. */
export function withHashes(set: HashSet, hashes: readonly Hash[]): HashSet {
  return insertAll(set, hashes, 0);
}

function insertAll(at: HashSet, hashes: readonly Hash[], depth: number): HashSet {
  const [first] = hashes;
  if (first === undefined) return at;
  if (hashes.length === 1) return insert(at, first, depth);
  const branch: (Branch | Hash | undefined)[] = Array.isArray(at) ? at.slice() : new Array(16).fill(undefined);
  if (typeof at === 'string') branch[digit(at, depth)] = at;
  const groups = new Map<number, Hash[]>();
  for (const hash of hashes) {
    const slot = digit(hash, depth);
    const group = groups.get(slot);
    if (group === undefined) groups.set(slot, [hash]);
    else group.push(hash);
  }
  for (const [slot, group] of groups) branch[slot] = insertAll(branch[slot], group, depth + 1);
  return branch;
}

// Depth is bounded by the 64 digits of a hash, whatever is inserted.
function insert(at: HashSet, hash: Hash, depth: number): Branch | Hash {
  if (at === undefined || at === hash) return hash;
  const branch: (Branch | Hash | undefined)[] = typeof at === 'string' ? new Array(16).fill(undefined) : [...at];
  if (typeof at === 'string') branch[digit(at, depth)] = at;
  const slot = digit(hash, depth);
  const below = branch[slot];
  const inserted = insert(below, hash, depth + 1);
  if (typeof at !== 'string' && inserted === below) return at;
  branch[slot] = inserted;
  return branch;
}
