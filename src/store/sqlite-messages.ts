/** Reading messages from the database, in all the ways in which they are asked for. */
import type { Hash } from '../wire/hash.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { blob, hashFrom, type MessageRow, messageFrom } from './sqlite-rows.ts';
import { searchArrivals } from './sqlite-search.ts';
import type { Arrival, MessageQuery, SearchQuery, StoredMessage } from './store.ts';

const DEFAULT_LIMIT = 50;
const COLUMNS = 'leaves.*, peers.name AS author, nodes.hash AS hash, nodes.value AS value';
const FROM = 'FROM leaves JOIN peers ON peers.id = leaves.peer JOIN nodes ON nodes.id = leaves.node';

export class SqliteMessages {
  readonly #db: SqliteConnection;

  constructor(db: SqliteConnection) {
    this.#db = db;
  }

  find({ authors, limit = DEFAULT_LIMIT, beforeMs = Number.MAX_SAFE_INTEGER }: MessageQuery = {}): StoredMessage[] {
    const rows = authors
      ? [...new Set(authors)].flatMap((author) =>
          this.#db.all<MessageRow>(
            `SELECT ${COLUMNS} ${FROM} WHERE peer = (SELECT id FROM peers WHERE name = ?) AND order_ms < ?
             ORDER BY order_ms DESC, arrival DESC LIMIT ?`,
            author,
            beforeMs,
            limit,
          ),
        )
      : this.#db.all<MessageRow>(
          `SELECT ${COLUMNS} ${FROM} WHERE order_ms < ? ORDER BY order_ms DESC, arrival DESC LIMIT ?`,
          beforeMs,
          limit,
        );
    return rows.sort(byOrder).slice(-limit).map(messageFrom);
  }

  byHash(hash: Hash): StoredMessage | undefined {
    const row = this.#db.get<MessageRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE hash = ? AND order_ms IS NOT NULL ORDER BY arrival LIMIT 1`,
      blob(hash),
    );
    return row && messageFrom(row);
  }

  startingWith(prefix: string, limit: number): StoredMessage[] {
    const rows = this.#db.all<{ hash: Uint8Array }>(
      `SELECT DISTINCT hash FROM nodes JOIN leaves ON leaves.node = nodes.id
       WHERE hash BETWEEN ? AND ? AND order_ms IS NOT NULL ORDER BY hash LIMIT ?`,
      blob(prefix.padEnd(64, '0')),
      blob(prefix.padEnd(64, 'f')),
      limit,
    );
    return rows.flatMap(({ hash }) => this.byHash(hashFrom(hash)) ?? []);
  }

  replies(hash: Hash): StoredMessage[] {
    const rows = this.#db.all<MessageRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE answers = ? ORDER BY arrival DESC`,
      blob(hash),
    );
    // Of those with one hash, the one that came first.
    const first = new Map(rows.map((row) => [hashFrom(row.hash), row]));
    return [...first.values()].sort(byOrder).map(messageFrom);
  }

  search({ text, limit = DEFAULT_LIMIT }: SearchQuery): StoredMessage[] {
    const newest = searchArrivals(this.#db, text, limit);
    const rows = newest.flatMap(
      (arrival) => this.#db.get<MessageRow>(`SELECT ${COLUMNS} ${FROM} WHERE arrival = ?`, arrival) ?? [],
    );
    return rows.sort(byOrder).map(messageFrom);
  }

  after(arrival: number, limit: number): Arrival[] {
    const rows = this.#db.all<MessageRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE arrival > ? AND order_ms IS NOT NULL ORDER BY arrival LIMIT ?`,
      arrival,
      limit,
    );
    return rows.map((row) => ({ arrival: row.arrival, message: messageFrom(row) }));
  }
}

function byOrder(a: MessageRow, b: MessageRow): number {
  return a.order_ms - b.order_ms || a.arrival - b.arrival;
}
