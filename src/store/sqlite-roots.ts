/** The roots of feeds in the database: the one that is current, the ones that were, and the one that is being fetched. */
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

  isCurrent(feed: string, root: Hash): boolean {
    const sql = 'SELECT 1 FROM peers WHERE name = ? AND root = ? AND adopting IS NULL';
    return this.#db.get(sql, feed, blob(root)) !== undefined;
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

  /** What is fetched is not garbage. */
  want(feed: string, root: Hash, nowMs: number): void {
    this.#db.write(
      () => this.#db.run('UPDATE peers SET wanted = ? WHERE id = ?', blob(root), this.#leaves.peerId(feed, nowMs)),
      { durable: false },
    );
  }

  unwant(feed: string): void {
    this.#db.write(() => this.#db.run('UPDATE peers SET wanted = NULL WHERE name = ?', feed), { durable: false });
  }
}
