/**
 * Tree nodes of everybody in the database. Internal nodes, one in thirty, are a row each; leaves lie in packs (pack.ts), and are found
 * by their keys (sqlite-leaf-keys.ts). What is found is compared with the whole hash: nobody is given another's leaf for their own.
 */
import { childrenOf } from '../merkle/read-node.ts';
import { type Hash, hashFromBytes, keyOf } from '../wire/hash.ts';
import { nodeKind } from '../wire/node.ts';
import {
  allSlots,
  leafNumber,
  MAX_LEAF_BYTES,
  PACK_SLOTS,
  type Pack,
  packLeaves,
  packOf,
  slotOf,
  unpackLeaves,
  withoutLeaves,
} from './pack.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { SqliteLeafKeys } from './sqlite-leaf-keys.ts';
import { blob } from './sqlite-rows.ts';
import type { NodeStatus, StoredNode } from './store.ts';

const LOOKED_UP_AT_ONCE = 32;
/** Packs that are kept in memory, each of some kilobytes: what has just come is looked at by whoever shows it, and looks for words in it. */
const KEPT_PACKS = 64;

export interface FoundLeaf {
  readonly kind: 'leaf';
  readonly leaf: number;
  readonly hash: Hash;
  readonly value: Uint8Array;
}

export interface FoundInternal {
  readonly kind: 'internal';
  readonly id: number;
  /** How many are below; null if that is not known to be whole. */
  readonly leaves: number | null;
}

export interface InternalNode {
  readonly id: number;
  readonly value: Uint8Array;
  /** How many leaves are below; null if that is not known to be whole. */
  readonly leaves: number | null;
}

export type FoundNode = FoundLeaf | FoundInternal;

export class SqliteNodes {
  readonly #db: SqliteConnection;
  readonly keys: SqliteLeafKeys;
  /** What was read of late, in this order. BOUNDED by KEPT_PACKS. */
  readonly #kept = new Map<number, Pack | Uint8Array>();
  /** As `keys.changes` was. */
  #keptSince = -1;

  constructor(db: SqliteConnection) {
    this.#db = db;
    this.keys = new SqliteLeafKeys(db);
  }

  get(hash: Hash): Uint8Array | undefined {
    return this.internal(hash)?.value ?? this.#findLeaves([hash])[0]?.value.slice();
  }

  /** Those that are there; each pack is read once, and the values of leaves are views of it. */
  many(hashes: readonly Hash[]): (Uint8Array | undefined)[] {
    return this.find(hashes).map((found, at) => {
      return found?.kind === 'internal' ? this.internal(hashes[at] ?? '')?.value : found?.value;
    });
  }

  internal(
    hash: Hash,
  ): { readonly id: number; readonly value: Uint8Array; readonly leaves: number | null } | undefined {
    return this.#db.get('SELECT id, value, leaves FROM internal_nodes WHERE hash = ?', blob(hash));
  }

  /** Of an internal node by its row; undefined if that is there no more. */
  childrenOf(id: number): readonly Hash[] | undefined {
    const row = this.#db.get<{ value: Uint8Array }>('SELECT value FROM internal_nodes WHERE id = ?', id);
    return row && childrenOf(String(id), () => row.value);
  }

  /** The values of leaves are views of their packs. */
  find(hashes: readonly Hash[]): (FoundNode | undefined)[] {
    const found: (FoundNode | undefined)[] = this.#findLeaves(hashes);
    const rest = hashes.flatMap((hash, at) => (found[at] === undefined ? [{ hash, at }] : []));
    for (let from = 0; from < rest.length; from += LOOKED_UP_AT_ONCE) {
      const some = rest.slice(from, from + LOOKED_UP_AT_ONCE);
      const rows = this.#db.all<{ id: number; hash: Uint8Array; leaves: number | null }>(
        FIND_INTERNAL,
        ...some.map(({ hash }) => blob(hash)),
        ...ABSENT.slice(some.length),
      );
      for (const { id, hash, leaves } of rows) {
        const hex = hashFromBytes(hash);
        for (const { hash: wanted, at } of some) if (wanted === hex) found[at] = { kind: 'internal', id, leaves };
      }
    }
    return found;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return this.find(hashes).map((found) => {
      if (found === undefined) return 'missing';
      return found.kind === 'internal' && found.leaves === null ? 'partial' : 'complete';
    });
  }

  /** Leaves by their numbers; a pack is read once for all of its leaves that are asked for one after another. */
  leafReader(): (leaf: number) => StoredNode | undefined {
    let [id, pack]: [number, Pack] = [-1, []];
    return (leaf) => {
      if (packOf(leaf) !== id) {
        id = packOf(leaf);
        pack = this.#readPacks([id]).get(id) ?? [];
      }
      return pack[slotOf(leaf)];
    };
  }

  /** Within a transaction of the caller's, as the others below. */
  insert(nodes: readonly StoredNode[]): void {
    let bytes = 0;
    for (const { hash, value } of nodes) {
      if (nodeKind(value) !== 'internal') continue;
      const sql = 'INSERT OR IGNORE INTO internal_nodes (hash, value) VALUES (?, ?)';
      if (this.#db.run(sql, blob(hash), value) > 0) bytes += value.length;
    }
    bytes += this.#insertLeaves(nodes.filter(({ value }) => nodeKind(value) !== 'internal'));
    if (bytes > 0) this.#db.run('UPDATE home SET node_bytes = node_bytes + ?', bytes);
  }

  /** How many leaves are below an internal node that is whole. False if the node is there no more. */
  setLeaves(id: number, leaves: number): boolean {
    return this.#db.run('UPDATE internal_nodes SET leaves = ? WHERE id = ?', leaves, id) > 0;
  }

  removeLeaf(leaf: number): void {
    const { bytes } = this.removeLeaves(packOf(leaf), 1 << slotOf(leaf));
    this.#db.run('UPDATE home SET node_bytes = node_bytes - ?', bytes);
  }

  /** Takes these leaves (bits) out of a pack. */
  removeLeaves(pack: number, slots: number): { readonly leaves: number; readonly bytes: number } {
    const row = this.#db.get<{ live: number; value: Uint8Array }>('SELECT live, value FROM packs WHERE id = ?', pack);
    if (row === undefined) return { leaves: 0, bytes: 0 };
    const gone = unpackLeaves(row.value).flatMap((leaf, slot) =>
      leaf !== undefined && (slots >>> slot) & 1
        ? [{ hash: leaf.hash, value: leaf.value, leaf: leafNumber(pack, slot) }]
        : [],
    );
    const live = row.live & ~slots;
    if (live === 0) this.#db.run('DELETE FROM packs WHERE id = ?', pack);
    else this.#db.run('UPDATE packs SET live = ?, value = ? WHERE id = ?', live, withoutLeaves(row.value, slots), pack);
    this.keys.remove(gone);
    return { leaves: gone.length, bytes: gone.reduce((bytes, { value }) => bytes + value.length, 0) };
  }

  #insertLeaves(nodes: readonly StoredNode[]): number {
    const hashes = nodes.map(({ hash }) => hash);
    const keys = hashes.map(keyOf);
    const there = this.#findLeaves(hashes, keys);
    const met = new Set<Hash>();
    const [leaves, leafKeys]: [StoredNode[], number[]] = [[], []];
    let bytes = 0;
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at] as StoredNode;
      if (there[at] !== undefined || met.has(node.hash)) continue;
      if (node.value.length > MAX_LEAF_BYTES)
        throw new RangeError(`node ${node.hash} has more bytes than a datagram can hold`);
      met.add(node.hash);
      leaves.push(node);
      leafKeys.push(keys[at] as number);
      bytes += node.value.length;
    }
    for (let from = 0; from < leaves.length; from += PACK_SLOTS) {
      const pack = leaves.slice(from, from + PACK_SLOTS);
      const packed = packLeaves(pack);
      const row = this.#db.get<{ id: number }>(
        'INSERT INTO packs (live, value) VALUES (?, ?) RETURNING id',
        allSlots(pack.length),
        packed,
      );
      const id = row?.id ?? 0;
      this.keys.add(id, leafKeys.slice(from, from + PACK_SLOTS));
      this.#keep(id, packed);
    }
    return bytes;
  }

  #findLeaves(hashes: readonly Hash[], keys = hashes.map(keyOf)): (FoundLeaf | undefined)[] {
    const found = this.#compare(hashes, this.keys.newest(keys));
    const rest: number[] = [];
    for (let at = 0; at < found.length; at++) if (found[at] === undefined) rest.push(at);
    if (rest.length === 0) return found;
    const indexed = this.keys.indexed(rest.map((at) => keys[at] ?? 0));
    if (indexed.length === 0) return found;
    const older = this.#compare(
      rest.map((at) => hashes[at] ?? ''),
      indexed,
    );
    for (const [i, at] of rest.entries()) found[at] = older[i];
    return found;
  }

  /** Of the leaves that may have these hashes, those that do. */
  #compare(
    hashes: readonly Hash[],
    candidates: readonly (number | readonly number[] | undefined)[],
  ): (FoundLeaf | undefined)[] {
    const wanted = new Set<number>();
    for (const some of candidates) {
      if (typeof some === 'number') wanted.add(packOf(some));
      else if (some !== undefined) for (const leaf of some) wanted.add(packOf(leaf));
    }
    const packs = this.#readPacks(wanted);
    const compared = (hash: Hash, leaf: number): FoundLeaf | undefined => {
      const there = packs.get(packOf(leaf))?.[slotOf(leaf)];
      return there?.hash === hash ? { kind: 'leaf', leaf, hash, value: there.value } : undefined;
    };
    return hashes.map((hash, at) => {
      const some = candidates[at];
      if (some === undefined) return undefined;
      if (typeof some === 'number') return compared(hash, some);
      for (const leaf of some) {
        const found = compared(hash, leaf);
        if (found !== undefined) return found;
      }
      return undefined;
    });
  }

  /** Those of these packs that are there. */
  #readPacks(wanted: Iterable<number>): ReadonlyMap<number, Pack> {
    if (this.#keptSince !== this.keys.changes) this.#kept.clear();
    this.#keptSince = this.keys.changes;
    const packs = new Map<number, Pack>();
    const others: number[] = [];
    for (const id of wanted) {
      const kept = this.#kept.get(id);
      if (kept === undefined) others.push(id);
      else packs.set(id, kept instanceof Uint8Array ? this.#keep(id, unpackLeaves(kept)) : kept);
    }
    for (let from = 0; from < others.length; from += LOOKED_UP_AT_ONCE) {
      const some = others.slice(from, from + LOOKED_UP_AT_ONCE);
      const [one] = some;
      const rows =
        some.length === 1 && one !== undefined
          ? this.#db.all<PackRow>('SELECT id, value FROM packs WHERE id = ?', one)
          : this.#db.all<PackRow>(READ_PACKS, ...some, ...ABSENT.slice(some.length));
      for (const { id, value } of rows) packs.set(id, this.#keep(id, unpackLeaves(value)));
    }
    return packs;
  }

  /** In the place of the one that was read first. What has just been stored is taken apart when somebody reads it. */
  #keep<T extends Pack | Uint8Array>(id: number, pack: T): T {
    if (this.#kept.size >= KEPT_PACKS && !this.#kept.has(id)) this.#kept.delete(this.#kept.keys().next().value ?? 0);
    this.#kept.set(id, pack);
    return pack;
  }
}

interface PackRow {
  readonly id: number;
  readonly value: Uint8Array;
}

const READ_PACKS = `SELECT id, value FROM packs WHERE id IN (${Array(LOOKED_UP_AT_ONCE).fill('?').join(', ')})`;
const FIND_INTERNAL = `SELECT id, hash, leaves FROM internal_nodes
  WHERE hash IN (${Array(LOOKED_UP_AT_ONCE).fill('?').join(', ')})`;
const ABSENT: readonly null[] = Array<null>(LOOKED_UP_AT_ONCE).fill(null);
