/**
 * `node test/bench/directory/fill.ts REGISTRY FROM TO [KEY]`: adds the names from `peerFROM` to before `peerTO` to a registry, each with an address that was proven within the last
 * half hour. With a key, all of them are bound to it, and nobody is listed yet.
 */
import { openStore } from '../../../src/directory/migrate.ts';
import type { PublicKey } from '../../../src/identity/public-key.ts';

const BATCH = 20_000;
const HALF_HOUR_MS = 30 * 60_000;

const [place = '', from, to, key] = process.argv.slice(2);
await using store = await openStore(place);
for (let start = Number(from); start < Number(to); start += BATCH) {
  const batch = Array.from({ length: Math.min(BATCH, Number(to) - start) }, (_, i) => {
    const index = start + i;
    const ageMs = Math.floor((index * 7_919) % HALF_HOUR_MS);
    if (key !== undefined) return { name: `peer${index}`, key: key as PublicKey, ageMs, addresses: [] };
    const host = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
    const address = { address: `${host}:8080`, provenAgoMs: ageMs, answeredAgoMs: ageMs };
    return { name: `peer${index}`, key: keyOf(index), ageMs, addresses: [address] };
  });
  await store.add(batch);
}

/** 64 bytes in base64: nobody signs with it. */
function keyOf(index: number): string {
  const bytes = Buffer.alloc(64);
  for (let i = 0; i < 16; i++) bytes.writeUInt32BE(Math.imul(index + 1, 2_654_435_761 + i) >>> 0, 4 * i);
  return bytes.toString('base64').replace(/=+$/, '');
}
