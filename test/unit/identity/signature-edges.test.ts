/** P-256 at its edges, r\u2016s of 64 bytes: what must never verify, for whatever key, and never makes the verifier throw. */
import { p256 } from '@noble/curves/nist.js';
import { expect, test } from 'vitest';
import { createVerifier } from '../../../src/identity/verify.ts';

const ORDER = p256.Point.Fn.ORDER;
const FIELD = p256.Point.Fp.ORDER;
const secret = new Uint8Array(32).fill(7);
const message = new TextEncoder().encode('a message');
const genuine = p256.sign(message, secret);
const [r, s] = [genuine.subarray(0, 32), genuine.subarray(32)].map((bytes) =>
  BigInt(`0x${Buffer.from(bytes).toString('hex')}`),
) as [bigint, bigint];
const of = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0').slice(-64), 'hex');
const pair = (first: bigint, second: bigint) => new Uint8Array(Buffer.concat([of(first), of(second)]));
const keyOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
const key = keyOf(p256.getPublicKey(secret, false).subarray(1));
const verify = createVerifier({ maxKeys: 64 });

test.each([
  ['as it was made', genuine],
  ['with the other s, which is valid as well', pair(r, ORDER - s)],
])('a signature %s verifies', async (_, signature) => {
  expect(await verify(key, message, signature)).toBe(true);
});

test.each([
  ['r = 0', pair(0n, s)],
  ['s = 0', pair(r, 0n)],
  ['r = s = 0', pair(0n, 0n)],
  ['r = n', pair(ORDER, s)],
  ['s = n', pair(r, ORDER)],
  ['r = s = n', pair(ORDER, ORDER)],
  ['r = n + 1, s = 1', pair(ORDER + 1n, 1n)],
  ['s + n, as far as it fits', pair(r, (s + ORDER) % 2n ** 256n)],
  ['r = p', pair(FIELD, s)],
  ['r = p \u2212 n, a reduced x', pair(FIELD - ORDER, s)],
  ['r = s = 1', pair(1n, 1n)],
  ['r = s = n \u2212 1', pair(ORDER - 1n, ORDER - 1n)],
  ['r = s = 2^256 \u2212 1', pair(2n ** 256n - 1n, 2n ** 256n - 1n)],
  ['r and s exchanged', pair(s, r)],
  ['63 bytes', genuine.subarray(0, 63)],
  ['65 bytes', Uint8Array.of(...genuine, 0)],
  ['no bytes', new Uint8Array()],
  ['ASN.1, as other programs write it', p256.sign(message, secret, { format: 'der' })],
])('a signature with %s does not verify', async (_, signature) => {
  expect(await verify(key, message, signature)).toBe(false);
});

test.each([
  ['the point at infinity, written as zeros', new Uint8Array(64)],
  ['a point that is not on the curve', new Uint8Array(64).fill(1)],
  ['x = p', new Uint8Array(Buffer.concat([of(FIELD), of(1n)]))],
  ['63 bytes', new Uint8Array(63).fill(1)],
  ['another point of the curve', p256.getPublicKey(new Uint8Array(32).fill(9), false).subarray(1)],
])('under a key that is %s nothing verifies', async (_, bytes) => {
  expect(await verify(keyOf(bytes), message, genuine)).toBe(false);
  expect(await verify(keyOf(bytes), message, pair(0n, 0n))).toBe(false);
});
