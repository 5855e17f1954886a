/**
 * A token bucket per source: `perSecond` tokens a second, `burst` at most. Fixed windows, which @fastify/rate-limit counts,
 * cannot tell a burst from a rate: they let through double at each boundary, or refuse what is well within the rate.
 */
import { dropOldest } from '../merkle/bounded-map.ts';

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

/** Sources remembered; when there are more, those go first that have not asked for longest: their buckets are full again. */
export const MAX_BUCKETS = 65_536;

export class TokenBuckets {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Takes a token: 0, or how many seconds to wait for one. */
  take(source: string, nowMs: number): number {
    const { perSecond, burst } = this.#limit;
    const bucket = this.#buckets.get(source) ?? { tokens: burst, filledAtMs: nowMs };
    // A clock that is set back must not empty the bucket.
    const elapsedS = Math.max(0, nowMs - bucket.filledAtMs) / 1000;
    bucket.tokens = Math.min(burst, bucket.tokens + elapsedS * perSecond);
    bucket.filledAtMs = nowMs;
    // Used last, kept longest.
    this.#buckets.delete(source);
    this.#buckets.set(source, bucket);
    dropOldest(this.#buckets, MAX_BUCKETS);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return (1 - bucket.tokens) / perSecond;
  }
}

/** Whoever has one IPv6 address has 2^64 of them. */
export function sourceOf(ip: string): string {
  const canonical = ip.startsWith('::ffff:') ? ip.slice(7) : ip;
  if (!canonical.includes(':')) return canonical;
  const [head = '', tail = ''] = canonical.split('::') as [string, string?];
  const groups = head.split(':').filter(Boolean);
  const missing = 8 - groups.length - tail.split(':').filter(Boolean).length;
  return [...groups, ...new Array<string>(Math.max(0, missing)).fill('0'), ...tail.split(':')].slice(0, 4).join(':');
}
