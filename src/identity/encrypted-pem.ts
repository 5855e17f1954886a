/**
 * A private key under a passphrase: encrypted PKCS#8 (RFC 5958) with PBES2 (RFC 8018), PBKDF2-HMAC-SHA-256 and AES-256-CBC, as openssl
 * reads it. Node writes such files too, but with 2,048 rounds of PBKDF2, which guess a passphrase too fast; it reads any number of them.
 */
import { createCipheriv, createPrivateKey, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { MurmureError } from '../wire/murmure-error.ts';

/** OWASP's recommendation for PBKDF2-HMAC-SHA-256; about a third of a second. */
const ROUNDS = 600_000;
const SALT_BYTES = 16;
const IV_BYTES = 16;
const KEY_BYTES = 32;
const LINE = 64;
const LABEL = 'ENCRYPTED PRIVATE KEY';

const OID = {
  pbes2: [42, 134, 72, 134, 247, 13, 1, 5, 13],
  pbkdf2: [42, 134, 72, 134, 247, 13, 1, 5, 12],
  hmacSha256: [42, 134, 72, 134, 247, 13, 2, 9],
  aes256Cbc: [96, 134, 72, 1, 101, 3, 4, 1, 42],
};

/** The passphrase does not open the key. */
export class WrongPassphraseError extends MurmureError {
  override readonly name = 'WrongPassphraseError';
  constructor(cause: unknown) {
    super('authentication', 'the passphrase does not open the key: try again, or give another --passphrase-file', {
      cause,
    });
  }
}

/** PKCS#8 (`-----BEGIN ENCRYPTED…`), or openssl's older way of encrypting PEM. */
export function isEncryptedPem(pem: string): boolean {
  return pem.includes(`-----BEGIN ${LABEL}-----`) || /^Proc-Type: 4,ENCRYPTED/m.test(pem);
}

/** Encrypts a key in unencrypted PKCS#8 PEM. Keyboards and editors write accents in one way or another: it is always NFC that counts. */
export async function encryptPem(pem: string, passphrase: string): Promise<string> {
  const plain = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(IV_BYTES)];
  const key = await promisify(pbkdf2)(passphrase.normalize('NFC'), salt, ROUNDS, KEY_BYTES, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const derivation = sequence(
    oid(OID.pbkdf2),
    sequence(octets(salt), integer(ROUNDS), sequence(oid(OID.hmacSha256), NULL)),
  );
  const scheme = sequence(oid(OID.aes256Cbc), octets(iv));
  const info = sequence(sequence(oid(OID.pbes2), sequence(derivation, scheme)), octets(encrypted));
  const lines = info.toString('base64').match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  return `-----BEGIN ${LABEL}-----\n${lines.join('\n')}\n-----END ${LABEL}-----\n`;
}

/**
 * The same key in unencrypted PKCS#8 PEM.
 * @throws WrongPassphraseError @throws MurmureError `invalid-data` for what no passphrase would open
 */
export function decryptPem(pem: string, passphrase: string): string {
  const composed = passphrase.normalize('NFC');
  try {
    return decryptWith(pem, composed);
  } catch (error) {
    // Another program may have taken it as it came.
    if (composed === passphrase || !(error instanceof WrongPassphraseError)) throw error;
    return decryptWith(pem, passphrase);
  }
}

function decryptWith(pem: string, passphrase: string): string {
  try {
    return createPrivateKey({ key: pem, passphrase }).export({ format: 'pem', type: 'pkcs8' }) as string;
  } catch (error) {
    if (isWrongPassphrase(error, pem)) throw new WrongPassphraseError(error);
    throw new MurmureError('invalid-data', 'it is not an encrypted key in PKCS#8 PEM', { cause: error });
  }
}

/**
 * With one wrong passphrase in 256 the padding comes out right, and what is inside is no key. OpenSSL then says the same as of a file
 * that is damaged; of a whole one, it means the passphrase.
 */
function isWrongPassphrase(error: unknown, pem: string): boolean {
  const { code } = error as { code?: string };
  return code === 'ERR_OSSL_BAD_DECRYPT' || (code === 'ERR_OSSL_UNSUPPORTED' && isWhole(pem));
}

/** Whether all of the file is there, as its first bytes say; the older format does not say. */
function isWhole(pem: string): boolean {
  const [, text] = new RegExp(`-----BEGIN ${LABEL}-----([^-]*)-----END ${LABEL}-----`).exec(pem) ?? [];
  if (text === undefined) return pem.includes('Proc-Type:');
  if (/[^A-Za-z0-9+/=\s]/.test(text)) return false;
  const der = Buffer.from(text, 'base64');
  const content = der.subarray(lengthBytes(der) + 2);
  return der[0] === SEQUENCE && sequence(content).equals(der);
}

/** How many bytes, after the first, the length of an element takes. */
function lengthBytes(der: Buffer): number {
  const first = der[1] ?? 0;
  return first < 128 ? 0 : first & 127;
}

/* DER, as much as is needed */

const SEQUENCE = 48;
const NULL = Buffer.from([5, 0]);

function element(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...elements: Uint8Array[]): Buffer {
  return element(SEQUENCE, ...elements);
}

function octets(bytes: Uint8Array): Buffer {
  return element(4, bytes);
}

function oid(bytes: readonly number[]): Buffer {
  return element(6, Buffer.from(bytes));
}

/** Of up to 31 bits. */
function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  // As short as it can be, the sign bit of the first byte clear.
  let start = 0;
  while (start < 3 && bytes[start] === 0 && (bytes[start + 1] ?? 0) < 128) start += 1;
  return element(2, bytes.subarray(start));
}
