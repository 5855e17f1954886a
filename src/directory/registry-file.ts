/** The registry's database: its schema, what earlier versions are turned into, and sentences for what can be wrong with the file. */
import { DatabaseSync } from 'node:sqlite';
import { createPrivate, keepPrivate } from '../store/private-file.ts';
import { asStoreError, CorruptStoreError, NewerHomeError } from '../store/store-errors.ts';
import { MurmureError } from '../wire/murmure-error.ts';

const SCHEMA_VERSION = 2;
const SCHEMA = `
  -- Times of the directory's running time, in ms.
  CREATE TABLE bindings (name TEXT PRIMARY KEY, key TEXT, proven_running_ms INTEGER NOT NULL);
  -- Unix ms. The latest proof ranks an address; for an hour after it was last answered from it is listed.
  CREATE TABLE addresses (
    name TEXT NOT NULL REFERENCES bindings (name) ON DELETE CASCADE,
    address TEXT NOT NULL,
    proven_ms INTEGER NOT NULL,
    answered_ms INTEGER NOT NULL,
    PRIMARY KEY (name, address)
  );
  CREATE INDEX addresses_by_address ON addresses (address);
  -- One row.
  CREATE TABLE running_time (total_ms INTEGER NOT NULL);
  INSERT INTO running_time VALUES (0);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
/** So that a sweep finds what has expired, however much there is. Files of the same version may be without them. */
const INDICES = `
  CREATE INDEX IF NOT EXISTS addresses_by_age ON addresses (answered_ms);
  CREATE INDEX IF NOT EXISTS bindings_by_age ON bindings (proven_running_ms);
`;
/** Bindings had wall times, which a wrong clock may have made; each of them begins anew. */
const FROM_VERSION_1 = `
  ALTER TABLE bindings RENAME TO old_bindings;
  ALTER TABLE addresses RENAME TO old_addresses;
  DROP INDEX addresses_by_address;
  ${SCHEMA}
  INSERT INTO bindings SELECT name, key, 0 FROM old_bindings;
  INSERT INTO addresses SELECT name, address, proven_ms, proven_ms FROM old_addresses ORDER BY proven_ms, rowid;
  DROP TABLE old_addresses;
  DROP TABLE old_bindings;
`;

export type Guarded = <A extends unknown[], R>(work: (...args: A) => R) => (...args: A) => R;

/** Opens the database, and creates it for its owner only if it is not there. @throws what SQLite says: see `saying` */
export function openDatabase(file: string): DatabaseSync {
  createPrivate(file);
  const db = new DatabaseSync(file, { timeout: 5_000, enableForeignKeyConstraints: true });
  try {
    prepareSchema(db, file);
    keepPrivate(file);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Looks before it writes: a database of another program stays as it is. */
function prepareSchema(db: DatabaseSync, file: string): void {
  inTransaction(db, () => {
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > SCHEMA_VERSION) throw new NewerHomeError(file);
    if (version === SCHEMA_VERSION) return;
    if (version === 1) {
      // What a registry of that version has, or `prepare` says that it is none.
      db.prepare('SELECT bindings.name, key, address FROM bindings JOIN addresses USING (name)');
      db.exec(FROM_VERSION_1);
      return;
    }
    if (db.prepare('SELECT 1 FROM sqlite_schema').get() !== undefined) throw foreignFile(file);
    db.exec(SCHEMA);
  });
  db.prepare('SELECT bindings.name, key, address, total_ms FROM bindings JOIN addresses USING (name), running_time');
  db.exec(INDICES);
  db.exec('PRAGMA journal_mode = WAL');
}

export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** "No such table", "no such column": https://sqlite.org/rescode.html#error */
const SQLITE_ERROR = 1;

/** Work whose errors are sentences about `file`. */
export function saying(file: string): Guarded {
  return (work) =>
    (...args) => {
      try {
        return work(...args);
      } catch (error) {
        if ((error as { errcode?: number }).errcode === SQLITE_ERROR) throw foreignFile(file, error);
        const known = asStoreError(file, error);
        throw known instanceof CorruptStoreError ? damagedFile(file, error) : known;
      }
    };
}

function foreignFile(file: string, cause?: unknown): MurmureError {
  const message = `${file} is a database of another program, not the registry of a directory: move it away, or use another home`;
  return new MurmureError('invalid-data', message, { cause });
}

function damagedFile(file: string, cause: unknown): MurmureError {
  const why = (cause as Error).message;
  const message = `the registry ${file} is damaged (${why}): restore it from a backup, or move it away and start again; peers register anew within an hour, but which key a name is bound to is forgotten`;
  return new MurmureError('invalid-data', message, { cause });
}
