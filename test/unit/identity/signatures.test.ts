import { p256 } from '@noble/curves/nist.js';
import { describe, expect, test, vi } from 'vitest';
import { deterministicSigner } from '../../../src/identity/deterministic-signer.ts';
import { generateKeyPair, keyPairFromSecret } from '../../../src/identity/key-pair.ts';
import {
  type PublicKey,
  parsePublicKey,
  publicKeyBytes,
  publicKeyFromBytes,
} from '../../../src/identity/public-key.ts';
import { createVerifier } from '../../../src/identity/verify.ts';
import { fromHex, loadVectors } from '../../support/vectors.ts';

const vectors = loadVectors<{
  secretKey: string;
  publicKey: string;
  publicKeyBase64: PublicKey;
  cases: readonly { name: string; message: string; signature: string; valid: boolean }[];
}>('signatures');

const verify = createVerifier({ maxKeys: 8 });
const isLowS = (signature: Uint8Array) =>
  BigInt(`0x${Buffer.from(signature.subarray(32)).toString('hex')}`) <= p256.Point.Fn.ORDER / 2n;

describe('protocol §7: the signatures of the vectors', () => {
  test.each(vectors.cases.map((vector, index) => [`${index}: ${vector.name}`, vector] as const))(
    '%s',
    async (_, vector) => {
      const { message, signature, valid } = vector;
      expect(await verify(vectors.publicKeyBase64, fromHex(message), fromHex(signature))).toBe(valid);
    },
  );
});

describe('protocol §7: signing', () => {
  test('the public key of the vectors belongs to their secret', async () => {
    const { publicKey } = await keyPairFromSecret(fromHex(vectors.secretKey));
    expect(publicKey).toBe(vectors.publicKeyBase64);
    expect(publicKeyBytes(publicKey)).toEqual(fromHex(vectors.publicKey));
  });

  test('we emit low-S, always', async () => {
    const { publicKey, sign } = await keyPairFromSecret(fromHex(vectors.secretKey)).then((pair) => ({
      publicKey: pair.publicKey,
      sign: (message: Uint8Array) => pair.sign(message),
    }));
    for (let i = 0; i < 40; i++) {
      const message = Uint8Array.of(i);
      const signature = await sign(message);
      expect(isLowS(signature)).toBe(true);
      expect(await verify(publicKey, message, signature)).toBe(true);
    }
  });

  test('the signer of simulations gives the same bytes each time, low-S as well', async () => {
    const sign = deterministicSigner(fromHex(vectors.secretKey));
    const signature = sign(Uint8Array.of(1));
    expect(sign(Uint8Array.of(1))).toEqual(signature);
    expect(isLowS(signature)).toBe(true);
    expect(await verify(vectors.publicKeyBase64, Uint8Array.of(1), signature)).toBe(true);
  });

  test('a secret that is zero, too large or too short is refused', async () => {
    for (const secret of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31).fill(1)]) {
      await expect(keyPairFromSecret(secret)).rejects.toMatchObject({ code: 'invalid-data' });
    }
  });
});

describe('verification', () => {
  test('never throws: a signature of the wrong length, or a key that is none, is not valid', async () => {
    expect(await verify(vectors.publicKeyBase64, new Uint8Array(0), new Uint8Array(63))).toBe(false);
    expect(await verify('A'.repeat(86), new Uint8Array(0), new Uint8Array(64))).toBe(false);
  });

  test('a key is imported once, and of many keys only the last ones used are kept', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const few = createVerifier({ maxKeys: 2 });
    const pairs = await Promise.all([1, 2, 3].map(() => generateKeyPair()));
    const message = Uint8Array.of(1);
    const signatures = await Promise.all(pairs.map((pair) => pair.sign(message)));
    importKey.mockClear();
    const check = (i: number) => few((pairs[i] as (typeof pairs)[0]).publicKey, message, signatures[i] as Uint8Array);
    for (const i of [0, 0, 1, 0, 2, 0]) expect(await check(i)).toBe(true);
    expect(importKey).toHaveBeenCalledTimes(3);
    expect(await check(1)).toBe(true);
    expect(importKey).toHaveBeenCalledTimes(4);
    importKey.mockRestore();
  });
});

describe('protocol §3: a public key is 64 bytes in standard base64', () => {
  test('with or without padding', () => {
    for (const padding of ['', '==']) {
      expect(parsePublicKey(vectors.publicKeyBase64 + padding)).toEqual({ ok: true, value: vectors.publicKeyBase64 });
    }
  });
  test.each([
    ['nothing', ''],
    ['too short', 'AAAA'],
    ['not a point of the curve', 'A'.repeat(86)],
    ['of another alphabet', vectors.publicKeyBase64.replace('/', '_').replace('+', '-')],
  ])('%s: refused', (_, text) => expect(parsePublicKey(text)).toEqual({ ok: false, why: expect.any(String) }));
  test('of another size: refused', () => expect(publicKeyFromBytes(new Uint8Array(65)).ok).toBe(false));
});
