/** Node hashes: SHA-256 over the node's bytes (protocol §2), written as 64 lower-case hex characters. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** 64 lower-case hex characters. */
export type Hash = string;

export const HASH_BYTES = 32;
/** SHA-256 of nothing: the root of a feed without messages. */
export const EMPTY_ROOT: Hash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
/** 32 zero bytes: no reply target; as a root, no messages. */
export const ZERO_HASH: Hash = '0'.repeat(64);

/** Node's own SHA-256 takes a third of the time; in a browser there is none. */
const native = globalThis.process?.getBuiltinModule?.('node:crypto')?.hash;

export function hashOf(bytes: Uint8Array): Hash {
  return native === undefined ? bytesToHex(sha256(bytes)) : native('sha256', bytes, 'hex');
}

/** Both ways of saying "no messages" (protocol §2). */
export function isEmptyRoot(hash: Hash): boolean {
  return hash === EMPTY_ROOT || hash === ZERO_HASH;
}

export function isHash(text: string): text is Hash {
  return /^[0-9a-f]{64}$/.test(text);
}

/** The value of each hex digit by its character code, -1 for other characters. */
const DIGITS = Int8Array.from({ length: 128 }, (_, code) => '0123456789abcdef'.indexOf(String.fromCharCode(code)));

/**
 * By table, which checks as it goes: a sixth of what a test and `fromHex` cost, and a sync comes here for every message.
 * @throws RangeError if `hash` is not 64 hex characters
 */
export function hashToBytes(hash: Hash): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES);
  // Negative as soon as one digit is none.
  let signs = hash.length === 2 * HASH_BYTES ? 0 : -1;
  for (let i = 0; i < HASH_BYTES; i++) {
    const high = DIGITS[hash.charCodeAt(2 * i)] ?? -1;
    const low = DIGITS[hash.charCodeAt(2 * i + 1)] ?? -1;
    bytes[i] = 16 * high + low;
    signs |= high | low;
  }
  if (signs < 0) throw new RangeError(`not a hash: ${JSON.stringify(hash)}`);
  return bytes;
}

/** The 32 bytes from `offset` on. @throws RangeError if there are fewer */
export function hashFromBytes(bytes: Uint8Array, offset = 0): Hash {
  if (bytes.length < offset + HASH_BYTES) throw new RangeError(`no 32 bytes at offset ${offset}`);
  return bytesToHex(bytes.subarray(offset, offset + HASH_BYTES));
}

/** Hexadecimal digits of a hash that are its key: as many as a number holds. */
export const KEY_DIGITS = 13;
const HIGH_DIGITS = 7;

/**
 * How a hash begins, as a number: a tenth of the memory. Two hashes may share a key, and somebody may see to it. In two halves, each of
 * which is a small integer: every hash that is stored or looked up comes here.
 */
export function keyOf(hash: Hash): number {
  let high = 0;
  let low = 0;
  for (let i = 0; i < HIGH_DIGITS; i++) high = (high << 4) | ((DIGITS[hash.charCodeAt(i)] ?? 0) & 15);
  for (let i = HIGH_DIGITS; i < KEY_DIGITS; i++) low = (low << 4) | ((DIGITS[hash.charCodeAt(i)] ?? 0) & 15);
  return high * 16 ** (KEY_DIGITS - HIGH_DIGITS) + low;
}
