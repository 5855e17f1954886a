/** Signs and verifies synchronously, for simulations, which cannot wait, and for browsers. */
import { p256 } from '@noble/curves/nist.js';
import { type PublicKey, publicKeyBytes, uncompressedPoint } from './public-key.ts';

/** A signer that always gives the same signature for the same message (RFC 6979), for simulations and replays. */
export function deterministicSigner(secret: Uint8Array): (message: Uint8Array) => Uint8Array {
  return (message) => p256.sign(message, secret);
}

/** High-S is accepted, as by `createVerifier`. */
export function isSignedBy(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return p256.verify(signature, message, uncompressedPoint(publicKeyBytes(key)), { lowS: false });
  } catch {
    return false;
  }
}
