/** Verifying signatures (protocol §7): P-256, SHA-256, r‖s; high-S is accepted, since most programs produce it half the time. */
import { type PublicKey, publicKeyBytes, SIGNATURE_ALGORITHM, uncompressedPoint } from './public-key.ts';

const SIGNATURE_BYTES = 64;

export type Verifier = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/** A verifier that works off the thread and imports each key once, as long as it is among the `maxKeys` last used. It never throws. */
export function createVerifier({ maxKeys }: { maxKeys: number }): Verifier {
  const imported = new Map<PublicKey, Promise<CryptoKey>>();

  const importOnce = (key: PublicKey): Promise<CryptoKey> => {
    const known = imported.get(key);
    if (known !== undefined) {
      imported.delete(key);
      imported.set(key, known);
      return known;
    }
    const point = uncompressedPoint(publicKeyBytes(key)) as Uint8Array<ArrayBuffer>;
    const fresh = crypto.subtle.importKey('raw', point, SIGNATURE_ALGORITHM, false, ['verify']);
    imported.set(key, fresh);
    if (imported.size > maxKeys) imported.delete(imported.keys().next().value as PublicKey);
    return fresh;
  };

  return async (key, message, signature) => {
    if (signature.length !== SIGNATURE_BYTES) return false;
    try {
      const cryptoKey = await importOnce(key);
      return await crypto.subtle.verify(
        SIGNATURE_ALGORITHM,
        cryptoKey,
        signature as Uint8Array<ArrayBuffer>,
        message as Uint8Array<ArrayBuffer>,
      );
    } catch {
      return false;
    }
  };
}
