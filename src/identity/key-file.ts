/**
 * The key file: PKCS#8 PEM, encrypted or not, mode 0600, written in one step. A key is never overwritten by another; only the passphrase
 * that it is kept under changes in place.
 */

import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { MurmureError } from '../wire/murmure-error.ts';
import { decryptPem, encryptPem, isEncryptedPem, WrongPassphraseError } from './encrypted-pem.ts';
import { withFile } from './file-errors.ts';
import { type KeyPair, keyPairFromPem } from './key-pair.ts';

/** There is no key file: nobody has made an identity in this home. */
export class KeyFileMissingError extends MurmureError {
  override readonly name = 'KeyFileMissingError';
  constructor(file: string) {
    super('usage', `there is no key in ${file}: make one with murmure init NAME, or name the right folder with --home`);
  }
}

/** There is one already, and a key is never overwritten. */
export class KeyFileExistsError extends MurmureError {
  override readonly name = 'KeyFileExistsError';
  constructor(file: string) {
    super('usage', `there is a key in ${file} already, and it is not overwritten: choose another folder with --home`);
  }
}

/** It is there, but not ours to read. */
export class KeyFileUnreadableError extends MurmureError {
  override readonly name = 'KeyFileUnreadableError';
  constructor(file: string, cause: unknown) {
    super('unexpected', `the key file ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** It does not hold a P-256 key. */
export class KeyFileInvalidError extends MurmureError {
  override readonly name = 'KeyFileInvalidError';
  constructor(file: string, why: string, cause: unknown) {
    super('invalid-data', `the key file ${file} cannot be used: ${why}; restore it from a backup`, { cause });
  }
}

/** It is encrypted, and nobody gives the passphrase. */
export class KeyFileEncryptedError extends MurmureError {
  override readonly name = 'KeyFileEncryptedError';
  constructor(file: string) {
    super(
      'authentication',
      `the key file ${file} is encrypted: give its passphrase with --passphrase-file FILE, or set MURMURE_PASSPHRASE_FILE`,
    );
  }
}

/** Asked for the passphrase of an encrypted key; undefined: there is none to be had. */
export type AskPassphrase = () => Promise<string | undefined>;

/**
 * @throws KeyFileMissingError, KeyFileUnreadableError, KeyFileInvalidError; for an encrypted one KeyFileEncryptedError without a passphrase,
 * WrongPassphraseError with a wrong one
 */
export async function loadKeyFile(file: string, askPassphrase?: AskPassphrase): Promise<KeyPair> {
  return parseKey(await readKeyFile(file), file, askPassphrase);
}

/** As `loadKeyFile`, from the text of a key file; `file` is what errors call it. */
export async function parseKey(pem: string, file: string, askPassphrase?: AskPassphrase): Promise<KeyPair> {
  const isEncrypted = isEncryptedPem(pem);
  const passphrase = isEncrypted ? await askPassphrase?.() : undefined;
  if (isEncrypted && passphrase === undefined) throw new KeyFileEncryptedError(file);
  try {
    return await keyPairFromPem(passphrase === undefined ? pem : decryptPem(pem, passphrase));
  } catch (error) {
    if (error instanceof WrongPassphraseError) throw error;
    throw new KeyFileInvalidError(file, (error as Error).message, error);
  }
}

/** The file as it is. @throws KeyFileMissingError, KeyFileUnreadableError */
export async function readKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new KeyFileMissingError(file);
    throw new KeyFileUnreadableError(file, error);
  }
}

/** Once this returns the key is on disk, whole; encrypted if there is a passphrase. @throws KeyFileExistsError */
export async function createKeyFile(file: string, keyPair: KeyPair, passphrase?: string): Promise<void> {
  await createPemFile(file, await pemOf(keyPair, passphrase));
}

/** As `createKeyFile`, for a key that is in PEM already. @throws KeyFileExistsError */
export async function createPemFile(file: string, pem: string): Promise<void> {
  const draft = await writeDraft(file, pem);
  try {
    // A link, unlike a rename, fails where there is a file already.
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new KeyFileExistsError(file);
    throw error;
  } finally {
    await unlink(draft);
  }
  await syncFolder(path.dirname(file));
}

/** Keeps the same key under another passphrase, or under none: there is no moment without the key in the file. */
export async function rewriteKeyFile(file: string, keyPair: KeyPair, passphrase?: string): Promise<void> {
  const draft = await writeDraft(file, await pemOf(keyPair, passphrase));
  try {
    await rename(draft, file);
  } catch (error) {
    await unlink(draft);
    throw error;
  }
  await syncFolder(path.dirname(file));
}

async function pemOf(keyPair: KeyPair, passphrase: string | undefined): Promise<string> {
  return passphrase === undefined ? keyPair.toPem() : encryptPem(keyPair.toPem(), passphrase);
}

/** A file beside it, on disk, for its owner only. */
async function writeDraft(file: string, pem: string): Promise<string> {
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(pem);
    await handle.sync();
  } catch (error) {
    await unlink(draft);
    throw withFile(error, file);
  } finally {
    await handle.close();
  }
  return draft;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
