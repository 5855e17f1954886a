/**
 * Where each leaf is, by its hash. Hashes are random: an index that takes them one by one is written all over by every batch. So
 * the keys of the newest packs are kept in memory, and when there are enough of them, they are put into the index in its own order,
 * a slice with each batch that comes. Which packs those are is known from the database alone: a crash loses nothing. Two hashes may share
 * a key: what is found is compared.
 */
import { type Hash, KEY_DIGITS, keyOf } from '../wire/hash.ts';
import { both, KeyTable, type Leaves } from './key-table.ts';
import { leafNumber, unpackLeaves } from './pack.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** Keys of a run: with more of them, more fall on one page of the index; they are in memory meanwhile. BOUNDED by the largest. */
const RUN = { smallest: 16_384, largest: 65_536, share: 1 / 8 };
/** Keys that one call puts into the index, at least. */
const SLICE = 1_024;
const MAX_ABSENT = 16_384;
const LOOKED_UP_AT_ONCE = 32;
const INSERTED_AT_ONCE = 64;

interface State {
  /** The newest pack. */
  readonly last: number | null;
  /** All packs up to this one have their keys in the index. */
  readonly keyed: number;
  /** Grows when leaves were removed. */
  readonly removals: number;
}

interface Run {
  readonly pending: KeyTable;
  readonly sorted: Float64Array;
  readonly lastPack: number;
  /** How many of `sorted` are in the index. */
  done: number;
}

export class SqliteLeafKeys {
  readonly #db: SqliteConnection;
  #pending = new KeyTable();
  /** What is being put into the index; it is looked in until all of it is there. */
  #run: Run | undefined;
  /** The newest pack whose keys are in memory or in the index; undefined: to be read anew. */
  #seen: number | undefined;
  #keyed = 0;
  #removals = 0;
  /** The transaction in which the database was looked at last. */
  #caughtUpIn = 0;
  #changes = 0;
  /** What this process has put into the index, as long as there is nothing else in it. */
  #indexed: KeyFilter | undefined = new KeyFilter();
  /** Keys that are not in the index: whoever looks a node up, and then stores it, need not look there again. BOUNDED by MAX_ABSENT. */
  readonly #absent = new Set<number>();

  constructor(db: SqliteConnection) {
    this.#db = db;
    db.onRollback(() => this.#forget());
  }

  /** The leaves that may have these keys, for each of them, among those whose keys are in memory. */
  newest(keys: readonly number[]): (Leaves | undefined)[] {
    this.#catchUp();
    return keys.map((key) => this.#inMemory(key));
  }

  /** The same among those whose keys are in the index; nothing if none is. */
  indexed(keys: readonly number[]): (Leaves | undefined)[] {
    const filter = this.#indexed;
    const asked = keys.filter((key) => filter?.mayHave(key) ?? !this.#absent.has(key));
    if (asked.length === 0) return [];
    const found = new Map<number, Leaves>();
    for (let from = 0; from < asked.length; from += LOOKED_UP_AT_ONCE) {
      const some = asked.slice(from, from + LOOKED_UP_AT_ONCE);
      const rows = this.#db.all<{ key: number; leaf: number }>(LOOK_UP, ...some, ...ABSENT.slice(some.length));
      for (const { key, leaf } of rows) found.set(key, both(found.get(key), leaf));
    }
    if (this.#absent.size > MAX_ABSENT) this.#absent.clear();
    if (filter === undefined) for (const key of asked) if (!found.has(key)) this.#absent.add(key);
    return found.size === 0 ? [] : keys.map((key) => found.get(key));
  }

  /** Leaves whose keys begin with these hexadecimal digits, or may; in the order of their keys, some of them twice. */
  *startingWith(prefix: string): Generator<number> {
    this.#catchUp();
    const digits = prefix.slice(0, KEY_DIGITS);
    const [from, to] = [keyOf(digits.padEnd(KEY_DIGITS, '0')), keyOf(digits.padEnd(KEY_DIGITS, 'f'))];
    const waiting = [...this.#pending.entries(), ...(this.#run?.pending.entries() ?? [])]
      .filter(({ key }) => key >= from && key <= to)
      .sort((a, b) => a.key - b.key);
    let [key, leaf] = [from, -1];
    for (;;) {
      const page = this.#db.all<{ key: number; leaf: number }>(PAGE, key, leaf, to);
      for (const row of page) {
        while (waiting[0] !== undefined && waiting[0].key < row.key) yield (waiting.shift() as { leaf: number }).leaf;
        yield row.leaf;
        ({ key, leaf } = row);
      }
      if (page.length === 0) break;
    }
    for (const row of waiting) yield row.leaf;
  }

  /** Of its leaves, within the transaction that has stored the pack. */
  add(pack: number, keys: readonly number[]): void {
    this.#catchUp(pack - 1);
    for (let slot = 0; slot < keys.length; slot++) this.#pending.add(keys[slot] as number, leafNumber(pack, slot));
    this.#seen = pack;
    const { smallest, largest, share } = RUN;
    const size = Math.min(largest, Math.max(smallest, this.#keyed * 32 * share));
    if (this.#run === undefined && this.#pending.size >= size) this.#beginRun();
    if (this.#run !== undefined) this.#putSlice(this.#run, Math.max(SLICE, 2 * keys.length));
  }

  /** Puts some of what is in memory into the index, within a transaction of the caller's. True if there is more. */
  putSome(): boolean {
    this.#catchUp();
    if (this.#run === undefined && this.#pending.size > 0) this.#beginRun();
    if (this.#run !== undefined) this.#putSlice(this.#run, SLICE);
    return this.#run !== undefined;
  }

  /** Keys that are in memory alone. */
  get waiting(): number {
    this.#catchUp();
    return this.#pending.size + (this.#run?.pending.size ?? 0);
  }

  /** Within the transaction that removes these leaves. */
  remove(leaves: readonly { readonly hash: Hash; readonly leaf: number }[]): void {
    for (const { hash, leaf } of leaves)
      this.#db.run('DELETE FROM leaf_keys WHERE key = ? AND leaf = ?', keyOf(hash), leaf);
    this.#db.run('UPDATE home SET removals = removals + 1');
    this.#forget();
  }

  #inMemory(key: number): Leaves | undefined {
    const newest = this.#pending.get(key);
    const older = this.#run?.pending.get(key);
    return newest === undefined || older === undefined ? (newest ?? older) : both(older, newest);
  }

  /** Reads the keys of packs that came by way of other processes; `upTo`: what this one knows of itself. */
  #catchUp(upTo = Number.POSITIVE_INFINITY): void {
    // Within a transaction nothing comes from others.
    if (this.#db.isIn(this.#caughtUpIn)) return;
    this.#caughtUpIn = this.#db.transactions;
    const state = this.#db.get<State>(STATE);
    const { last, keyed, removals } = state ?? { last: null, keyed: 0, removals: 0 };
    // Another process has put keys into the index, or has removed leaves.
    if (keyed !== this.#keyed || removals !== this.#removals) this.#forget();
    // Of packs whose keys were never all put there, all keys are in memory.
    if (keyed !== this.#keyed) this.#indexed = keyed === 0 ? new KeyFilter() : undefined;
    this.#keyed = keyed;
    this.#removals = removals;
    const from = this.#seen ?? keyed;
    const to = Math.min(last ?? 0, upTo);
    this.#seen = Math.max(from, to);
    if (to <= from) return;
    for (let after = from; ; ) {
      const rows = this.#db.all<{ id: number; value: Uint8Array }>(
        'SELECT id, value FROM packs WHERE id > ? AND id <= ? ORDER BY id LIMIT 64',
        after,
        to,
      );
      for (const { id, value } of rows) {
        for (const [slot, leaf] of unpackLeaves(value).entries()) {
          if (leaf !== undefined) this.#pending.add(keyOf(leaf.hash), leafNumber(id, slot));
        }
        after = id;
      }
      if (rows.length === 0) return;
    }
  }

  #beginRun(): void {
    const pending = this.#pending;
    this.#run = { pending, sorted: pending.sortedKeys(), lastPack: this.#seen ?? 0, done: 0 };
    this.#pending = new KeyTable();
  }

  #putSlice(run: Run, keys: number): void {
    const slice = run.sorted.subarray(run.done, run.done + keys);
    const values: number[] = [];
    for (const key of slice) {
      this.#absent.delete(key);
      this.#indexed?.add(key);
      const leaves = run.pending.get(key);
      if (typeof leaves === 'number') values.push(key, leaves);
      else for (const leaf of leaves ?? []) values.push(key, leaf);
    }
    this.#db.insertRows('INSERT OR IGNORE INTO leaf_keys (key, leaf)', 2, INSERTED_AT_ONCE, values);
    run.done += slice.length;
    if (run.done < run.sorted.length) return;
    this.#db.run('UPDATE home SET keyed_packs = max(keyed_packs, ?)', run.lastPack);
    this.#keyed = run.lastPack;
    this.#run = undefined;
  }

  /** Grows when what was read of packs may no longer be so. */
  get changes(): number {
    this.#catchUp();
    return this.#changes;
  }

  /** What is in memory may no longer be so. */
  #forget(): void {
    this.#caughtUpIn = 0;
    this.#changes += 1;
    this.#pending = new KeyTable();
    this.#run = undefined;
    this.#seen = undefined;
    this.#absent.clear();
  }
}

const FILTER_BITS = 22;

/** A set of keys that never lacks one that was added, and seldom has one that was not. BOUNDED: half a megabyte, once there is a key. */
class KeyFilter {
  #bytes: Uint8Array | undefined;

  add(key: number): void {
    this.#bytes ??= new Uint8Array(2 ** (FILTER_BITS - 3));
    const bit = bitOf(key);
    this.#bytes[bit >>> 3] = (this.#bytes[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  mayHave(key: number): boolean {
    const bit = bitOf(key);
    return this.#bytes !== undefined && (((this.#bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 1;
  }
}

/** The first bits: neighbours in the index are neighbours here. */
function bitOf(key: number): number {
  return Math.floor(key / 2 ** (4 * KEY_DIGITS - FILTER_BITS));
}

const STATE = 'SELECT (SELECT max(id) FROM packs) AS last, keyed_packs AS keyed, removals FROM home';
const LOOK_UP = `SELECT key, leaf FROM leaf_keys WHERE key IN (${Array(LOOKED_UP_AT_ONCE).fill('?').join(', ')})`;
const ABSENT: readonly number[] = Array<number>(LOOKED_UP_AT_ONCE).fill(-1);
const PAGE = 'SELECT key, leaf FROM leaf_keys WHERE (key, leaf) > (?, ?) AND key <= ? ORDER BY key, leaf LIMIT 64';
