/** Randomness that a seed determines: SHA-256 in counter mode, as unpredictable as its seed to whoever does not have it. */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Random } from '../../machines/effects.ts';

export const SEED_BYTES = 32;

export function createSeededRandom(seed: Uint8Array): Random {
  const input = new Uint8Array(SEED_BYTES + 8);
  input.set(seed.subarray(0, SEED_BYTES));
  const counter = new DataView(input.buffer, SEED_BYTES);
  let blocks = 0;
  let block = new DataView(new ArrayBuffer(0));
  let next = 0;
  const uint32 = (): number => {
    if (next === block.byteLength) {
      counter.setUint32(4, blocks++);
      block = new DataView(sha256(input).buffer);
      next = 0;
    }
    next += 4;
    return block.getUint32(next - 4);
  };
  return { uint32, fraction: () => uint32() / 2 ** 32 };
}
