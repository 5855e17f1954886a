/** The TLS certificate of a directory: the operator's, or a self-signed one that peers are given a copy of. */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import { generate } from 'selfsigned';
import { MurmureError } from '../wire/murmure-error.ts';
import { fileNames } from './file-names.ts';

/** Both in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** The longest that TLS clients take. */
const LIFETIME_MS = 825 * DAY_MS;
const RENEW_BEFORE_MS = 30 * DAY_MS;
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '::1'];
const WILDCARDS = new Set(['0.0.0.0', '::']);

/** For these hosts, names or IP addresses, and this machine itself. */
export async function selfSignedCertificate(hosts: readonly string[]): Promise<Certificate> {
  const notBeforeDate = new Date(Date.now() - DAY_MS);
  // A subject of its own: of two trusted certificates with one subject, TLS finds only one.
  const name = `murmure directory ${randomBytes(6).toString('hex')}`;
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate,
    notAfterDate: new Date(notBeforeDate.getTime() + LIFETIME_MS),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: withLocal(hosts).map((host) => (isIP(host) ? { type: 7, ip: host } : { type: 2, value: host })),
      },
    ],
  });
  return { cert, key };
}

/** The certificate kept in `home`, made anew where there is none, it is about to expire, or a host lacks. */
export async function loadOrCreateCertificate(home: string, hosts: readonly string[]): Promise<Certificate> {
  const certFile = path.join(home, fileNames.certificate);
  const keyFile = path.join(home, fileNames.tlsKey);
  const kept = await readBoth(certFile, keyFile);
  if (kept !== undefined && isGoodFor(kept.cert, hosts)) return checkCertificate(kept);
  const made = await selfSignedCertificate(hosts);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeWhole(keyFile, made.key, 0o600);
  await writeWhole(certFile, made.cert, 0o644);
  return made;
}

/** @throws MurmureError if one of the two cannot be read as PEM, or they do not belong together */
export function checkCertificate({ cert, key }: Certificate): Certificate {
  const certificate = parse('certificate', () => new X509Certificate(cert));
  const privateKey = parse('private key', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new MurmureError(
      'invalid-data',
      'the certificate and the private key do not belong together: pass the key that the certificate was made for',
    );
  }
  return { cert, key };
}

function parse<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new MurmureError('invalid-data', `the ${what} is not valid PEM: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function withLocal(hosts: readonly string[]): string[] {
  return [...new Set([...LOCAL_HOSTS, ...hosts])].filter((host) => !WILDCARDS.has(host));
}

async function readBoth(certFile: string, keyFile: string): Promise<Certificate | undefined> {
  try {
    return { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isGoodFor(cert: string, hosts: readonly string[]): boolean {
  const certificate = parse('certificate', () => new X509Certificate(cert));
  const hasHost = (host: string) =>
    (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
  return certificate.validToDate.getTime() - Date.now() > RENEW_BEFORE_MS && withLocal(hosts).every(hasHost);
}

async function writeWhole(file: string, content: string, mode: number): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, content, { mode, flush: true });
  await rename(draft, file);
}
