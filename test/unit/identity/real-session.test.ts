/** The 2022 reference directory and peer, as recorded: what we verify, they signed. */
import { describe, expect, test } from 'vitest';
import { type PublicKey, parsePublicKey, publicKeyFromBytes } from '../../../src/identity/public-key.ts';
import { createVerifier } from '../../../src/identity/verify.ts';
import { decodeDatagram } from '../../../src/wire/datagram.ts';
import type { Decoded } from '../../../src/wire/decoded.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { decodeNode } from '../../../src/wire/node.ts';
import { fromHex, type RealSession, realSession, whySkipped } from '../../support/vectors.ts';

describe.skipIf(realSession === undefined)(`a recorded session with the reference programs${whySkipped}`, () => {
  const session = realSession as RealSession;
  const records = () =>
    session.datagrams.map((record) => ({ ...record, decoded: decodeDatagram(fromHex(record.hex)) }));

  test('every datagram is well formed', () => {
    expect(records().length).toBeGreaterThan(10);
    for (const { decoded } of records()) expect(decoded).toMatchObject({ ok: true });
  });

  test('every signature verifies under its sender’s key', async () => {
    const verify = createVerifier({ maxKeys: 4 });
    const serverKey = unwrap(publicKeyFromBytes(fromHex(session.server_key_hex)));
    const peerKey = unwrap(parsePublicKey(session.jch_peer_key_b64));
    const ownKey = unwrap(parsePublicKey(session.hugoleonard_key_b64));
    let verified = 0;
    for (const { dir, addr, decoded } of records()) {
      if (!decoded.ok || decoded.value.signature === undefined) continue;
      const key = dir === 'SEND' ? ownKey : addr.endsWith(':1194') ? serverKey : peerKey;
      const { signed, signature } = decoded.value;
      expect(await verify(key, signed, signature), `${dir} ${addr}`).toBe(true);
      verified += 1;
    }
    expect(verified).toBeGreaterThan(5);
  });

  test('every node has the hash it was asked for by, and can be read', () => {
    let nodes = 0;
    for (const { decoded } of records()) {
      if (!decoded.ok || decoded.value.datagram.type !== 'Datum') continue;
      const { hash, value } = decoded.value.datagram;
      expect(hashOf(value)).toBe(hash);
      expect(decodeNode(value)).toMatchObject({ ok: true });
      nodes += 1;
    }
    expect(nodes).toBeGreaterThan(1);
  });
});

function unwrap(decoded: Decoded<PublicKey>): PublicKey {
  if (!decoded.ok) throw new Error(decoded.why);
  return decoded.value;
}
