/** Copies a registry to a file while directories use it. `migrate` restores it. */
import { existsSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createPrivate } from '../store/private-file.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { fileOf, migrate, requireRegistry } from './migrate.ts';
import { saying } from './registry-file.ts';

/** `from`: in the form that `migrate` takes. @throws MurmureError if it cannot be read, or if `file` exists */
export async function backUp(from: string, file: string): Promise<{ bindings: number }> {
  if (existsSync(file)) throw new MurmureError('usage', `${file} exists already: choose another file for the backup`);
  const source = fileOf(from);
  if (source !== undefined) return { bindings: saying(source)(() => copy(source, file))() };
  try {
    const { bindings } = await migrate(from, `sqlite:${file}`);
    return { bindings };
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}

/** A consistent copy, whatever the directory writes meanwhile. */
function copy(source: string, file: string): number {
  requireRegistry(source);
  using db = new DatabaseSync(source, { timeout: 5_000, readOnly: true });
  // A file that SQLite creates could be read by others. SQLite accepts an empty one.
  createPrivate(file);
  try {
    db.prepare('VACUUM INTO ?').run(file);
    using made = new DatabaseSync(file, { readOnly: true });
    return (made.prepare('SELECT count(*) AS bindings FROM bindings').get() as { bindings: number }).bindings;
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}
