/** A public key short enough to read aloud: two people compare it to know that they hold the same key. */
import { sha256 } from '@noble/hashes/sha2.js';
import { type PublicKey, publicKeyBytes } from './public-key.ts';

/** Crockford's base 32: no I, L, O, U, which are misheard and misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 5;
const GROUP_SIZE = 4;
const BITS = 5;

/** "7F3K-9QTM-2XH4-B8RD-C5NP": 100 bits of SHA-256 over X‖Y. */
export function fingerprint(key: PublicKey): string {
  const digest = sha256(publicKeyBytes(key));
  const symbols = Array.from({ length: GROUPS * GROUP_SIZE }, (_, i) => ALPHABET[bitsAt(digest, i * BITS)]);
  return Array.from({ length: GROUPS }, (_, i) => symbols.slice(i * GROUP_SIZE, (i + 1) * GROUP_SIZE).join('')).join(
    '-',
  );
}

/** Five bits of `bytes` from bit `at` on. */
function bitsAt(bytes: Uint8Array, at: number): number {
  const byte = at >> 3;
  const pair = ((bytes[byte] as number) << 8) | (bytes[byte + 1] ?? 0);
  return (pair >> (16 - BITS - (at & 7))) & 31;
}
