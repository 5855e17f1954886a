/** The key file: PKCS#8 PEM, mode 0600, written in one step, never overwritten. */
import { randomUUID } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { MurmureError } from '../wire/murmure-error.ts';
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

/** It does not hold an unencrypted P-256 key. */
export class KeyFileInvalidError extends MurmureError {
  override readonly name = 'KeyFileInvalidError';
  constructor(file: string, why: string, cause: unknown) {
    super('invalid-data', `the key file ${file} cannot be used: ${why}; restore it from a backup`, { cause });
  }
}

/** It is encrypted, and needs a passphrase. */
export class KeyFileEncryptedError extends MurmureError {
  override readonly name = 'KeyFileEncryptedError';
  constructor(file: string) {
    super(
      'authentication',
      `the key file ${file} is encrypted: decrypt it with openssl pkey -in ${file} -out NEW-FILE`,
    );
  }
}

/** @throws KeyFileMissingError, KeyFileUnreadableError, KeyFileEncryptedError, KeyFileInvalidError */
export async function loadKeyFile(file: string): Promise<KeyPair> {
  const pem = await readPem(file);
  if (pem.includes('ENCRYPTED')) throw new KeyFileEncryptedError(file);
  try {
    return await keyPairFromPem(pem);
  } catch (error) {
    throw new KeyFileInvalidError(file, (error as Error).message, error);
  }
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new KeyFileMissingError(file);
    throw new KeyFileUnreadableError(file, error);
  }
}

/** Once this returns the key is on disk, whole. @throws KeyFileExistsError */
export async function createKeyFile(file: string, keyPair: KeyPair): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(keyPair.toPem());
    await handle.sync();
  } finally {
    await handle.close();
  }
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

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
