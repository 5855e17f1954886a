/** What all retransmitted requests share (protocol §4, §6). */
import type { Random } from './effects.ts';
import { timing } from './timing.ts';

/** Why such answers are dropped, as the socket counts them. */
export const UNFIT_ANSWER = 'answer does not fit its request';

/** A fresh id: unpredictable and never 0; ending in a zero byte for peers that copy only the first three (protocol §11, C). */
export function drawId(random: Random, isZeroEnding: boolean): number {
  for (;;) {
    const id = isZeroEnding ? (random.uint32() & 0xffffff00) >>> 0 : random.uint32();
    if (id !== 0) return id;
  }
}

/** The id is random, and serves as the jitter as well: requests that went out together come again apart. */
export function withJitter(timeoutMs: number, id: number): number {
  return Math.round(timeoutMs * (1 + timing.timeoutJitter * (id / 2 ** 31 - 1)));
}

interface Sent {
  readonly sends: number;
  readonly timeoutMs: number;
  readonly waitedMs: number;
}

/** The timeout is over: one more send, and twice as long to wait. */
export function backedOff({ sends, timeoutMs, waitedMs }: Sent): Sent {
  return {
    sends: sends + 1,
    timeoutMs: Math.min(timeoutMs * 2, timing.maximumTimeout),
    waitedMs: waitedMs + timeoutMs,
  };
}
