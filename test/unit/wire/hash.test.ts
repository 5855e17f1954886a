/** Hashes as text and as bytes. */
import { expect, test } from 'vitest';
import { type Hash, hashFromBytes, hashToBytes } from '../../../src/wire/hash.ts';

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
});
