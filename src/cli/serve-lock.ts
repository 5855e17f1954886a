/**
 * At most one `serve` per home. The lock is one that the operating system holds for the process, taken through SQLite: it goes with the
 * process however that ends, so there is no stale lock to recognise and no process id to mistake for another's.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { asStoreError } from '../store/store-errors.ts';
import { HomeInUseError } from './errors.ts';
import type { Home } from './home.ts';

const SQLITE_BUSY = 5;

/** Takes the lock at once or not at all; disposing of it lets go. @throws HomeInUseError, and what is wrong with the folder */
export function lockHome(home: Home): Disposable {
  const pidFile = `${home.lockFile}.pid`;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(home.lockFile, { timeout: 0 });
    // A journal would be a second file that has to be there for nothing: the lock's database stays empty.
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw asStoreError(home.lockFile, error);
    throw new HomeInUseError(home.folder, readPid(pidFile));
  }
  // For people and service managers only; the lock does not depend on it.
  writeFileSync(pidFile, `${process.pid}\n`);
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
