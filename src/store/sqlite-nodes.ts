/**
 * Tree nodes of everybody in the database. Internal nodes, one in thirty, are a row each; leaves lie in packs (pack.ts), and are found
 * by their keys (sqlite-leaf-keys.ts). What is found is compared with the whole hash: nobody is given another's leaf for their own.
 */
import { type Hash, hashFromBytes } from '../wire/hash.ts';
import { nodeKind } from '../wire/node.ts';
import {
  allSlots,
  leafNumber,
  MAX_LEAF_BYTES,
  PACK_SLOTS,
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

  constructor(db: SqliteConnection) {
    this.#db = db;
    this.keys = new SqliteLeafKeys(db);
  }

  get(hash: Hash): Uint8Array | undefined {
    return this.internal(hash)?.value ?? this.#findLeaves([hash])[0]?.value.slice();
  }

  /** Those that are there; each pack is read once. */
  many(hashes: readonly Hash[]): (Uint8Array | undefined)[] {
    return this.find(hashes).map((found, at) => {
      if (found?.kind === 'internal') return this.internal(hashes[at] ?? '')?.value;
      return found?.value.slice();
    });
  }

  internal(
    hash: Hash,
  ): { readonly id: number; readonly value: Uint8Array; readonly leaves: number | null } | undefined {
    return this.#db.get('SELECT id, value, leaves FROM internal_nodes WHERE hash = ?', blob(hash));
  }

  /** The values of leaves are views, good until the next turn. */
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
    let [id, pack]: [number, (StoredNode | undefined)[]] = [-1, []];
    return (leaf) => {
      if (packOf(leaf) !== id) {
        id = packOf(leaf);
        pack = this.#readPack(id);
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
    const there = this.#findLeaves(nodes.map(({ hash }) => hash));
    const fresh = new Map(nodes.filter((_, at) => there[at] === undefined).map((node) => [node.hash, node]));
    const leaves = [...fresh.values()];
    let bytes = 0;
    for (let from = 0; from < leaves.length; from += PACK_SLOTS) {
      const pack = leaves.slice(from, from + PACK_SLOTS);
      for (const { hash, value } of pack) {
        if (value.length > MAX_LEAF_BYTES) throw new RangeError(`node ${hash} has more bytes than a datagram can hold`);
        bytes += value.length;
      }
      const row = this.#db.get<{ id: number }>(
        'INSERT INTO packs (live, value) VALUES (?, ?) RETURNING id',
        allSlots(pack.length),
        packLeaves(pack),
      );
      this.keys.add(
        row?.id ?? 0,
        pack.map(({ hash }) => hash),
      );
    }
    return bytes;
  }

  #findLeaves(hashes: readonly Hash[]): (FoundLeaf | undefined)[] {
    const read = this.leafReader();
    const among = (candidates: readonly number[], hash: Hash): FoundLeaf | undefined => {
      for (const leaf of candidates) {
        const there = read(leaf);
        if (there?.hash === hash) return { kind: 'leaf', leaf, hash, value: there.value };
      }
      return undefined;
    };
    const found = this.keys.newest(hashes).map((candidates, at) => among(candidates, hashes[at] ?? ''));
    const rest = hashes.flatMap((hash, at) => (found[at] === undefined ? [{ hash, at }] : []));
    const older = rest.length === 0 ? [] : this.keys.indexed(rest.map(({ hash }) => hash));
    for (const [i, { hash, at }] of rest.entries()) found[at] = among(older[i] ?? [], hash);
    return found;
  }

  #readPack(id: number): (StoredNode | undefined)[] {
    const row = this.#db.get<{ value: Uint8Array }>('SELECT value FROM packs WHERE id = ?', id);
    return row === undefined ? [] : unpackLeaves(row.value);
  }
}

const FIND_INTERNAL = `SELECT id, hash, leaves FROM internal_nodes
  WHERE hash IN (${Array(LOOKED_UP_AT_ONCE).fill('?').join(', ')})`;
const ABSENT: readonly null[] = Array<null>(LOOKED_UP_AT_ONCE).fill(null);
