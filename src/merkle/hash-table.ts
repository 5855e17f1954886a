/**
 * A small persistent table, for the context of a state machine: every change gives a new table and leaves the old one
 * as it was. The entries are spread over 64 buckets; a change copies the 64 pointers and one bucket, where a copied Map
 * would copy everything. Up to some thousand entries a change costs about the same; with many more, its cost grows with
 * their number. Keys that are alike in their last 16 characters share a bucket: chosen on purpose, they make the table as
 * slow as a list. UNBOUNDED by itself: whoever keeps a table limits how many entries it takes.
 *
 * Plain arrays, no Map: it survives JSON if its values do, and no key is special ('__proto__' is a string like any
 * other). The number 1 and the string '1' are different keys; numbers are to be finite, or JSON would change them.
 */

export type Key = string | number;

type Entry<V> = readonly [key: Key, value: V];
/** In the order of `isBefore`, so that a table's contents alone decide what it looks like. */
type Bucket<V> = readonly Entry<V>[];

export interface Table<V> {
  readonly size: number;
  readonly buckets: readonly Bucket<V>[];
}

const BUCKET_BITS = 6;
const EMPTY_BUCKET: Bucket<never> = [];
const EMPTY_TABLE: Table<never> = { size: 0, buckets: Array.from({ length: 1 << BUCKET_BITS }, () => EMPTY_BUCKET) };

/** The table without entries. */
export function emptyTable<V>(): Table<V> {
  return EMPTY_TABLE;
}

/** With `key` set to `value`, whether or not it was there. The same table if nothing changes. */
export function withEntry<V>(table: Table<V>, key: Key, value: V): Table<V> {
  const index = bucketIndex(key);
  const bucket = table.buckets[index] ?? EMPTY_BUCKET;
  const changed = withKey(bucket, key, value);
  return changed === bucket ? table : withBucket(table, index, changed, table.size + changed.length - bucket.length);
}

/** Without `key`. The same table if it was not there. */
export function withoutEntry<V>(table: Table<V>, key: Key): Table<V> {
  const index = bucketIndex(key);
  const bucket = table.buckets[index] ?? EMPTY_BUCKET;
  const changed = withoutKey(bucket, key);
  return changed === bucket ? table : withBucket(table, index, changed, table.size - 1);
}

/** As `withEntry` for one after the other; the pointers are copied once for all. */
export function withEntries<V>(table: Table<V>, entries: readonly Entry<V>[]): Table<V> {
  const buckets = table.buckets.slice();
  let { size } = table;
  for (const [key, value] of entries) {
    const index = bucketIndex(key);
    const bucket = buckets[index] ?? EMPTY_BUCKET;
    const changed = withKey(bucket, key, value);
    size += changed.length - bucket.length;
    buckets[index] = changed;
  }
  return { size, buckets };
}

/** As `withoutEntry` for one after the other; the pointers are copied once for all. */
export function withoutEntries<V>(table: Table<V>, keys: readonly Key[]): Table<V> {
  const buckets = table.buckets.slice();
  let { size } = table;
  for (const key of keys) {
    const index = bucketIndex(key);
    const bucket = buckets[index] ?? EMPTY_BUCKET;
    const changed = withoutKey(bucket, key);
    size += changed.length - bucket.length;
    buckets[index] = changed;
  }
  return size === table.size ? table : { size, buckets };
}

/** The value of `key`; undefined if it is not there. */
export function entryOf<V>(table: Table<V>, key: Key): V | undefined {
  const bucket = table.buckets[bucketIndex(key)] ?? EMPTY_BUCKET;
  const held = bucket[positionIn(bucket, key)];
  return held !== undefined && held[0] === key ? held[1] : undefined;
}

/** All entries, in an order that depends on the keys alone, not on how the table came about: replays need that. */
export function* entriesOf<V>(table: Table<V>): Generator<readonly [key: Key, value: V], void, undefined> {
  for (const bucket of table.buckets) yield* bucket;
}

function withKey<V>(bucket: Bucket<V>, key: Key, value: V): Bucket<V> {
  const at = positionIn(bucket, key);
  const held = bucket[at];
  const isHeld = held !== undefined && held[0] === key;
  if (isHeld && Object.is(held[1], value)) return bucket;
  const changed = bucket.slice();
  changed.splice(at, isHeld ? 1 : 0, [key, value]);
  return changed;
}

function withoutKey<V>(bucket: Bucket<V>, key: Key): Bucket<V> {
  const at = positionIn(bucket, key);
  if (bucket[at]?.[0] !== key) return bucket;
  const changed = bucket.slice();
  changed.splice(at, 1);
  return changed;
}

function withBucket<V>(table: Table<V>, index: number, bucket: Bucket<V>, size: number): Table<V> {
  const buckets = table.buckets.slice();
  buckets[index] = bucket;
  return { size, buckets };
}

/** Where a key is in its bucket, or would have to be put. */
function positionIn(bucket: Bucket<unknown>, key: Key): number {
  let [from, to] = [0, bucket.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isBefore(bucket[middle]?.[0] ?? key, key)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Numbers first, by size; then strings, by code unit. */
function isBefore(left: Key, right: Key): boolean {
  return typeof left === typeof right ? left < right : typeof left === 'number';
}

/** Fowler–Noll–Vo, its top bits by Fibonacci hashing: neighbouring ids and addresses land in different buckets. */
function bucketIndex(key: Key): number {
  let hash = 0x811c9dc5;
  if (typeof key === 'number') {
    hash = key | 0;
  } else {
    // The end of a key is what sets addresses, ids and hashes apart; reading all of a hash would cost more than the rest.
    for (let at = Math.max(0, key.length - 16); at < key.length; at += 1) {
      hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
    }
  }
  return Math.imul(hash, 0x9e3779b1) >>> (32 - BUCKET_BITS);
}
