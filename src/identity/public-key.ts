/** Public keys (protocol §7): a point X‖Y of P-256, written as standard base64 without padding, 86 characters. */
import { p256 } from '@noble/curves/nist.js';
import { fromBase64, toBase64 } from '../wire/base64.ts';
import { type Decoded, decodedAs, malformed } from '../wire/decoded.ts';

/** 86 characters of base64, unpadded. */
export type PublicKey = string;

export const PUBLIC_KEY_BYTES = 64;
/** Signatures, as WebCrypto names them. */
export const SIGNATURE_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** Padding is accepted; the point must lie on the curve. */
export function parsePublicKey(text: string): Decoded<PublicKey> {
  const trimmed = text.replace(/=+$/, '');
  if (!/^[A-Za-z0-9+/]{86}$/.test(trimmed))
    return malformed('a public key is 64 bytes in base64: 86 characters, padding aside');
  return publicKeyFromBytes(publicKeyBytes(trimmed));
}

export function publicKeyOf(secret: Uint8Array): PublicKey {
  return publicKeyText(p256.getPublicKey(secret, false).subarray(1));
}

export function publicKeyFromBytes(bytes: Uint8Array): Decoded<PublicKey> {
  if (bytes.length !== PUBLIC_KEY_BYTES) return malformed(`a public key has 64 bytes, this one has ${bytes.length}`);
  try {
    p256.Point.fromBytes(uncompressedPoint(bytes)).assertValidity();
  } catch {
    return malformed('the public key is not a point of the curve P-256');
  }
  return decodedAs(publicKeyText(bytes));
}

function publicKeyText(bytes: Uint8Array): PublicKey {
  return toBase64(bytes).replace(/=+$/, '');
}

/** X‖Y. */
export function publicKeyBytes(key: PublicKey): Uint8Array {
  return fromBase64(key);
}

/** X‖Y as SEC 1 writes it, with 0x04 in front. */
export function uncompressedPoint(bytes: Uint8Array): Uint8Array {
  return Uint8Array.of(4, ...bytes);
}
