/** Reading messages from the database, in all the ways in which they are asked for. Those of a feed that is being fetched for the first time are not shown, nor those of whoever is blocked. */
import { type Hash, keyOf } from '../wire/hash.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { contentOf, type MessageContent, type MessageRow, messageFrom } from './sqlite-rows.ts';
import type { SqliteSearch } from './sqlite-search.ts';
import { type MessageQuery, type SearchQuery, type StoredMessage, storeLimits } from './store.ts';

/** Own messages, the newest, to which answers are looked for. */
const ANSWERABLE = 5_000;
/** Messages whose contents are kept in memory. */
const KEPT = 4_096;
const COLUMNS = 'leaves.*, peers.name AS author';
const FROM = 'FROM leaves JOIN peers ON peers.id = leaves.peer';
const SHOWN = 'peers.root IS NOT NULL AND order_ms IS NOT NULL AND NOT blocked';

/** BOUNDED by ANSWERABLE. */
interface Newest {
  /** Whose they are, and of which tree. */
  readonly state: string;
  readonly hashes: ReadonlySet<Hash>;
  /** A list in JSON. */
  readonly keys: string;
}

export class SqliteMessages {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  readonly #search: SqliteSearch;
  /** By arrival: screens ask for the same messages again and again, and each may be in a pack of its own. BOUNDED by KEPT. */
  readonly #contents = new Map<number, MessageContent>();
  #newest: Newest = { state: '', hashes: new Set(), keys: '[]' };

  constructor(db: SqliteConnection, nodes: SqliteNodes, search: SqliteSearch) {
    this.#db = db;
    this.#nodes = nodes;
    this.#search = search;
    // An arrival that was undone is given again.
    db.onRollback(() => this.#contents.clear());
  }

  find({ authors, limit = storeLimits.shown, beforeMs = Number.MAX_SAFE_INTEGER }: MessageQuery = {}): StoredMessage[] {
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

  /** In the order of the hashes; those that are not there are left out. */
  withHashes(hashes: readonly Hash[]): StoredMessage[] {
    const leaves = this.#nodes.find(hashes).flatMap((found) => (found?.kind === 'leaf' ? [found.leaf] : []));
    const rows = new Map<number, MessageRow>();
    for (let from = 0; from < leaves.length; from += LOOKED_UP_AT_ONCE) {
      const some = leaves.slice(from, from + LOOKED_UP_AT_ONCE);
      // Of those with one hash, the one that came first.
      for (const row of this.#db.all<MessageRow>(BY_LEAVES, ...some, ...ABSENT.slice(some.length)))
        rows.set(row.node, row);
    }
    return this.#messages(leaves.flatMap((leaf) => rows.get(leaf) ?? []));
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

  repliesTo(author: string, limit: number): StoredMessage[] {
    const { keys, hashes } = this.#newestOf(author);
    const rows = this.#db.all<MessageRow>(
      `SELECT ${COLUMNS} ${FROM} WHERE answers IN (SELECT value FROM json_each(?)) AND name <> ? AND ${SHOWN}
       ORDER BY arrival DESC LIMIT ?`,
      keys,
      author,
      limit,
    );
    // Two hashes may share a key.
    return this.#messages(rows.sort(byOrder)).filter(({ inReplyTo }) => inReplyTo !== null && hashes.has(inReplyTo));
  }

  /** The newest messages of a feed, kept until it has others: their packs need not be read each time. */
  #newestOf(author: string): Newest {
    const sql = 'SELECT id || hex(root) AS state FROM peers WHERE name = ? AND root IS NOT NULL';
    const state = `${author}/${this.#db.get<{ state: string }>(sql, author)?.state ?? ''}`;
    if (state !== this.#newest.state) {
      const hashes = new Set(this.find({ authors: [author], limit: ANSWERABLE }).map(({ hash }) => hash));
      this.#newest = { state, hashes, keys: JSON.stringify([...hashes].map(keyOf)) };
    }
    return this.#newest;
  }

  count(): number {
    const sql = 'SELECT ifnull(sum(messages), 0) AS count FROM peers WHERE root IS NOT NULL';
    return this.#db.get<{ count: number }>(sql)?.count ?? 0;
  }

  markRead(hashes: readonly Hash[]): void {
    this.#db.write(() => {
      for (const found of this.#nodes.find(hashes)) {
        if (found?.kind === 'leaf')
          this.#db.run('UPDATE leaves SET read = 1 WHERE node = ? AND order_ms IS NOT NULL', found.leaf);
      }
    });
  }

  search({ text, limit = storeLimits.shown, onIndexed }: SearchQuery): StoredMessage[] {
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
    const isKept = rows.length <= KEPT;
    return rows.map((row) => {
      const kept = this.#contents.get(row.arrival);
      if (kept !== undefined) return messageFrom(row, kept);
      const content = contentOf(read(row.node));
      if (isKept) this.#keep(row.arrival, content);
      return messageFrom(row, content);
    });
  }

  #keep(arrival: number, content: MessageContent): void {
    this.#contents.set(arrival, content);
    if (this.#contents.size > KEPT) this.#contents.delete(this.#contents.keys().next().value ?? arrival);
  }
}

const LOOKED_UP_AT_ONCE = 32;
const BY_LEAVES = `SELECT ${COLUMNS} ${FROM} WHERE node IN (${Array(LOOKED_UP_AT_ONCE).fill('?').join(', ')}) AND ${SHOWN}
  ORDER BY arrival DESC`;
const ABSENT: readonly number[] = Array<number>(LOOKED_UP_AT_ONCE).fill(-1);

function byOrder(a: MessageRow, b: MessageRow): number {
  return a.order_ms - b.order_ms || a.arrival - b.arrival;
}
