/** The home folder: where what belongs to one identity is kept. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileNames } from '../../directory/file-names.ts';
import { withFile } from '../../identity/file-errors.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import type { Hash } from '../../wire/hash.ts';
import { isValidName } from '../../wire/name.ts';
import { IdentityExistsError, InvalidFileError, NoIdentityError } from '../errors.ts';
import { readTextFileIfPresent } from '../input/text-file.ts';

export interface Home {
  /** Absolute path. */
  readonly folder: string;
  readonly keyFile: string;
  readonly identityFile: string;
  readonly storeFile: string;
  readonly configFile: string;
  /** Locked by the process that runs the peer of this home. */
  readonly lockFile: string;
  /** Locked by a `serve` that waits for its turn beside the front end. */
  readonly standbyLockFile: string;
  /** Locked by the front end that keeps drafts and the reading position. */
  readonly frontEndLockFile: string;
  /** How other processes reach that one, while it runs. */
  readonly localApiFile: string;
  /** There while the home, restored from a backup or put back from a copy, may lack newer messages of its owner. */
  readonly restoredFile: string;
  /** There once the home has had a database: from then on one that is missing is lost. */
  readonly hadStoreFile: string;
  /** There while another program publishes with the key of this home, as far as is known; its text says so. */
  readonly stoppedFile: string;
  /** There once the owner has accepted that newer messages may be lost; its text says than which tree. */
  readonly resumedFile: string;
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
    standbyLockFile: join(folder, 'standby.lock'),
    frontEndLockFile: join(folder, 'front-end.lock'),
    localApiFile: join(folder, 'local-api.json'),
    restoredFile: join(folder, 'restored.txt'),
    hadStoreFile: join(folder, 'had-database.txt'),
    stoppedFile: join(folder, 'stopped.txt'),
    resumedFile: join(folder, 'resumed.txt'),
    directoryCaFile: join(folder, fileNames.certificate),
  };
}

/** Creates the folder, for its owner only, if it is not there. */
export async function createHomeFolder({ folder }: Home): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** That others have a later tree than this one, and who says so. */
export interface Refusal {
  readonly root: Hash;
  readonly why: string;
}

/** Its being there is the mark; the text is for whoever looks into the folder, but for what a peer was refused for. */
export function markRestored({ restoredFile }: Home, refusal?: Refusal): void {
  const text =
    'Restored from a backup, or put back from a copy: nothing is published until others have been asked for newer messages.\n';
  const told = refusal === undefined ? '' : `${refusal.root} ${refusal.why}\n`;
  writeFileSync(restoredFile, text + told, { mode: 0o600, flush: true });
}

/** Undefined: no peer on this home has been told of a later tree. */
export function refusalIn(home: Home): Refusal | undefined {
  if (!isRestored(home)) return undefined;
  const [, root, why] = /^([0-9a-f]{64}) (.+)$/m.exec(readFileSync(home.restoredFile, 'utf8')) ?? [];
  return root === undefined || why === undefined ? undefined : { root, why };
}

export function isRestored({ restoredFile }: Home): boolean {
  return existsSync(restoredFile);
}

export async function clearRestored({ restoredFile }: Home): Promise<void> {
  await rm(restoredFile, { force: true });
}

export function hadStore({ hadStoreFile }: Home): boolean {
  return existsSync(hadStoreFile);
}

/** Whatever was published from it is gone. */
export function hasLostStore(home: Home): boolean {
  return hadStore(home) && !existsSync(home.storeFile);
}

/** Where this cannot be written, a database that is lost could not be made anew, either. */
export async function markHadStore({ hadStoreFile }: Home): Promise<void> {
  const text = 'If the database of this home is missing, nothing is published before its loss is accepted.\n';
  await writeFile(hadStoreFile, text, { mode: 0o600 }).catch(() => {});
}

/** A peer on this home has stopped publishing, for this reason. At once: it may end in the next moment. */
export function markStopped({ stoppedFile }: Home, why: string): void {
  writeFileSync(stoppedFile, `${why}\n`, { mode: 0o600, flush: true });
}

/** Undefined: it has not, or another has started since. */
export function whyStopped({ stoppedFile }: Home): string | undefined {
  return existsSync(stoppedFile) ? readFileSync(stoppedFile, 'utf8').trim() : undefined;
}

export async function clearStopped({ stoppedFile }: Home): Promise<void> {
  await rm(stoppedFile, { force: true });
}

/** What the owner has accepted: this tree is published, whatever later one others have. */
export interface Resumption {
  readonly root: Hash;
  /** Since when this tree can be read from here. */
  readonly sinceMs?: number | undefined;
}

export function markResumed({ resumedFile }: Home, { root, sinceMs }: Resumption): void {
  const text = `Whatever others have that is newer than this tree is given up:\n${root}${sinceMs === undefined ? '' : ` ${sinceMs}`}\n`;
  writeFileSync(resumedFile, text, { mode: 0o600, flush: true });
}

export function resumptionIn({ resumedFile }: Home): Resumption | undefined {
  if (!existsSync(resumedFile)) return undefined;
  const [, root, since] = /^([0-9a-f]{64})(?: (\d+))?$/m.exec(readFileSync(resumedFile, 'utf8')) ?? [];
  return root === undefined ? undefined : { root, sinceMs: since === undefined ? undefined : Number(since) };
}

/** Whose home it is. */
export interface HomeOwner {
  readonly name: string;
  /** Of the key that belongs here; homes of earlier versions do not say. */
  readonly publicKey?: PublicKey | undefined;
}

/** The name this home publishes under, or undefined before `init`. @throws InvalidFileError */
export async function readName(home: Home): Promise<string | undefined> {
  return (await readOwner(home))?.name;
}

/** @throws InvalidFileError */
async function readOwner({ identityFile }: Home): Promise<HomeOwner | undefined> {
  const text = await readTextFileIfPresent(identityFile);
  return text === undefined ? undefined : parseOwner(identityFile, text);
}

/** @throws NoIdentityError, InvalidFileError */
export async function requireName(home: Home): Promise<string> {
  return (await requireOwner(home)).name;
}

/** @throws NoIdentityError, InvalidFileError */
export async function requireOwner(home: Home): Promise<HomeOwner> {
  const owner = await readOwner(home);
  if (owner === undefined) throw new NoIdentityError(home.folder);
  return owner;
}

/** Gives the home its owner, once and for all. @throws IdentityExistsError */
export async function writeOwner(home: Home, owner: Required<HomeOwner>): Promise<void> {
  try {
    await writeFile(home.identityFile, `${JSON.stringify(owner)}\n`, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Half a file would be in the way of the next attempt.
    if (code === 'ENOSPC' || code === 'EDQUOT') await rm(home.identityFile, { force: true });
    if (code !== 'EEXIST') throw withFile(error, home.identityFile);
    throw new IdentityExistsError(home.folder, (await readName(home)) ?? '');
  }
}

function parseOwner(path: string, text: string): HomeOwner {
  try {
    const { name, publicKey } = JSON.parse(text) as { name?: unknown; publicKey?: unknown };
    if (typeof name === 'string' && isValidName(name)) {
      return { name, ...(typeof publicKey === 'string' && { publicKey }) };
    }
  } catch {
    // Not JSON, or not an object: said below.
  }
  throw new InvalidFileError(path, 'it should read {"name": "…"}');
}
