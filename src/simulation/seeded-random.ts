/** Randomness from a seed: mulberry32, good enough to lose datagrams with. */
import type { Random } from '../../machines/effects.ts';

export interface SeededRandom extends Random {
  /** An independent source, so that what one part of a test draws does not change what another part gets. */
  fork(label: string): SeededRandom;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const fork = (label: string): SeededRandom => {
    let hash = seed;
    for (const character of label) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    return seededRandom(hash);
  };
  return { uint32, fraction: () => uint32() / 2 ** 32, fork };
}
