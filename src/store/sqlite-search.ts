/**
 * Full-text search: FTS5 finds the words that search-words.ts makes of a text. Indexing is most of what a message costs, so what
 * comes is indexed later, in slices; a search indexes first what is left, so that it misses nothing, whichever process stored it.
 */
import { matches, mayBeCutShort, type Phrase, parseSearch, searchWords } from './search-words.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { messageIn } from './sqlite-rows.ts';
import { SEARCHED_ARRIVALS } from './store.ts';
import { FullDiskError, ReadOnlyStoreError } from './store-errors.ts';

/** What a search indexes in one transaction: for more than a thousand the price of each no longer falls. */
const MANY = 4_096;

/** Takes what came after what is indexed into the index, in the order in which it came; at most so many. True if there may be more. */
export function indexArrivals(db: SqliteConnection, nodes: SqliteNodes, limit: number): boolean {
  const isDone = db.get('SELECT 1 FROM leaves WHERE arrival > (SELECT indexed FROM home) LIMIT 1') === undefined;
  if (isDone) return false;
  // What a power cut takes back is indexed again.
  return db.write(() => indexSlice(db, nodes, limit), { durable: false });
}

function indexSlice(db: SqliteConnection, nodes: SqliteNodes, limit: number): boolean {
  const rows = arrivalsAfter(db, nodes, indexedUpTo(db), limit);
  for (const { arrival, value } of rows) {
    const words = searchWords(messageIn(value)?.body ?? '');
    if (words.length > 0) db.run('INSERT INTO words (rowid, text) VALUES (?, ?)', arrival, words.join(' '));
  }
  db.run('UPDATE home SET indexed = max(indexed, ?)', rows.at(-1)?.arrival ?? 0);
  return rows.length === limit;
}

function indexedUpTo(db: SqliteConnection): number {
  return db.get<{ indexed: number }>('SELECT indexed FROM home')?.indexed ?? 0;
}

function arrivalsAfter(
  db: SqliteConnection,
  nodes: SqliteNodes,
  arrival: number,
  limit: number,
): { arrival: number; value: Uint8Array | undefined }[] {
  const sql = 'SELECT arrival, node FROM leaves WHERE arrival > ? ORDER BY arrival LIMIT ?';
  const read = nodes.leafReader();
  return db
    .all<{ arrival: number; node: number }>(sql, arrival, limit)
    .map(({ arrival, node }) => ({ arrival, value: read(node)?.value }));
}

/** Does nothing if it is not indexed yet. */
export function removeFromSearch(db: SqliteConnection, arrival: number): void {
  db.run('DELETE FROM words WHERE rowid = ?', arrival);
}

/** The newest messages that fit, by number of arrival, newest first. */
export function searchArrivals(db: SqliteConnection, nodes: SqliteNodes, query: string, limit: number): number[] {
  const phrases = parseSearch(query);
  if (phrases.length === 0) return [];
  const unindexed = indexAll(db, nodes) ? [] : unindexedArrivals(db, nodes, phrases);
  const rows = db.all<{ arrival: number }>(
    `SELECT arrival FROM leaves JOIN peers ON peers.id = leaves.peer
     WHERE root IS NOT NULL AND arrival IN (
       SELECT value FROM json_each(?)
       UNION SELECT rowid FROM (SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ${SEARCHED_ARRIVALS})
       ORDER BY 1 DESC LIMIT ${SEARCHED_ARRIVALS}
     )
     ORDER BY order_ms DESC, arrival DESC LIMIT ?`,
    JSON.stringify(unindexed),
    phrases.map(quoted).join(' AND '),
    limit,
  );
  return rows.map(({ arrival }) => arrival);
}

/** False if the database cannot be written now: messages that came last are then not in the index. */
function indexAll(db: SqliteConnection, nodes: SqliteNodes): boolean {
  try {
    while (indexArrivals(db, nodes, MANY));
    return true;
  } catch (error) {
    if (error instanceof ReadOnlyStoreError || error instanceof FullDiskError) return false;
    throw error;
  }
}

/** What fits among the messages that are not in the index: each of them is read. BOUNDED by the messages that came since it was written. */
function unindexedArrivals(db: SqliteConnection, nodes: SqliteNodes, phrases: readonly Phrase[]): number[] {
  const found: number[] = [];
  for (let after = indexedUpTo(db); ; ) {
    const rows = arrivalsAfter(db, nodes, after, MANY);
    for (const { arrival, value } of rows) {
      if (matches(searchWords(messageIn(value)?.body ?? ''), phrases)) found.push(arrival);
    }
    const last = rows.at(-1);
    if (last === undefined) return found;
    after = last.arrival;
  }
}

/** A phrase in FTS5's query language; words hold no quotation mark. The star lets the last one be cut short. */
function quoted(phrase: Phrase): string {
  return `"${phrase.join(' ')}"${mayBeCutShort(phrase.at(-1) ?? '') ? ' *' : ''}`;
}
