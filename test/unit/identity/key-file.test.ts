import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprint } from '../../../src/identity/fingerprint.ts';
import {
  createKeyFile,
  KeyFileEncryptedError,
  KeyFileExistsError,
  KeyFileInvalidError,
  KeyFileMissingError,
  KeyFileUnreadableError,
  loadKeyFile,
} from '../../../src/identity/key-file.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { hasOpenssl, openssl } from '../../support/openssl.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'murmure-key-'));
  file = path.join(folder, 'key.pem');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the key file', () => {
  test('holds the key, for its owner only, and nothing else is left beside it', async () => {
    const keyPair = await generateKeyPair();
    await createKeyFile(file, keyPair);
    expect((await loadKeyFile(file)).publicKey).toBe(keyPair.publicKey);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['key.pem']);
  });

  test('is never overwritten', async () => {
    const first = await generateKeyPair();
    await createKeyFile(file, first);
    await expect(createKeyFile(file, await generateKeyPair())).rejects.toThrow(KeyFileExistsError);
    expect((await loadKeyFile(file)).publicKey).toBe(first.publicKey);
    expect(await readdir(folder)).toEqual(['key.pem']);
  });

  test.skipIf(!hasOpenssl)('is read by openssl, and openssl’s is read', async () => {
    await createKeyFile(file, await generateKeyPair());
    expect(openssl('pkey', '-in', file, '-noout', '-text')).toContain('prime256v1');
    const theirs = path.join(folder, 'theirs.pem');
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', theirs);
    expect((await loadKeyFile(theirs)).publicKey).toHaveLength(86);
  });

  test.skipIf(!hasOpenssl)('of another curve, or encrypted: refused with what it is', async () => {
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384', '-out', file);
    await expect(loadKeyFile(file)).rejects.toThrow('P-256');
    openssl(
      'genpkey',
      '-algorithm',
      'EC',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-aes256',
      '-pass',
      'pass:x',
      '-out',
      file,
    );
    await expect(loadKeyFile(file)).rejects.toThrow(KeyFileEncryptedError);
  });

  test('that is missing, foreign or not readable: refused with its name and what to do', async () => {
    await expect(loadKeyFile(file)).rejects.toThrow(KeyFileMissingError);
    await writeFile(file, '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    await expect(loadKeyFile(file)).rejects.toThrow(KeyFileInvalidError);
    await expect(loadKeyFile(file)).rejects.toThrow(file);
    await writeFile(file, '');
    await expect(loadKeyFile(file)).rejects.toMatchObject({ code: 'invalid-data' });
    await expect(loadKeyFile(folder)).rejects.toThrow(KeyFileUnreadableError);
  });

  test('in a folder that cannot be written: refused, and nothing is left', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'permissions do not bind the super-user');
    await chmod(folder, 0o500);
    await expect(createKeyFile(file, await generateKeyPair())).rejects.toThrow('EACCES');
    await chmod(folder, 0o700);
    expect(await readdir(folder)).toEqual([]);
  });

  test('says nothing of the secret in what it throws', async () => {
    const pem = (await generateKeyPair()).toPem().replace('M', '!');
    await writeFile(file, pem);
    const error = await loadKeyFile(file).catch((reason) => reason);
    expect(String(error)).not.toContain(pem.split('\n')[1]);
    expect(await readFile(file, 'utf8')).toBe(pem);
  });
});

describe('the fingerprint', () => {
  test('is short, made of letters and digits that are hard to confuse, and the same each time', async () => {
    const { publicKey } = await generateKeyPair();
    expect(fingerprint(publicKey)).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}$/);
    expect(fingerprint(publicKey)).toBe(fingerprint(publicKey));
  });
  test('is another one for another key', async () => {
    const [one, other] = await Promise.all([generateKeyPair(), generateKeyPair()]);
    expect(fingerprint(one.publicKey)).not.toBe(fingerprint(other.publicKey));
  });
  test('is 100 bits of SHA-256 over X‖Y in Crockford’s base 32', () => {
    const key = '6HOT0siZIo2bMd3N7A/kat307FFbMTq860JexCoI8K6AjkrbU1XoTdh0iK7gHWThi3Duze/rcVenwus0IvRD+g';
    expect(fingerprint(key)).toMatchInlineSnapshot(`"XC63-HG1V-FHBE-X4AX-V5PA"`);
  });
});
