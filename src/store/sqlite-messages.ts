/** Reading messages from the database, in all the ways in which they are asked for. Those of a feed that is being fetched for the first time are not shown, nor those of whoever is blocked. */
import type { Hash } from '../wire/hash.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { keyOf } from './sqlite-leaf-keys.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { type MessageRow, messageFrom } from './sqlite-rows.ts';
import type { SqliteSearch } from './sqlite-search.ts';
import type { MessageQuery, SearchQuery, StoredMessage } from './store.ts';

const DEFAULT_LIMIT = 50;
const COLUMNS = 'leaves.*, peers.name AS author';
const FROM = 'FROM leaves JOIN peers ON peers.id = leaves.peer';
const SHOWN = 'peers.root IS NOT NULL AND order_ms IS NOT NULL AND NOT blocked';

export class SqliteMessages {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #search: SqliteSearch;

  constructor(db: SqliteConnection, nodes: SqliteNodes, search: SqliteSearch) {
    this.#db = db;
    this.#nodes = nodes;
    this.#search = search;
  }

  find({ authors, limit = DEFAULT_LIMIT, beforeMs = Number.MAX_SAFE_INTEGER }: MessageQuery = {}): StoredMessage[] {
    const names =
      authors ?? this.#db.all<{ name: string }>('SELECT name FROM peers WHERE messages > 0').map(({ name }) => name);
    const rows = [...new Set(names)].flatMap((author) =>
      this.#db.all<MessageRow>(
        `SELECT ${COLUMNS} ${FROM} WHERE peer = (SELECT id FROM peers WHERE name = ?) AND order_ms < ? AND ${SHOWN}
         ORDER BY order_ms DESC, arrival DESC LIMIT ?`,
        author,
        beforeMs,
        limit,
      ),
    );
    return this.#messages(rows.sort(byOrder).slice(-limit));
  }

  byHash(hash: Hash): StoredMessage | undefined {
    const [found] = this.#nodes.find([hash]);
    return found?.kind === 'leaf' ? this.#byLeaf(found.leaf) : undefined;
  }

  startingWith(prefix: string, limit: number): StoredMessage[] {
    const found: StoredMessage[] = [];
    const seen = new Set<number>();
    for (const leaf of this.#nodes.keys.startingWith(prefix)) {
      if (seen.has(leaf)) continue;
      seen.add(leaf);
      const message = this.#byLeaf(leaf);
      if (message?.hash.startsWith(prefix)) found.push(message);
      if (found.length === limit) break;
    }
    return found.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  }

  replies(hash: Hash): StoredMessage[] {
    const rows = this.#db.all<MessageRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE answers = ? AND ${SHOWN} ORDER BY arrival DESC`,
      keyOf(hash),
    );
    // Of those with one hash, the one that came first.
    const first = new Map(rows.map((row) => [row.node, row]));
    const messages = this.#messages([...first.values()].sort(byOrder));
    return messages.filter(({ inReplyTo }) => inReplyTo === hash);
  }

  search({ text, limit = DEFAULT_LIMIT, onIndexed }: SearchQuery): StoredMessage[] {
    const newest = this.#search.find(text, limit, onIndexed);
    const rows = newest.flatMap(
      (arrival) => this.#db.get<MessageRow>(`SELECT ${COLUMNS} ${FROM} WHERE arrival = ?`, arrival) ?? [],
    );
    return this.#messages(rows.sort(byOrder));
  }

  /** By numbers of arrival, in their order: `after` < number <= `upTo`. */
  between(after: number, upTo: number, limit: number): { readonly arrival: number; readonly message: StoredMessage }[] {
    return this.#arrivals('', [], after, upTo, limit);
  }

  /** The same of one feed. */
  ofFeedBetween(peer: number, after: number, upTo: number, limit: number) {
    return this.#arrivals('AND peer = ?', [peer], after, upTo, limit);
  }

  #arrivals(condition: string, values: number[], after: number, upTo: number, limit: number) {
    const rows = this.#db.all<MessageRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE arrival > ? AND arrival <= ? AND ${SHOWN} ${condition} ORDER BY arrival LIMIT ?`,
      after,
      upTo,
      ...values,
      limit,
    );
    const messages = this.#messages(rows);
    return rows.flatMap(({ arrival }, at) => {
      const message = messages[at];
      return message === undefined ? [] : [{ arrival, message }];
    });
  }

  #byLeaf(leaf: number): StoredMessage | undefined {
    const row = this.#db.get<MessageRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE node = ? AND ${SHOWN} ORDER BY arrival LIMIT 1`,
      leaf,
    );
    return row && this.#messages([row])[0];
  }

  #messages(rows: readonly MessageRow[]): StoredMessage[] {
    const read = this.#nodes.leafReader();
    return rows.map((row) => messageFrom(row, read(row.node)));
  }
}

function byOrder(a: MessageRow, b: MessageRow): number {
  return a.order_ms - b.order_ms || a.arrival - b.arrival;
}
