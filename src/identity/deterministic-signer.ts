/** Signs and verifies synchronously, for simulations, which cannot wait, and for browsers. */
import { p256 } from '@noble/curves/nist.js';
import { toBase64 } from '../wire/base64.ts';
import { type PublicKey, publicKeyBytes, uncompressedPoint } from './public-key.ts';

/** A signer that always gives the same signature for the same message (RFC 6979), for simulations and replays. */
export function deterministicSigner(secret: Uint8Array): (message: Uint8Array) => Uint8Array {
  return (message) => p256.sign(message, secret);
}

export function publicKeyOf(secret: Uint8Array): PublicKey {
  return toBase64(p256.getPublicKey(secret, false).subarray(1)).replace(/=+$/, '');
}

/** High-S is accepted, as by `createVerifier`. */
export function isSignedBy(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return p256.verify(signature, message, uncompressedPoint(publicKeyBytes(key)), { lowS: false });
  } catch {
    return false;
  }
}
