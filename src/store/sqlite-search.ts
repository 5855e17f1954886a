/**
 * Full-text search. The words of messages (search-words.ts) are kept by runs, each of some thousand messages that arrived one after
 * another: for each word, which of them have it. A run is written once, and never changed: a message that has gone is no longer found
 * because it is no longer there. The words of what came after the last run are in memory, in every process for itself.
 */

import { messageBody } from '../wire/node.ts';
import { matches, mayBeCutShort, type Phrase, parseSearch, searchWords } from './search-words.ts';
import type { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteNodes } from './sqlite-nodes.ts';
import { messageIn } from './sqlite-rows.ts';
import { SEARCHED_ARRIVALS } from './store.ts';
import { FullDiskError, ReadOnlyStoreError } from './store-errors.ts';
import { BUCKETS, bucketOfWord, findInRow, type WantedWord, WordTable } from './word-table.ts';

/** Arrivals of a run: enough for a word to be found quickly in a million, and few enough to be written in some milliseconds. */
const RUN = 2_048;
const ROWS_AT_ONCE = 16;
/** Arrivals that are read at once. */
const PAGE = 256;
/** Phrases are looked for among so many of the newest messages that have all the words, whatever the phrase. */
const COMPARED = 5_000;

export class SqliteSearch {
  readonly #db: SqliteConnection;
  readonly #nodes: SqliteNodes;
  /** What is in no run: BOUNDED by a run, and on a disk that cannot be written by what came since. */
  readonly #words = new WordTable();
  /** Up to which arrival the runs go as far as this process knows, and up to which `#words` do. */
  #written = 0;
  #read = 0;
  /** The transaction in which that was compared with the database last. */
  #caughtUpIn = 0;

  constructor(db: SqliteConnection, nodes: SqliteNodes) {
    this.#db = db;
    this.#nodes = nodes;
    db.onRollback(() => this.#begin(0));
  }

  /** Takes note of the words of about so many arrivals, within a transaction of the caller's that may write. True if there may be more. */
  follow(arrivals: number): boolean {
    this.#catchUp();
    let left = arrivals;
    while (left > 0) {
      const read = this.#readPage();
      if (read === 0) return false;
      left -= read;
      if (this.#read - this.#written >= RUN) this.#writeRun();
    }
    return true;
  }

  /**
   * Takes note of the words of leaves that were just added, within that transaction, and from `first` on: nobody has to read them again.
   * If any before them were not taken note of, `follow` comes to all of them in order.
   */
  take(first: number, leaves: readonly Uint8Array[]): void {
    this.#catchUp();
    if (this.#isBehind(first)) return;
    let arrival = first;
    for (const value of leaves) this.#note(arrival++, value);
    if (this.#read - this.#written >= RUN) this.#writeRun();
  }

  /** Whether there are arrivals whose words were not taken note of. */
  isBehind(): boolean {
    this.#catchUp();
    return this.#isBehind(Number.MAX_SAFE_INTEGER);
  }

  #isBehind(before: number): boolean {
    const sql = 'SELECT 1 FROM leaves WHERE arrival > ? AND arrival < ? LIMIT 1';
    return this.#read + 1 !== before && this.#db.get(sql, this.#read, before) !== undefined;
  }

  #note(arrival: number, value: Uint8Array | undefined): void {
    const body = value === undefined ? undefined : messageBody(value);
    if (body !== undefined) this.#words.add(arrival - this.#written - 1, body);
    this.#read = arrival;
  }

  /** The newest messages that fit, by number of arrival, newest first. */
  find(query: string, limit: number, onIndexed: (share: number) => void = () => {}): number[] {
    const phrases = parseSearch(query);
    if (phrases.length === 0) return [];
    this.#followWholly(onIndexed);
    const found = this.#db.read(() => this.#shown(phrases));
    return found
      .sort((a, b) => b.order_ms - a.order_ms || b.arrival - a.arrival)
      .slice(0, limit)
      .map(({ arrival }) => arrival);
  }

  /** Where nothing can be written now, all is in memory. */
  #followWholly(onIndexed: (share: number) => void): void {
    const last = this.#db.get<{ last: number }>('SELECT ifnull(max(arrival), 1) AS last FROM leaves')?.last ?? 1;
    try {
      while (this.isBehind()) {
        this.#db.write(() => this.follow(RUN), { durable: false });
        onIndexed(this.#read / last);
      }
    } catch (error) {
      if (!(error instanceof ReadOnlyStoreError || error instanceof FullDiskError)) throw error;
      this.#catchUp();
      while (this.#readPage() > 0) onIndexed(this.#read / last);
    }
  }

  #shown(phrases: readonly Phrase[]): Shown[] {
    const found: Shown[] = [];
    let compared = 0;
    for (const arrivals of this.#fitting(phrases)) {
      const shown = this.#db.all<Shown>(SHOWN, JSON.stringify(arrivals));
      if (phrases.every((phrase) => phrase.length === 1)) found.push(...shown);
      else {
        const read = this.#nodes.leafReader();
        for (const one of shown) {
          compared += 1;
          if (matches(wordsOf(read(one.node)?.value), phrases)) found.push(one);
        }
      }
      if (found.length >= SEARCHED_ARRIVALS || compared >= COMPARED) break;
    }
    return found.slice(0, SEARCHED_ARRIVALS);
  }

  /** Arrivals that have all the words, newest first, run by run. */
  *#fitting(phrases: readonly Phrase[]): Generator<readonly number[]> {
    const wanted = phrases.flatMap((phrase) =>
      phrase.map((word, at) => ({ word, isCutShort: at === phrase.length - 1 && mayBeCutShort(word) })),
    );
    // Long words are the rarer ones: most runs have none of them, and are not looked into further.
    wanted.sort((a, b) => b.word.length - a.word.length);
    yield intersected(this.#written + 1, wanted, (word) => this.#words.find(word));
    const runs = this.#db.all<{ first: number }>('SELECT first FROM word_runs ORDER BY first DESC');
    for (const { first } of runs) {
      yield intersected(first, wanted, (word) => {
        const sql = 'SELECT bytes FROM words WHERE id = ?';
        const row = this.#db.get<{ bytes: Uint8Array }>(sql, first * BUCKETS + bucketOfWord(word.word));
        return row === undefined ? [] : findInRow(row.bytes, word);
      });
    }
  }

  /** Another process may have written a run, or this one may have to begin anew. */
  #catchUp(): void {
    if (this.#db.isIn(this.#caughtUpIn)) return;
    this.#caughtUpIn = this.#db.transactions;
    const written = this.#db.get<{ indexed: number }>('SELECT indexed FROM home')?.indexed ?? 0;
    if (written !== this.#written) this.#begin(written);
  }

  #begin(written: number): void {
    this.#words.clear();
    this.#written = written;
    this.#read = written;
  }

  /** How many arrivals were read. */
  #readPage(): number {
    const sql = 'SELECT arrival, node FROM leaves WHERE arrival > ? ORDER BY arrival LIMIT ?';
    const rows = this.#db.all<{ arrival: number; node: number }>(sql, this.#read, PAGE);
    const read = this.#nodes.leafReader();
    for (const { arrival, node } of rows) this.#note(arrival, read(node)?.value);
    return rows.length;
  }

  #writeRun(): void {
    const first = this.#written + 1;
    this.#db.run('INSERT INTO word_runs (first) VALUES (?)', first);
    const rows = this.#words.rows().flatMap(({ bucket, bytes }) => [first * BUCKETS + bucket, bytes]);
    this.#db.insertRows('INSERT INTO words (id, bytes)', 2, ROWS_AT_ONCE, rows);
    this.#db.run('UPDATE home SET indexed = ?', this.#read);
    this.#begin(this.#read);
  }
}

interface Shown {
  readonly arrival: number;
  readonly node: number;
  readonly order_ms: number;
}

const SHOWN = `SELECT arrival, node, order_ms FROM leaves JOIN peers ON peers.id = leaves.peer
  WHERE arrival IN (SELECT value FROM json_each(?)) AND order_ms IS NOT NULL AND root IS NOT NULL AND NOT blocked
  ORDER BY arrival DESC`;

function wordsOf(value: Uint8Array | undefined): string[] {
  return searchWords(messageIn(value)?.body ?? '');
}

/** Those after `first` that all of the words have, newest first. */
function intersected(
  first: number,
  words: readonly WantedWord[],
  find: (word: WantedWord) => readonly number[],
): number[] {
  let common: ReadonlySet<number> | undefined;
  for (const word of words) {
    const found = find(word);
    const before: ReadonlySet<number> | undefined = common;
    common = new Set(before === undefined ? found : found.filter((one) => before.has(one)));
    if (common.size === 0) return [];
  }
  return [...(common ?? [])].sort((a, b) => b - a).map((after) => first + after);
}
