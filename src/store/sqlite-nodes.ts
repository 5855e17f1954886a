/** Tree nodes of everybody in the database, by hash; and when those that no tree needs any more are collected. */
import type { Hash } from '../wire/hash.ts';
import { nodeKind } from '../wire/node.ts';
import { sweepNodes } from './sqlite-collection.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { blob } from './sqlite-rows.ts';
import type { NodeStatus, StoredNode } from './store.ts';

/** Collection runs when so much, and half as much as is in use, may be garbage. */
const GARBAGE_FLOOR_BYTES = 64 * 1024;

interface ByteCounts {
  node_bytes: number;
  live_bytes: number;
}

export class SqliteNodes {
  readonly #db: SqliteConnection;

  constructor(db: SqliteConnection) {
    this.#db = db;
  }

  get(hash: Hash): Uint8Array | undefined {
    return this.#db.get<{ value: Uint8Array }>('SELECT value FROM nodes WHERE hash = ?', blob(hash))?.value;
  }

  statusOf(hashes: readonly Hash[]): NodeStatus[] {
    return this.#db.read(() =>
      hashes.map((hash) => {
        const row = this.#db.get<{ leaves: number | null }>('SELECT leaves FROM nodes WHERE hash = ?', blob(hash));
        if (row === undefined) return 'missing';
        return row.leaves === null ? 'partial' : 'complete';
      }),
    );
  }

  /** Within a transaction of the caller's, as the others below. */
  insert(nodes: readonly StoredNode[]): void {
    let bytes = 0;
    for (const { hash, value } of nodes) {
      const leaves = nodeKind(value) === 'internal' ? null : 1;
      const inserted = this.#db.run(
        'INSERT OR IGNORE INTO nodes (hash, value, leaves) VALUES (?, ?, ?)',
        blob(hash),
        value,
        leaves,
      );
      if (inserted > 0) bytes += value.length;
    }
    if (bytes > 0) this.#db.run('UPDATE home SET node_bytes = node_bytes + ?', bytes);
  }

  collectIfWorthIt(): void {
    const { node_bytes, live_bytes } = this.#bytes();
    if (node_bytes - live_bytes > Math.max(GARBAGE_FLOOR_BYTES, live_bytes / 2)) this.collect();
  }

  collect(): number {
    const swept = sweepNodes(this.#db.db);
    this.#db.run('UPDATE home SET node_bytes = node_bytes - ?, live_bytes = node_bytes - ?', swept.bytes, swept.bytes);
    return swept.nodes;
  }

  #bytes(): ByteCounts {
    return this.#db.get<ByteCounts>('SELECT node_bytes, live_bytes FROM home') as ByteCounts;
  }
}
