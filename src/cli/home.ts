/** The home folder: where what belongs to one identity is kept. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileNames } from '../directory/file-names.ts';
import { IdentityExistsError, InvalidFileError, NoIdentityError } from './errors.ts';

export interface Home {
  /** Absolute path. */
  readonly folder: string;
  readonly keyFile: string;
  readonly identityFile: string;
  readonly storeFile: string;
  readonly configFile: string;
  readonly lockFile: string;
  /** The certificate of a directory that is run from this home, for others to trust. */
  readonly directoryCaFile: string;
}

/** The places in a home folder, whether it exists or not. */
export function homeAt(path: string): Home {
  const folder = resolve(path);
  return {
    folder,
    keyFile: join(folder, 'key.pem'),
    identityFile: join(folder, 'identity.json'),
    storeFile: join(folder, 'store.db'),
    configFile: join(folder, 'config.toml'),
    lockFile: join(folder, 'serve.lock'),
    directoryCaFile: join(folder, fileNames.certificate),
  };
}

/** Creates the folder, for its owner only, if it is not there. */
export async function createHomeFolder({ folder }: Home): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** The name this home publishes under, or undefined before `init`. @throws InvalidFileError */
export async function readName({ identityFile }: Home): Promise<string | undefined> {
  const text = await readFile(identityFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InvalidFileError(identityFile, error.message);
  });
  return text === undefined ? undefined : parseName(identityFile, text);
}

/** @throws NoIdentityError, InvalidFileError */
export async function requireName(home: Home): Promise<string> {
  const name = await readName(home);
  if (name === undefined) throw new NoIdentityError(home.folder);
  return name;
}

/** Gives the home its name, once and for all. @throws IdentityExistsError */
export async function writeName(home: Home, name: string): Promise<void> {
  try {
    await writeFile(home.identityFile, `${JSON.stringify({ name })}\n`, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new IdentityExistsError(home.folder, (await readName(home)) ?? '');
  }
}

function parseName(path: string, text: string): string {
  try {
    const { name } = JSON.parse(text) as { name?: unknown };
    if (typeof name === 'string') return name;
  } catch {
    // Not JSON, or not an object: said below.
  }
  throw new InvalidFileError(path, 'it should read {"name": "…"}');
}
