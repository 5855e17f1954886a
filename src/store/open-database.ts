/** Opens the database of a home: looks at a file before it writes to it, and reads one that it cannot write. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { createPrivate, keepPrivate } from './private-file.ts';
import {
  asStoreError,
  CannotOpenStoreError,
  ForeignStoreError,
  FullDiskError,
  ReadOnlyStoreError,
  UnfinishedStoreError,
} from './store-errors.ts';

/** @throws the errors of store-errors.ts */
export function openDatabase(file: string, timeout: number): DatabaseSync {
  // Not tried first: SQLite would leave files behind that are as unwritable as this one.
  if (isReadable(file) && !may(constants.W_OK, file)) return openToRead(file, timeout);
  try {
    return open(file, file, { timeout });
  } catch (error) {
    // Its folder cannot be written, perhaps.
    if (isOutOfBounds(error) && isReadable(file)) return openToRead(file, timeout);
    if (error instanceof FullDiskError && isReadable(file)) return open(file, file, { timeout, isAlone: true });
    throw error;
  }
}

/** Without a -wal nobody has it open to write, and all there is to read is in the file itself. */
function openToRead(file: string, timeout: number): DatabaseSync {
  const hasWal = existsSync(`${file}-wal`);
  const location = pathToFileURL(file);
  if (!hasWal) location.searchParams.set('immutable', '1');
  try {
    return open(location, file, { timeout, readOnly: true });
  } catch (error) {
    throw hasWal && isOutOfBounds(error) ? new UnfinishedStoreError(file, error) : error;
  }
}

function isOutOfBounds(error: unknown): boolean {
  return error instanceof ReadOnlyStoreError || error instanceof CannotOpenStoreError;
}

function isReadable(file: string): boolean {
  return may(constants.R_OK, file) && statSync(file).isFile();
}

function may(mode: number, file: string): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}

interface OpenOptions {
  readonly timeout: number;
  readonly readOnly?: boolean;
  /**
   * Processes share a file on the disk, for which there is no room where the disk is full. Who is alone keeps it in memory instead, and
   * keeps others out until it is closed; it reads, and once there is room it writes.
   */
  readonly isAlone?: boolean;
}

/** Pages that wait in the -wal until they are written where they belong: what a download writes several times over, it writes once then. */
const CHECKPOINT_PAGES = 4_000;
/** The index of half a million leaves stays in memory while it is added to. */
const CACHE_KB = 16 * 1024;

function open(location: string | URL, file: string, { timeout, readOnly = false, isAlone }: OpenOptions): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    if (!readOnly) createPrivate(file);
    db = new DatabaseSync(location, { timeout, readOnly });
    if (isAlone) db.exec('PRAGMA locking_mode = EXCLUSIVE');
    refuseForeign(db, file);
    if (!readOnly) keepPrivate(file);
    if (!readOnly)
      db.exec(
        `PRAGMA cache_size = -${CACHE_KB}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`,
      );
    return db;
  } catch (error) {
    db?.close();
    throw asStoreError(file, error);
  }
}

/** "No such table", "no such column": https://sqlite.org/rescode.html#error */
const SQLITE_ERROR = 1;

function refuseForeign(db: DatabaseSync, file: string): void {
  // In one transaction: another process may be about to create its tables.
  db.exec('BEGIN');
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema').get() === undefined;
  db.exec('COMMIT');
  if (isEmpty && version === 0) return;
  if (version === 0) throw new ForeignStoreError(file);
  try {
    // Every version has it.
    db.prepare('SELECT own_root, own_leaves FROM home');
  } catch (error) {
    throw (error as { errcode?: number }).errcode === SQLITE_ERROR ? new ForeignStoreError(file, error) : error;
  }
}
