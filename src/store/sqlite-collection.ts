/**
 * Removes the nodes that no tree in use reaches, a portion at a time: each is a transaction of the caller's, and whatever happens in
 * between – a tree is adopted, a walk begins, another process writes – leaves the rest right:
 *
 * - Only what was there when it began is removed.
 * - Roots that turn up meanwhile are marked before anything more is removed.
 * - Before the first node goes, all that may go is no longer taken for whole: a walk or an adoption that comes upon it looks further
 *   down, and asks again for what is gone by then. What it finds to be whole after all stays.
 * - A leaf that a feed has is never removed.
 */

import { childrenOf } from '../merkle/read-node.ts';
import { type Hash, isEmptyRoot } from '../wire/hash.ts';
import { NumberSet } from './number-set.ts';
import { PACK_SLOTS } from './pack.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { hashFrom } from './sqlite-rows.ts';

/** What a leaf costs in internal nodes of a tree whose nodes are full: its hash, and a little. */
export const BYTES_ABOVE_LEAF = 34;

/** An estimate, until the next collection counts: what two feeds share is in twice. */
export function noteLive(db: SqliteConnection, bytes: number): void {
  if (bytes !== 0) db.run('UPDATE home SET live_bytes = max(0, min(node_bytes, live_bytes + ?))', bytes);
}

/** Rows that are looked at in one statement. */
const PAGE = 256;
const PACKS = 64;
/** What these cost, in nodes that are looked at. */
const COST = { mark: 2, page: 16, removed: 1, pack: 1, rewritten: 8 };

interface Open {
  readonly hash: Hash;
  /** Whether the leaves below are to be marked: those of a tree that is current are kept because the feed has them. */
  readonly marksLeaves: boolean;
}

type Phase = 'doubting' | 'removing' | 'sweeping' | 'done';

export class Collection {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #lastInternal: number;
  readonly #lastPack: number;
  /** Roots that were marked, or are being marked. */
  readonly #roots = new Set<string>();
  readonly #open: Open[] = [];
  /** Internal nodes that are reached; and from which the leaves were marked, too. */
  readonly #marked = new NumberSet();
  #markedWholly = new NumberSet();
  readonly #leaves = new NumberSet();
  #phase: Phase = 'doubting';
  #garbage: { readonly id: number; readonly bytes: number }[] = [];
  /** Where in its table the phase is. */
  #at = 0;
  #removed = 0;

  constructor(db: SqliteConnection, nodes: SqliteNodes) {
    this.#db = db;
    this.#nodes = nodes;
    const last = (table: string) => db.get<{ id: number }>(`SELECT ifnull(max(id), 0) AS id FROM ${table}`)?.id ?? 0;
    this.#lastInternal = last('internal_nodes');
    this.#lastPack = last('packs');
  }

  /** Nodes that went so far. */
  get removed(): number {
    return this.#removed;
  }

  /** Does as much as looking at so many nodes takes, or a little more. True if there is more to do. */
  step(budget: number): boolean {
    let left = budget;
    this.#noteRoots();
    while (left > 0 && this.#phase !== 'done') left -= this.#open.length > 0 ? this.#mark() : this.#advance();
    return this.#phase !== 'done';
  }

  /** Within each transaction: what is in use may have changed since the last. */
  #noteRoots(): void {
    const rows = this.#db.all<{ root: Uint8Array; kind: 'whole' | 'wanted' | 'adopted' }>(ROOTS);
    for (const { root, kind } of rows) {
      const hash = hashFrom(root);
      const key = `${kind} ${hash}`;
      if (isEmptyRoot(hash) || this.#roots.has(key)) continue;
      this.#roots.add(key);
      // As long as it was wanted, not all of it was there.
      if (kind === 'adopted') this.#markedWholly = new NumberSet();
      this.#open.push({ hash, marksLeaves: kind !== 'whole' });
    }
  }

  #mark(): number {
    const open = this.#open.pop();
    if (open === undefined) return 0;
    const { hash, marksLeaves } = open;
    const node = this.#nodes.internal(hash);
    if (node === undefined) {
      const [leaf] = marksLeaves ? this.#nodes.find([hash]) : [];
      if (leaf?.kind === 'leaf') this.#leaves.add(leaf.leaf);
      return COST.mark;
    }
    const done = marksLeaves ? this.#markedWholly : this.#marked;
    if (done.has(node.id)) return 1;
    done.add(node.id);
    this.#marked.add(node.id);
    const children = childrenOfValid(hash, node.value);
    // All of them are leaves.
    if (!marksLeaves && node.leaves === children.length) return COST.mark;
    for (const [at, child] of this.#nodes.find(children).entries()) {
      if (child?.kind === 'internal') this.#open.push({ hash: children[at] ?? '', marksLeaves });
      else if (child !== undefined && marksLeaves) this.#leaves.add(child.leaf);
    }
    return COST.mark + children.length;
  }

  #advance(): number {
    switch (this.#phase) {
      case 'doubting':
        return this.#doubt();
      case 'removing':
        return this.#remove();
      case 'sweeping':
        return this.#sweep();
      case 'done':
        return 0;
    }
  }

  #turnTo(phase: Phase): number {
    this.#phase = phase;
    this.#at = 0;
    return 1;
  }

  #doubt(): number {
    const rows = this.#db.all<{ id: number; bytes: number; leaves: number | null }>(
      'SELECT id, length(value) AS bytes, leaves FROM internal_nodes WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
      this.#at,
      this.#lastInternal,
      PAGE,
    );
    for (const { id, bytes, leaves } of rows) {
      this.#at = id;
      if (this.#marked.has(id)) continue;
      this.#garbage.push({ id, bytes });
      if (leaves !== null) this.#db.run('UPDATE internal_nodes SET leaves = NULL WHERE id = ?', id);
    }
    return rows.length === 0 ? this.#turnTo('removing') : COST.page + rows.length * COST.removed;
  }

  #remove(): number {
    const some = this.#garbage.splice(-PAGE);
    let bytesGone = 0;
    for (const { id, bytes } of some) {
      // Since it was looked at, a root that reaches it may have turned up.
      if (this.#marked.has(id) || this.#db.run(DELETE_DOUBTED, id) === 0) continue;
      bytesGone += bytes;
      this.#removed += 1;
    }
    this.#noteGone(bytesGone);
    return some.length === 0 ? this.#turnTo('sweeping') : some.length * COST.removed;
  }

  #sweep(): number {
    const packs = this.#db.all<{ id: number; live: number }>(
      'SELECT id, live FROM packs WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
      this.#at,
      this.#lastPack,
      PACKS,
    );
    const [from, to] = [packs[0]?.id, packs.at(-1)?.id];
    if (from === undefined || to === undefined) {
      this.#db.run('UPDATE home SET live_bytes = node_bytes');
      return this.#turnTo('done');
    }
    this.#at = to;
    const had = new NumberSet();
    const rows = this.#db.all<{ node: number }>(
      'SELECT node FROM leaves WHERE node >= ? AND node < ?',
      from * PACK_SLOTS,
      (to + 1) * PACK_SLOTS,
    );
    for (const { node } of rows) had.add(node);
    let cost = COST.page + packs.length * COST.pack;
    let bytesGone = 0;
    for (const { id, live } of packs) {
      const garbage = live & ~had.inPack(id) & ~this.#leaves.inPack(id);
      if (garbage === 0) continue;
      const gone = this.#nodes.removeLeaves(id, garbage);
      this.#removed += gone.leaves;
      bytesGone += gone.bytes;
      cost += COST.rewritten + gone.leaves;
    }
    this.#noteGone(bytesGone);
    return cost;
  }

  #noteGone(bytes: number): void {
    if (bytes > 0) this.#db.run('UPDATE home SET node_bytes = node_bytes - ?', bytes);
  }
}

/** An invalid one has none. */
function childrenOfValid(hash: Hash, value: Uint8Array): readonly Hash[] {
  try {
    return childrenOf(hash, () => value) ?? [];
  } catch {
    return [];
  }
}

/** What was found to be whole meanwhile is in use. */
const DELETE_DOUBTED = 'DELETE FROM internal_nodes WHERE id = ? AND leaves IS NULL';

/** Of a whole tree, every leaf is one of the feed's. */
const ROOTS = `SELECT own_root AS root, 'whole' AS kind FROM home
  UNION SELECT root, iif(adopting IS NULL, 'whole', 'adopted') FROM peers WHERE root NOT NULL
  UNION SELECT adopting, 'adopted' FROM peers WHERE adopting NOT NULL
  UNION SELECT wanted, 'wanted' FROM peers WHERE wanted NOT NULL`;
