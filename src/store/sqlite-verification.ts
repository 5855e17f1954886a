/** Whether what is stored is still what came: every node is hashed anew, and the own tree is walked from its root. */
import { canonicalLeaves } from '../merkle/withdraw.ts';
import { hashFromBytes, hashOf } from '../wire/hash.ts';
import { nodeKind } from '../wire/node.ts';
import { unpackLeaves } from './pack.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import type { SqliteOwnFeed } from './sqlite-own-feed.ts';
import type { Damage, Verified } from './store.ts';

/** Rows that are read at once: some milliseconds. */
const PAGE = 256;

export class SqliteVerification {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #own: SqliteOwnFeed;
  readonly #damaged: Damage[] = [];
  #checkedNodes = 0;
  #messages = 0;

  constructor(db: SqliteConnection, nodes: SqliteNodes, own: SqliteOwnFeed) {
    this.#db = db;
    this.#nodes = nodes;
    this.#own = own;
  }

  /** After every portion, how far it is; the last one has all of it. */
  *run(): Generator<Verified, void, undefined> {
    this.#checkDatabase();
    for (const portion of [() => this.#checkInternal(), () => this.#checkLeaves()]) {
      for (const share of portion()) yield this.#soFar(share);
    }
    this.#checkOwnTree();
    yield this.#soFar(1);
  }

  #soFar(share: number): Verified {
    return { nodes: this.#checkedNodes, messages: this.#messages, damaged: this.#damaged, share };
  }

  /** SQLite looks for pages that are not as it wrote them. */
  #checkDatabase(): void {
    for (const { quick_check: found } of this.#db.all<{ quick_check: string }>('PRAGMA quick_check(100)')) {
      if (found !== 'ok') this.#damaged.push({ hash: null, why: `the database file is damaged: ${found}` });
    }
  }

  *#checkInternal(): Generator<number> {
    const last = this.#lastOf('internal_nodes');
    const sql = 'SELECT id, hash, value FROM internal_nodes WHERE id > ? ORDER BY id LIMIT ?';
    for (let after = 0; ; ) {
      const rows = this.#db.all<{ id: number; hash: Uint8Array; value: Uint8Array }>(sql, after, PAGE);
      for (const { id, hash, value } of rows) {
        this.#check(hashFromBytes(hash), value);
        after = id;
      }
      if (rows.length < PAGE) return;
      // Of thirty nodes one is internal.
      yield after / last / 30;
    }
  }

  *#checkLeaves(): Generator<number> {
    const last = this.#lastOf('packs');
    const sql = 'SELECT id, live, value FROM packs WHERE id > ? ORDER BY id LIMIT ?';
    for (let after = 0; ; ) {
      const rows = this.#db.all<{ id: number; live: number; value: Uint8Array }>(sql, after, PAGE);
      for (const { id, live, value } of rows) {
        this.#checkPack(live, value);
        after = id;
      }
      if (rows.length < PAGE) return;
      yield after / last;
    }
  }

  #checkPack(live: number, value: Uint8Array): void {
    let found: ReturnType<typeof unpackLeaves> = [];
    try {
      found = unpackLeaves(value);
      for (const [slot, leaf] of found.entries()) {
        if (leaf === undefined || ((live >>> slot) & 1) === 0) continue;
        this.#check(leaf.hash, leaf.value);
        if (nodeKind(leaf.value) === 'message') this.#messages += 1;
      }
    } catch {
      this.#damaged.push({ hash: null, why: 'some leaves cannot be read' });
    }
    const there = found.reduce((bits, leaf, slot) => (leaf === undefined ? bits : bits | (1 << slot)), 0);
    if ((live & ~there) !== 0) this.#damaged.push({ hash: null, why: 'some leaves are no longer there' });
  }

  #check(hash: string, value: Uint8Array): void {
    this.#checkedNodes += 1;
    if (hashOf(value) !== hash) this.#damaged.push({ hash, why: 'its bytes do not give its hash' });
    else if (this.#nodes.find([hash])[0] === undefined)
      this.#damaged.push({ hash, why: 'it is not found by its hash' });
  }

  /** At one moment: another process may publish. */
  #checkOwnTree(): void {
    this.#db.read(() => {
      const { root, messages } = this.#own.get();
      try {
        const leaves = canonicalLeaves(root, messages, (hash) => this.#nodes.get(hash));
        for (const [at, found] of this.#nodes.find(leaves).entries()) {
          if (found === undefined) this.#damaged.push({ hash: leaves[at] ?? null, why: 'your own tree lacks it' });
        }
      } catch (error) {
        this.#damaged.push({ hash: root, why: `your own tree is damaged: ${(error as Error).message}` });
      }
    });
  }

  #lastOf(table: 'packs' | 'internal_nodes'): number {
    return this.#db.get<{ last: number }>(`SELECT ifnull(max(id), 1) AS last FROM ${table}`)?.last ?? 1;
  }
}
