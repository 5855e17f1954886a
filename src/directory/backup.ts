/** A registry as one file, taken while its directories run, and taken over again. */
import { existsSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createPrivate } from '../store/private-file.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { fileOf, migrate, requireRegistry } from './migrate.ts';
import { saying } from './registry-file.ts';

/** `from`: as `migrate` takes it. @throws MurmureError if it cannot be read, or `file` is there already */
export async function backUp(from: string, file: string): Promise<{ bindings: number }> {
  if (existsSync(file)) throw new MurmureError('usage', `${file} is there already: give the backup another name`);
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

/** As it is at one moment, whatever the directory writes meanwhile. */
function copy(source: string, file: string): number {
  requireRegistry(source);
  using db = new DatabaseSync(source, { timeout: 5_000, readOnly: true });
  // What SQLite would create, others could read. It takes a file that is empty.
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
