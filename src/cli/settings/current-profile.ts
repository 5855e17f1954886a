/** Which profile is meant where none is named: `murmure profile use` writes it down in the platform's data folder. */
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InvalidFileError } from '../errors.ts';

export function currentProfileFile(folder: string): string {
  return join(folder, 'profile');
}

/** @throws InvalidFileError for a file that cannot be read */
export function readCurrentProfile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new InvalidFileError(file, (error as Error).message);
  }
}

/** Undefined: the home without a name. */
export async function writeCurrentProfile(file: string, name: string | undefined): Promise<void> {
  if (name === undefined) return rm(file, { force: true });
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${name}\n`, { mode: 0o600 });
}
