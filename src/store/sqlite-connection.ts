/** The database as the store uses it: statements prepared once, writes in transactions, errors as sentences. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { asStoreError } from './store-errors.ts';

export class SqliteConnection {
  readonly db: DatabaseSync;
  readonly file: string;
  readonly #statements = new Map<string, StatementSync>();
  #transactions = 0;
  #isDurable = true;
  #isClosed = false;

  constructor(db: DatabaseSync, file: string) {
    this.db = db;
    this.file = file;
  }

  /** How many were begun. */
  get transactions(): number {
    return this.#transactions;
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
    this.#guard(() => this.db.exec('BEGIN'));
    return this.#finish(work);
  }

  /** One transaction; it waits for the disk unless it need not be durable. */
  write<T>(work: () => T, { durable = true } = {}): T {
    this.#guard(() => {
      if (durable !== this.#isDurable) this.db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
      this.#isDurable = durable;
      this.db.exec('BEGIN IMMEDIATE');
      this.#transactions += 1;
    });
    return this.#finish(work);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.db.close();
  }

  #finish<T>(work: () => T): T {
    try {
      const result = work();
      this.db.exec('COMMIT');
      return result;
    } catch (error) {
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
