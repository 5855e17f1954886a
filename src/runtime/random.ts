/** Randomness from the system's CSPRNG, drawn in blocks: ids must not be guessable (protocol §4), and one is drawn per request. */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../../machines/effects.ts';

export function createSystemRandom(): Random {
  const block = new Uint32Array(256);
  let next = block.length;
  const uint32 = (): number => {
    if (next === block.length) {
      randomFillSync(block);
      next = 0;
    }
    return block[next++] as number;
  };
  return { uint32, fraction: () => uint32() / 2 ** 32 };
}
