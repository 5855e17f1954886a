/** Our own key (protocol §7): signing, and the PEM in which it is kept. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { MurmureError } from '../wire/murmure-error.ts';
import { type PublicKey, publicKeyBytes, publicKeyOf } from './public-key.ts';

export interface KeyPair {
  readonly publicKey: PublicKey;
  /** r‖s, 64 bytes, low-S. */
  sign(message: Uint8Array): Promise<Uint8Array>;
  /** PKCS#8 PEM, unencrypted, as openssl reads and writes it. */
  toPem(): string;
}

const ORDER = p256.Point.Fn.ORDER;

export async function generateKeyPair(): Promise<KeyPair> {
  return keyPairFromSecret(p256.utils.randomSecretKey());
}

/** @throws MurmureError `invalid-data` unless `secret` is 32 bytes, not 0, and less than the curve's order */
export async function keyPairFromSecret(secret: Uint8Array): Promise<KeyPair> {
  if (!p256.utils.isValidSecretKey(secret))
    throw new MurmureError('invalid-data', 'not a secret key of the curve P-256');
  return new P256KeyPair(secret);
}

/** @throws MurmureError `invalid-data` for anything but an unencrypted P-256 key in PKCS#8 PEM */
export async function keyPairFromPem(pem: string): Promise<KeyPair> {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new MurmureError('invalid-data', 'not a private key in PKCS#8 PEM', { cause: error });
  }
  const { crv, d } = key.asymmetricKeyType === 'ec' ? key.export({ format: 'jwk' }) : {};
  if (crv !== 'P-256' || d === undefined)
    throw new MurmureError('invalid-data', 'the key is not one of the curve P-256');
  return keyPairFromSecret(new Uint8Array(Buffer.from(d, 'base64url')));
}

class P256KeyPair implements KeyPair {
  readonly publicKey: PublicKey;
  readonly #key: KeyObject;

  constructor(secret: Uint8Array) {
    this.publicKey = publicKeyOf(secret);
    this.#key = pkcs8Of(secret, this.publicKey);
  }

  /** On this thread: handing a message to another one, and being woken for its signature, takes longer than signing it. */
  async sign(message: Uint8Array): Promise<Uint8Array> {
    return withLowS(new Uint8Array(sign('sha256', message, { key: this.#key, dsaEncoding: 'ieee-p1363' })));
  }

  toPem(): string {
    return this.#key.export({ format: 'pem', type: 'pkcs8' }) as string;
  }
}

function pkcs8Of(secret: Uint8Array, publicKey: PublicKey): KeyObject {
  const point = publicKeyBytes(publicKey);
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', d: text(secret), x: text(point.subarray(0, 32)), y: text(point.subarray(32)) };
  return createPrivateKey({ format: 'jwk', key: jwk });
}

/** Of s and n - s, both valid, the smaller one. */
function withLowS(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`);
  if (s <= ORDER / 2n) return signature;
  const low = Uint8Array.from(signature);
  low.set(Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex'), 32);
  return low;
}
