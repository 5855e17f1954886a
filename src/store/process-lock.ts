/**
 * One process at a time. The lock is one that the operating system holds for the process, taken through SQLite: it goes with the
 * process however that ends, so there is no stale lock to recognise and no process id to mistake for another's.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createPrivate } from './private-file.ts';
import { asStoreError } from './store-errors.ts';

const SQLITE_BUSY = 5;

/**
 * Takes the lock at once or not at all; disposing of it lets go. The file is created, for its owner only, if it is not there.
 * @throws what `inUse` makes of the id of the process that has the lock, as far as that is known, and what is wrong with the file
 */
export function takeLock(file: string, inUse: (pid: number | undefined) => Error): Disposable {
  const pidFile = `${file}.pid`;
  let database: DatabaseSync | undefined;
  try {
    createPrivate(file);
    database = new DatabaseSync(file, { timeout: 0 });
    // A journal would be a second file that has to be there for nothing: the lock's database stays empty.
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw asStoreError(file, error);
    throw inUse(readPid(pidFile));
  }
  // For people and service managers only; the lock does not depend on it.
  writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 });
  return {
    [Symbol.dispose]() {
      rmSync(pidFile, { force: true });
      database.close();
    },
  };
}

function readPid(path: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined;
  } catch {
    return undefined;
  }
}
