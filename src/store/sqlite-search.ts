/** Full-text search: FTS5 finds the words that search-words.ts makes of a text. */
import type { DatabaseSync } from 'node:sqlite';
import { messageIn } from './adoption.ts';
import { mayBeCutShort, type Phrase, parseSearch, searchWords } from './search-words.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import { SEARCHED_ARRIVALS } from './store.ts';

/** Indexes what was stored before there was an index. */
export function fillSearch(db: DatabaseSync): void {
  const insert = db.prepare('INSERT INTO words (rowid, text) VALUES (?, ?)');
  insert.setReadBigInts(true);
  const stored = db.prepare('SELECT arrival, value FROM leaves JOIN nodes USING (hash) WHERE order_ms IS NOT NULL');
  for (const row of stored.iterate()) {
    const { arrival, value } = row as { arrival: number; value: Uint8Array };
    insert.run(arrival, wordsOf(messageIn(value)?.body ?? ''));
  }
}

export function addToSearch(db: SqliteConnection, arrival: number, body: string): void {
  db.run('INSERT INTO words (rowid, text) VALUES (?, ?)', arrival, wordsOf(body));
}

export function removeFromSearch(db: SqliteConnection, arrival: number): void {
  db.run('DELETE FROM words WHERE rowid = ?', arrival);
}

/** The newest messages that fit, by number of arrival, newest first. */
export function searchArrivals(db: SqliteConnection, query: string, limit: number): number[] {
  const phrases = parseSearch(query);
  if (phrases.length === 0) return [];
  const rows = db.all<{ arrival: number }>(
    `SELECT arrival FROM leaves
     WHERE arrival IN (SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ${SEARCHED_ARRIVALS})
     ORDER BY order_ms DESC, arrival DESC LIMIT ?`,
    phrases.map(quoted).join(' AND '),
    limit,
  );
  return rows.map(({ arrival }) => arrival);
}

function wordsOf(body: string): string {
  return searchWords(body).join(' ');
}

/** A phrase in FTS5's query language; words hold no quotation mark. The star lets the last one be cut short. */
function quoted(phrase: Phrase): string {
  return `"${phrase.join(' ')}"${mayBeCutShort(phrase.at(-1) ?? '') ? ' *' : ''}`;
}
