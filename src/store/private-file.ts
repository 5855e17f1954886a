/** Database files are read by their owner alone: they hold what was written, and by whom. */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs';

/** Before SQLite would create the file, open to others as the umask has it. What is there stays as it is. */
export function createPrivate(file: string): void {
  if (file === ':memory:') return;
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch {
    // What is wrong with the file SQLite says next.
  }
}

/**
 * Closes a database, and what SQLite has put beside it, to others; what SQLite puts there later has the mode of the database. Not for a
 * file that may be another program's.
 */
export function keepPrivate(file: string): void {
  if (file === ':memory:') return;
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    try {
      if (existsSync(path)) chmodSync(path, 0o600);
    } catch {
      // Somebody else's file keeps its mode.
    }
  }
}
