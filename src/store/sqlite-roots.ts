/** The roots of each feed in the database: the current one, the former ones, and the one that is being fetched. */
import { FULL_TREES } from '../merkle/build.ts';
import type { Hash } from '../wire/hash.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteLeaves } from './sqlite-leaves.ts';
import { blob, hashFrom } from './sqlite-rows.ts';

export class SqliteRoots {
  readonly #db: SqliteConnection;
  readonly #leaves: SqliteLeaves;

  constructor(db: SqliteConnection, leaves: SqliteLeaves) {
    this.#db = db;
    this.#leaves = leaves;
  }

  current(feed: string): Hash | undefined {
    const row = this.#db.get<{ root: Uint8Array | null }>('SELECT root FROM peers WHERE name = ?', feed);
    return row?.root ? hashFrom(row.root) : undefined;
  }

  isCurrent(feed: string, root: Hash, authenticated: boolean): boolean {
    const sql = 'SELECT id FROM peers WHERE name = ? AND root = ? AND adopting IS NULL';
    const peer = this.#db.get<{ id: number }>(sql, feed, blob(root));
    if (peer === undefined || !authenticated) return peer !== undefined;
    return this.#db.get('SELECT 1 FROM leaves WHERE peer = ? AND authenticated = 0 LIMIT 1', peer.id) === undefined;
  }

  wasCurrent(feed: string, root: Hash): boolean {
    const sql =
      'SELECT 1 FROM superseded JOIN peers ON peers.id = superseded.peer WHERE name = ? AND superseded.root = ?';
    return this.#db.get(sql, feed, blob(root)) !== undefined;
  }

  isSuperseded(root: Hash): boolean {
    const sql = `SELECT 1 FROM superseded JOIN internal_nodes ON hash = superseded.root
      WHERE superseded.root = ? AND leaves NOT IN (${FULL_TREES}) AND superseded.root NOT IN (SELECT root FROM peers WHERE root NOT NULL)`;
    return this.#db.get(sql, blob(root)) !== undefined;
  }

  /** Protects what is being fetched from garbage collection. Tells whether the feed had a tree before, and whether one was wanted already. */
  want(feed: string, root: Hash, nowMs: number): { hasTree: boolean; hasBegun: boolean } {
    return this.#db.write(
      () => {
        const id = this.#leaves.peerId(feed, nowMs);
        const sql = 'SELECT root NOT NULL AS hasTree, wanted NOT NULL AS hasBegun FROM peers WHERE id = ?';
        const before = this.#db.get<{ hasTree: number; hasBegun: number }>(sql, id);
        this.#db.run('UPDATE peers SET wanted = ? WHERE id = ?', blob(root), id);
        return { hasTree: before?.hasTree === 1, hasBegun: before?.hasBegun === 1 };
      },
      { durable: false },
    );
  }

  unwant(feed: string): void {
    this.#db.write(() => this.#db.run('UPDATE peers SET wanted = NULL WHERE name = ?', feed), { durable: false });
  }
}
