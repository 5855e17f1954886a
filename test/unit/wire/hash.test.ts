/** Hashes as text and as bytes. */
import { expect, test } from 'vitest';
import {
  EMPTY_ROOT,
  type Hash,
  hashFromBytes,
  hashOf,
  hashToBytes,
  isEmptyRoot,
  isHash,
  ZERO_HASH,
} from '../../../src/wire/hash.ts';

test('every byte goes to text and back', () => {
  for (let start = 0; start < 256; start += 32) {
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => start + i);
    const hash = hashFromBytes(bytes);
    expect(hash).toBe(Buffer.from(bytes).toString('hex'));
    expect(hashToBytes(hash)).toEqual(bytes);
  }
});

test.for([
  ['nothing', ''],
  ['one digit too few', 'a'.repeat(63)],
  ['one digit too many', 'a'.repeat(65)],
  ['capitals', 'A'.repeat(64)],
  ['a letter after f', `${'a'.repeat(63)}g`],
  ['what stands next to digits', `/${'0'.repeat(62)}:`],
  ['other scripts', `\u0660${'0'.repeat(63)}`],
  ['a character beyond the table', `${'0'.repeat(40)}🎶${'0'.repeat(22)}`],
] as const)('%s is no hash', ([, text]) => {
  expect(() => hashToBytes(text as Hash)).toThrow(RangeError);
  expect(isHash(text)).toBe(false);
});

test('fewer than 32 bytes are no hash', () => {
  expect(() => hashFromBytes(new Uint8Array(31))).toThrow(RangeError);
  expect(() => hashFromBytes(new Uint8Array(33), 2)).toThrow(RangeError);
  expect(hashFromBytes(Uint8Array.of(9, ...new Array(32).fill(0)), 1)).toBe(ZERO_HASH);
});

test('protocol §2: two roots say that there are no messages', () => {
  expect(EMPTY_ROOT).toBe(hashOf(new Uint8Array(0)));
  expect([EMPTY_ROOT, ZERO_HASH, hashOf(Uint8Array.of(0))].map(isEmptyRoot)).toEqual([true, true, false]);
});
