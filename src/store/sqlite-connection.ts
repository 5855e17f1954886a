/** The database as the store uses it: statements prepared once, writes in transactions, errors as sentences. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { asStoreError } from './store-errors.ts';

export class SqliteConnection {
  readonly db: DatabaseSync;
  readonly file: string;
  readonly #statements = new Map<string, StatementSync>();
  #transactions = 0;
  readonly #undoers: (() => void)[] = [];
  #isDurable = true;
  #isInTransaction = false;
  #isClosed = false;

  constructor(db: DatabaseSync, file: string) {
    this.db = db;
    this.file = file;
  }

  /** How many were begun. */
  get transactions(): number {
    return this.#transactions;
  }

  /** Whether it is this transaction that is under way. */
  isIn(transaction: number): boolean {
    return this.#isInTransaction && transaction === this.#transactions;
  }

  /** What was noted of a transaction's changes is to be forgotten when they are undone. */
  onRollback(forget: () => void): void {
    this.#undoers.push(forget);
  }

  /** Many rows of so many columns, `atOnce` in a statement: `insert` is the statement up to VALUES, `values` all of them in a row. */
  insertRows(insert: string, columns: number, atOnce: number, values: readonly SQLInputValue[], conflict = ''): void {
    for (let from = 0; from < values.length; ) {
      // Statements of few sizes, so that few are prepared.
      const rows = Math.min(atOnce, 2 ** Math.floor(Math.log2((values.length - from) / columns)));
      const sql = `${insert} VALUES ${placesFor(columns, rows)} ${conflict}`;
      this.run(sql, ...(rows * columns === values.length ? values : values.slice(from, from + columns * rows)));
      from += columns * rows;
    }
  }

  get<T>(sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.#guard(() => this.#statement(sql).get(...values) as T | undefined);
  }

  all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    return this.#guard(() => this.#statement(sql).all(...values) as T[]);
  }

  /** Rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guard(() => {
      return Number(this.#change(sql).run(...values).changes);
    });
  }

  /** Looks at one state of the database; to begin and end once costs less than to do so for every statement. */
  read<T>(work: () => T): T {
    this.#guard(() => this.#begin('BEGIN'));
    return this.#finish(work);
  }

  /** One transaction; it waits for the disk unless it need not be durable. */
  write<T>(work: () => T, { durable = true } = {}): T {
    this.#guard(() => {
      if (durable !== this.#isDurable) this.db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      this.#isDurable = durable;
      this.#begin('BEGIN IMMEDIATE');
    });
    return this.#finish(work);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.db.close();
  }

  #begin(how: string): void {
    this.db.exec(how);
    this.#transactions += 1;
    this.#isInTransaction = true;
  }

  #finish<T>(work: () => T): T {
    try {
      const result = work();
      this.db.exec('COMMIT');
      this.#isInTransaction = false;
      return result;
    } catch (error) {
      this.#isInTransaction = false;
      for (const forget of this.#undoers) forget();
      // Some errors, a full disk among them, have rolled back already.
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      throw asStoreError(this.file, error);
    }
  }

  /** A change reports the last row id too, whether asked or not: FTS5 leaves one there that is more than a number can hold. */
  #change(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#statement(sql);
    prepared.setReadBigInts(true);
    return prepared;
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.db.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw asStoreError(this.file, error);
    }
  }
}

/** BOUNDED: a handful of columns, and rows by powers of two. */
const PLACES = new Map<number, string>();

function placesFor(columns: number, rows: number): string {
  const known = PLACES.get(rows * 64 + columns);
  if (known !== undefined) return known;
  const row = `(${Array(columns).fill('?').join(', ')})`;
  const places = Array(rows).fill(row).join(', ');
  PLACES.set(rows * 64 + columns, places);
  return places;
}
