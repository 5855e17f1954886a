/**
 * A persistent set of hashes, a dozen bytes each: a trie whose ends are short sorted runs of their keys, so that adding copies one run and a
 * handful of 16-slot branches however many hashes there are. Walks keep the hashes they have met in one: machines are pure, and a walk may
 * meet millions. Hashes whose keys are the same (wire/hash.ts) count as one: a walk that passes over a node for that finds it missing in the
 * end, and fetches it then.
 */
import { type Hash, KEY_DIGITS, keyOf } from '../wire/hash.ts';

type Branch = readonly HashSet[];
/** In ascending order, and never empty. */
type Run = readonly number[];

/** Empty: undefined. */
export type HashSet = Branch | Run | undefined;

/** A longer run becomes a branch. */
const LONGEST_RUN = 32;
/** What each digit of a key counts, the first one first. */
const PLACES = Array.from({ length: KEY_DIGITS }, (_, depth) => 16 ** (KEY_DIGITS - 1 - depth));

// Depth is bounded by the digits of a key, whatever is inserted: keys that share them all are one.
function digit(key: number, depth: number): number {
  return Math.floor(key / (PLACES[depth] ?? 1)) % 16;
}

function isRun(set: Branch | Run): set is Run {
  return typeof set[0] === 'number';
}

export function hasHash(set: HashSet, hash: Hash): boolean {
  const key = keyOf(hash);
  let at = set;
  for (let depth = 0; at !== undefined; depth++) {
    if (isRun(at)) return at.includes(key);
    at = at[digit(key, depth)];
  }
  return false;
}

/** The set with `hash` in it; the same set if it was there. */
export function withHash(set: HashSet, hash: Hash): HashSet {
  return insert(set, [keyOf(hash)], 0);
}

/** The set with all of these in it: what is copied for one of them is not copied for another. */
export function withHashes(set: HashSet, hashes: readonly Hash[]): HashSet {
  return hashes.length === 0 ? set : insert(set, hashes.map(keyOf), 0);
}

function insert(at: HashSet, keys: Run, depth: number): HashSet {
  if (at === undefined || isRun(at)) return insertInRun(at ?? [], keys, depth);
  const branch = at.slice();
  let isSame = true;
  for (const [slot, some] of bySlot(keys, depth)) {
    branch[slot] = insert(at[slot], some, depth + 1);
    isSame &&= branch[slot] === at[slot];
  }
  return isSame ? at : branch;
}

function insertInRun(run: Run, keys: Run, depth: number): HashSet {
  let grown = run;
  for (const [index, key] of keys.entries()) {
    grown = withKey(grown, key);
    if (grown.length > LONGEST_RUN) return insert(branchFrom(grown, depth), keys.slice(index + 1), depth);
  }
  return grown;
}

function withKey(run: Run, key: number): Run {
  let after = run.length;
  while (after > 0 && (run[after - 1] ?? 0) > key) after -= 1;
  if (run[after - 1] === key) return run;
  // Filled one by one: of an array made otherwise V8 may not know that it holds nothing but numbers, and keeps each in a box.
  const grown = new Array<number>(run.length + 1);
  for (let i = 0; i < after; i++) grown[i] = run[i] ?? 0;
  grown[after] = key;
  for (let i = after; i < run.length; i++) grown[i + 1] = run[i] ?? 0;
  return grown;
}

function branchFrom(run: Run, depth: number): Branch {
  const branch = new Array<HashSet>(16).fill(undefined);
  for (const [slot, some] of bySlot(run, depth)) branch[slot] = insertInRun([], some, depth + 1);
  return branch;
}

function bySlot(keys: Run, depth: number): ReadonlyMap<number, Run> {
  const slots = new Map<number, number[]>();
  for (const key of keys) {
    const slot = digit(key, depth);
    const some = slots.get(slot);
    if (some === undefined) slots.set(slot, [key]);
    else some.push(key);
  }
  return slots;
}
