import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { generate } from 'selfsigned';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  type Certificate,
  checkCertificate,
  loadOrCreateCertificate,
  selfSignedCertificate,
} from '../../../src/directory/certificate.ts';
import { fileNames } from '../../../src/directory/file-names.ts';
import { failureOf, freshFolder } from './support.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Valid for so many days from now, or up to so many days ago; for this machine. */
async function certificateEnding(days: number, hosts = ['localhost', '127.0.0.1', '::1']): Promise<Certificate> {
  const altNames = hosts.map((host) =>
    host === 'localhost' ? { type: 2 as const, value: host } : { type: 7 as const, ip: host },
  );
  const { cert, private: key } = await generate([{ name: 'commonName', value: `ending in ${days}` }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 1_000 * DAY_MS),
    notAfterDate: new Date(Date.now() + days * DAY_MS),
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { cert, key };
}

const filesOf = (home: string) => ({
  certFile: join(home, fileNames.certificate),
  keyFile: join(home, fileNames.tlsKey),
});

function keep(home: string, { cert, key }: Certificate): void {
  const { certFile, keyFile } = filesOf(home);
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key);
}

describe('a self-signed certificate', () => {
  test('names its hosts and this machine as subjectAltName, but no wildcard address', async () => {
    const { cert } = await selfSignedCertificate(['directory.example', '192.0.2.1', '2001:db8::1', '0.0.0.0', '::']);
    const certificate = new X509Certificate(cert);
    expect(certificate.subjectAltName?.split(', ').sort()).toEqual(
      [
        'DNS:directory.example',
        'DNS:localhost',
        'IP Address:127.0.0.1',
        'IP Address:192.0.2.1',
        'IP Address:2001:DB8:0:0:0:0:0:1',
        'IP Address:0:0:0:0:0:0:0:1',
      ].sort(),
    );
    expect(certificate.checkHost('other.example')).toBeUndefined();
  });

  test('is valid by now, even where the clock is an hour behind, and no longer than TLS clients take', async () => {
    const { validFromDate, validToDate } = new X509Certificate((await selfSignedCertificate([])).cert);
    expect(validFromDate.getTime()).toBeLessThan(Date.now() - 3_600_000);
    expect(validToDate.getTime()).toBeGreaterThan(Date.now() + 365 * DAY_MS);
    expect(validToDate.getTime() - validFromDate.getTime()).toBeLessThanOrEqual(825 * DAY_MS);
  });

  test('has a subject of its own: of two trusted ones with one subject TLS finds only one', async () => {
    const subjects = await Promise.all(
      [1, 2].map(async () => new X509Certificate((await selfSignedCertificate([])).cert).subject),
    );
    expect(new Set(subjects).size).toBe(2);
  });

  test('has a key on the curve P-256 that fits it', async () => {
    const made = await selfSignedCertificate([]);
    expect(checkCertificate(made)).toBe(made);
    expect(createPrivateKey(made.key).asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  });

  test('is no authority: what its key signs for another host convinces nobody', async () => {
    const made = await selfSignedCertificate(['directory.example']);
    const certificate = new X509Certificate(made.cert);
    expect(certificate.ca).toBe(false);
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'bank' }], {
      keyType: 'ec',
      algorithm: 'sha256',
      ca: made,
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'bank.example' }] }],
    });
    expect(new X509Certificate(cert).verify(certificate.publicKey)).toBe(true);
    const server = createServer({ cert: `${cert}\n${made.cert}`, key }, (socket) => socket.end()).listen(
      0,
      '127.0.0.1',
    );
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: '127.0.0.1', port, ca: made.cert, servername: 'bank.example' });
    onTestFinished(() => void client.destroy());
    await expect(once(client, 'secureConnect')).rejects.toThrow(/CA|issuer|unable|invalid/i);
  });

  test.each(['127.0.0.1', 'localhost'])('convinces a TLS client that trusts it of being %s', async (host) => {
    const { cert, key } = await selfSignedCertificate([]);
    const server = createServer({ cert, key }, (socket) => socket.end()).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: '127.0.0.1', port, ca: cert, ...(host === 'localhost' && { servername: host }) });
    onTestFinished(() => void client.destroy());
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
  });
});

describe('the certificate kept in home', () => {
  test('is made once, in a folder that is made as well', async () => {
    const home = join(freshFolder(), 'new', 'home');
    const first = await loadOrCreateCertificate(home, []);
    expect(await loadOrCreateCertificate(home, [])).toEqual(first);
    const { certFile, keyFile } = filesOf(home);
    expect({ cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }).toEqual(first);
  });

  test('has a key that nobody else may read, and nothing else lies beside it', async () => {
    const home = join(freshFolder(), 'home');
    await loadOrCreateCertificate(home, []);
    const { certFile, keyFile } = filesOf(home);
    const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
    expect([modeOf(keyFile), modeOf(home)]).toEqual(['600', '700']);
    expect(
      readdirSync(home)
        .map((name) => join(home, name))
        .sort(),
    ).toEqual([certFile, keyFile].sort());
  });

  test('has a key that becomes private again after it was put back from a backup', async () => {
    const home = freshFolder();
    const first = await loadOrCreateCertificate(home, []);
    const { keyFile } = filesOf(home);
    chmodSync(keyFile, 0o644);
    expect(await loadOrCreateCertificate(home, [])).toEqual(first);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  });

  test('that is not valid yet, as the clock was ahead when it was made, or is behind now: not replaced, the clock is named', async () => {
    const home = freshFolder();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 100 * DAY_MS });
    onTestFinished(() => void vi.useRealTimers());
    const made = await loadOrCreateCertificate(home, []);
    vi.useRealTimers();
    const error = await failureOf(() => loadOrCreateCertificate(home, []));
    expect(error.message).toMatch(
      /^the certificate is valid only from \S+ on, while this computer's clock says \S+, which may be wrong: /,
    );
    expect(readFileSync(filesOf(home).certFile, 'utf8')).toBe(made.cert);
  });

  test('is made anew when a host lacks, for the hosts of now', async () => {
    const home = freshFolder();
    const first = await loadOrCreateCertificate(home, ['192.0.2.1']);
    const second = await loadOrCreateCertificate(home, ['directory.example']);
    expect(second).not.toEqual(first);
    expect(new X509Certificate(second.cert).checkHost('directory.example')).toBe('directory.example');
    expect(await loadOrCreateCertificate(home, ['directory.example', '0.0.0.0'])).toEqual(second);
  });

  test.each([
    ['is kept with 31 days to go', 31, true],
    ['is made anew with 29 days to go', 29, false],
    ['is made anew once it has expired', -1, false],
  ])('%s', async (_, days, isKept) => {
    const home = freshFolder();
    const kept = await certificateEnding(days);
    keep(home, kept);
    const loaded = await loadOrCreateCertificate(home, []);
    expect(loaded.cert === kept.cert).toBe(isKept);
    expect(new X509Certificate(loaded.cert).validToDate.getTime()).toBeGreaterThan(Date.now() + 30 * DAY_MS);
    expect(checkCertificate(loaded)).toBe(loaded);
  });

  test.each(['certFile', 'keyFile'] as const)('is made anew, whole, where the %s lacks', async (which) => {
    const home = freshFolder();
    const first = await loadOrCreateCertificate(home, []);
    rmSync(filesOf(home)[which]);
    const second = await loadOrCreateCertificate(home, []);
    expect(second.cert).not.toBe(first.cert);
    expect(checkCertificate(second)).toBe(second);
  });

  test.each([
    ['a certificate that is none', { cert: 'none' }, 'the certificate is not valid PEM'],
    ['a key that is none', { key: 'none' }, 'the private key is not valid PEM'],
    ['a key of another certificate', 'another', 'the certificate and the private key do not belong together'],
  ])('%s: what is wrong, where it lies, what to do; and nothing is overwritten', async (_, wrong, why) => {
    const home = freshFolder();
    const good = await certificateEnding(100);
    const bad = { ...good, ...(wrong === 'another' ? { key: (await certificateEnding(100)).key } : (wrong as object)) };
    keep(home, bad);
    const { certFile, keyFile } = filesOf(home);
    const error = await failureOf(() => loadOrCreateCertificate(home, []));
    expect(error.code).toBe('invalid-data');
    expect(error.message).toBe(
      `${why}: restore ${certFile} and ${keyFile} from a backup, or remove both: new ones are made, of which peers need a copy`,
    );
    expect({ cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }).toEqual(bad);
  });

  test('a replacement that was cut short is done again', async () => {
    const home = freshFolder();
    keep(home, { cert: (await certificateEnding(1)).cert, key: (await certificateEnding(100)).key });
    const loaded = await loadOrCreateCertificate(home, []);
    expect(checkCertificate(loaded)).toBe(loaded);
  });

  test('what cannot be read is not replaced', async () => {
    const home = freshFolder();
    mkdirSync(filesOf(home).certFile);
    const error = await failureOf(() => loadOrCreateCertificate(home, []));
    expect(error.message).toContain(`the certificate in ${home} cannot be read: `);
  });
});

describe('a certificate of the operator’s', () => {
  test('is taken as it is', async () => {
    const given = await certificateEnding(1, ['192.0.2.1']);
    expect(checkCertificate(given)).toBe(given);
  });

  test('may be a chain: the key belongs to the first', async () => {
    const [leaf, parent] = [await certificateEnding(1), await certificateEnding(100)];
    const chain = { cert: `${leaf.cert}\n${parent.cert}`, key: leaf.key };
    expect(checkCertificate(chain)).toBe(chain);
    expect((await failureOf(() => checkCertificate({ ...chain, key: parent.key }))).code).toBe('invalid-data');
  });

  test('that has expired: when', async () => {
    const { cert, key } = await certificateEnding(-1);
    const error = await failureOf(() => checkCertificate({ cert, key }));
    expect(error.code).toBe('invalid-data');
    expect(error.message).toBe(
      `the certificate expired at ${new X509Certificate(cert).validToDate.toISOString()}: pass a valid certificate, and the key that it was made for`,
    );
  });

  test('that is malformed, or whose key is, or is encrypted, or belongs to another', async () => {
    const { cert, key } = await certificateEnding(100);
    const other = await certificateEnding(100);
    const encrypted = createPrivateKey(key).export({
      format: 'pem',
      type: 'pkcs8',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    const whyOf = async (given: Certificate) =>
      (await failureOf(() => checkCertificate(given))).message.replace(/: .*/, '');
    expect(await whyOf({ cert: '', key })).toBe('the certificate is not valid PEM');
    expect(await whyOf({ cert: cert.slice(0, -100), key })).toBe('the certificate is not valid PEM');
    expect(await whyOf({ cert: key, key: cert })).toBe('the certificate is not valid PEM');
    expect(await whyOf({ cert, key: '' })).toBe('the private key is not valid PEM');
    expect(await whyOf({ cert, key: cert })).toBe('the private key is not valid PEM');
    expect(await whyOf({ cert, key: encrypted as string })).toBe('the private key is encrypted');
    expect(await whyOf({ cert, key: other.key })).toBe('the certificate and the private key do not belong together');
  });
});
