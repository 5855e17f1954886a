import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decryptPem, encryptPem, isEncryptedPem, WrongPassphraseError } from '../../../src/identity/encrypted-pem.ts';
import {
  createKeyFile,
  KeyFileEncryptedError,
  KeyFileExistsError,
  KeyFileInvalidError,
  loadKeyFile,
  rewriteKeyFile,
} from '../../../src/identity/key-file.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { hasOpenssl, openssl } from '../../support/openssl.ts';

const PASSPHRASE = 'pass phrase, été 🎶';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'murmure-key-'));
  file = join(folder, 'key.pem');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a key under a passphrase', () => {
  test('comes back as it was; each time it looks different', async () => {
    const pem = (await generateKeyPair()).toPem();
    const encrypted = await encryptPem(pem, PASSPHRASE);
    expect(isEncryptedPem(encrypted)).toBe(true);
    expect(isEncryptedPem(pem)).toBe(false);
    expect(decryptPem(encrypted, PASSPHRASE)).toBe(pem);
    expect(await encryptPem(pem, PASSPHRASE)).not.toBe(encrypted);
  });

  test('a wrong passphrase, the empty one included, does not open it', async () => {
    const encrypted = await encryptPem((await generateKeyPair()).toPem(), PASSPHRASE);
    for (const wrong of ['', 'pass', `${PASSPHRASE} `]) {
      expect(() => decryptPem(encrypted, wrong)).toThrow(WrongPassphraseError);
    }
  });

  test('a wrong passphrase that happens to give right padding is a wrong one all the same', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE } as const;
    const encrypted = privateKey.export(format) as string;
    const codes = new Set<unknown>();
    // One in 256 is such.
    for (let i = 0; i < 20_000 && codes.size < 2; i++) {
      try {
        decryptPem(encrypted, `wrong ${i}`);
      } catch (error) {
        expect(error).toBeInstanceOf(WrongPassphraseError);
        codes.add(((error as Error).cause as { code?: string }).code);
      }
    }
    expect(codes.size).toBe(2);
  });

  test('what is no encrypted key is invalid, whatever the passphrase', async () => {
    const encrypted = await encryptPem((await generateKeyPair()).toPem(), PASSPHRASE);
    const lines = encrypted.split('\n');
    for (const damaged of [
      lines.toSpliced(1, 2).join('\n'),
      lines.slice(0, 3).join('\n'),
      lines.with(1, '!!').join('\n'),
    ]) {
      expect(() => decryptPem(damaged, PASSPHRASE)).toThrow(expect.objectContaining({ code: 'invalid-data' }));
    }
  });
});

describe('the key file under a passphrase', () => {
  test('is opened by whoever is asked for it, and nobody is asked without need', async () => {
    const keyPair = await generateKeyPair();
    await createKeyFile(file, keyPair, PASSPHRASE);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await loadKeyFile(file, async () => PASSPHRASE)).publicKey).toBe(keyPair.publicKey);
    await expect(loadKeyFile(file)).rejects.toThrow(KeyFileEncryptedError);
    await expect(loadKeyFile(file, async () => undefined)).rejects.toThrow(KeyFileEncryptedError);
    await expect(loadKeyFile(file, async () => 'wrong')).rejects.toMatchObject({ code: 'authentication' });

    await rewriteKeyFile(file, keyPair);
    const nobody = async () => {
      throw new Error('asked');
    };
    expect((await loadKeyFile(file, nobody)).publicKey).toBe(keyPair.publicKey);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await expect(createKeyFile(file, keyPair, PASSPHRASE)).rejects.toThrow(KeyFileExistsError);
  });

  test('that is damaged is refused with its name', async () => {
    writeFileSync(file, '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n');
    await expect(loadKeyFile(file, async () => 'x')).rejects.toThrow(KeyFileInvalidError);
    await expect(loadKeyFile(file, async () => 'x')).rejects.toThrow(file);
  });

  test.skipIf(!hasOpenssl)('is read by openssl (skipped where that is not installed)', async () => {
    const keyPair = await generateKeyPair();
    await createKeyFile(file, keyPair, PASSPHRASE);
    expect(openssl('pkey', '-in', file, '-passin', `pass:${PASSPHRASE}`)).toBe(keyPair.toPem());
    expect(() => openssl('pkey', '-in', file, '-passin', 'pass:wrong')).toThrow();
    const parsed = openssl('asn1parse', '-in', file);
    expect(parsed).toContain('PBES2');
    expect(parsed).toContain('0927C0'); // 600,000 rounds
  });

  test.skipIf(!hasOpenssl).for([
    ['aes256', ['-topk8', '-v2', 'aes256']],
    ['aes128 and SHA-1', ['-topk8', '-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA1']],
    ['scrypt', ['-topk8', '-scrypt']],
  ] as const)('of openssl’s making (%s) is read, and the passphrase proves itself', async ([, how]) => {
    const keyPair = await generateKeyPair();
    const plain = join(folder, 'plain.pem');
    writeFileSync(plain, keyPair.toPem());
    openssl('pkcs8', ...how, '-in', plain, '-passout', `pass:${PASSPHRASE}`, '-out', file);
    expect(readFileSync(file, 'utf8')).toContain('ENCRYPTED');
    expect((await loadKeyFile(file, async () => PASSPHRASE)).publicKey).toBe(keyPair.publicKey);
    await expect(loadKeyFile(file, async () => 'wrong')).rejects.toThrow(WrongPassphraseError);
  });

  test.skipIf(!hasOpenssl)('in openssl’s older format is read as well', async () => {
    const keyPair = await generateKeyPair();
    const plain = join(folder, 'plain.pem');
    writeFileSync(plain, keyPair.toPem());
    openssl('ec', '-aes256', '-in', plain, '-passout', `pass:${PASSPHRASE}`, '-out', file);
    expect((await loadKeyFile(file, async () => PASSPHRASE)).publicKey).toBe(keyPair.publicKey);
    await expect(loadKeyFile(file, async () => 'wrong')).rejects.toThrow(WrongPassphraseError);
  });
});
