/** The TLS certificate of a directory: the operator's, or a self-signed one that peers are given a copy of. */

import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import path from 'node:path';
import { generate } from 'selfsigned';
import { withFile } from '../identity/file-errors.ts';
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
/** They stand for all addresses of a machine. */
export const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/**
 * For these hosts, names or IP addresses, and this machine itself. It is no authority: whoever steals its key can pass for this
 * directory, but cannot vouch for other hosts towards the peers that trust it.
 */
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
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: withLocal(hosts).map((host) => (isIP(host) ? { type: 7, ip: host } : { type: 2, value: host })),
      },
    ],
  });
  return { cert, key };
}

/**
 * The certificate kept in `home`, made anew where there is none, it is about to expire, or a host lacks.
 * @throws MurmureError if what is kept cannot be used: it is not replaced, since peers have copies of it
 */
export async function loadOrCreateCertificate(home: string, hosts: readonly string[]): Promise<Certificate> {
  const certFile = path.join(home, fileNames.certificate);
  const keyFile = path.join(home, fileNames.tlsKey);
  const kept = await readBoth(certFile, keyFile);
  const certificate = kept && parsed(() => new X509Certificate(kept.cert));
  // One that is replaced anyway need not fit its key: a replacement may have been cut short.
  if (kept !== undefined && (certificate === undefined || isGoodFor(certificate, hosts))) {
    const why = whyUnusable(kept);
    if (why === undefined) {
      await keepPrivate(keyFile);
      return kept;
    }
    const remedy = `restore ${certFile} and ${keyFile} from a backup, or remove both: new ones are made, of which peers need a copy`;
    throw new MurmureError('invalid-data', `${why}: ${remedy}`);
  }
  const made = await selfSignedCertificate(hosts);
  await mkdir(home, { recursive: true, mode: 0o700 });
  await writeWhole(keyFile, made.key, 0o600);
  await writeWhole(certFile, made.cert, 0o644);
  return made;
}

/** @throws MurmureError if one of the two cannot be read as PEM, they do not belong together, or they are not valid now */
export function checkCertificate(certificate: Certificate): Certificate {
  const why = whyUnusable(certificate);
  if (why === undefined) return certificate;
  throw new MurmureError('invalid-data', `${why}: pass a valid certificate, and the key that it was made for`);
}

/** A host name that the certificate is for, if it is not for this IP address. */
export function nameInstead(cert: string, ip: string): string | undefined {
  const certificate = new X509Certificate(cert);
  if (certificate.checkIP(ip) !== undefined) return undefined;
  const names = certificate.subjectAltName?.matchAll(/DNS:([^,\s"*]+)/g) ?? [];
  return [...names].map(([, name]) => name).find((name) => name !== 'localhost');
}

function whyUnusable({ cert, key }: Certificate): string | undefined {
  const certificate = parsed(() => new X509Certificate(cert));
  if (certificate === undefined) return 'the certificate is not valid PEM';
  if (key.includes('ENCRYPTED')) return 'the private key is encrypted';
  const privateKey = parsed(() => createPrivateKey(key));
  if (privateKey === undefined) return 'the private key is not valid PEM';
  if (!certificate.checkPrivateKey(privateKey)) return 'the certificate and the private key do not belong together';
  const { validFromDate, validToDate } = certificate;
  if (validFromDate.getTime() > Date.now()) {
    const now = new Date().toISOString();
    return `the certificate is valid only from ${validFromDate.toISOString()} on, while this computer's clock says ${now}, which may be wrong`;
  }
  if (validToDate.getTime() <= Date.now()) return `the certificate expired at ${validToDate.toISOString()}`;
  return undefined;
}

function parsed<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
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
    const message = `the certificate in ${path.dirname(certFile)} cannot be read: ${(error as Error).message}`;
    throw new MurmureError('unexpected', message, { cause: error });
  }
}

function isGoodFor(certificate: X509Certificate, hosts: readonly string[]): boolean {
  const hasHost = (host: string) =>
    (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined;
  return certificate.validToDate.getTime() - Date.now() > RENEW_BEFORE_MS && withLocal(hosts).every(hasHost);
}

/** A copy from a backup may be readable by everybody. Where that cannot be changed, the directory works all the same. */
async function keepPrivate(keyFile: string): Promise<void> {
  const { mode } = await stat(keyFile);
  if ((mode & 0o077) !== 0) await chmod(keyFile, 0o600).catch(() => {});
}

async function writeWhole(file: string, content: string, mode: number): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, content, { mode, flush: true });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw withFile(error, file);
  }
}
