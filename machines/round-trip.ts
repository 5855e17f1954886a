/** The round trip of a path: smoothed, its variation, and the timeout that follows (RFC 6298, protocol §6); and the shortest one. */
import { timing } from './timing.ts';

export interface RoundTrip {
  /** Smoothed, and its variation, ms; undefined before the first measurement. */
  readonly smoothedMs: number | undefined;
  readonly variationMs: number;
  readonly latestMs: number;
  /** The shortest of late, and when it was measured; undefined before the first measurement. */
  readonly shortestMs: number | undefined;
  readonly shortestAtMs: number;
  /** When it was last measured: what was sent earlier tells nothing of the timeout any more. */
  readonly measuredAtMs: number;
  /** Wait before the first repetition, ms. */
  readonly timeoutMs: number;
}

export const unknownRoundTrip: RoundTrip = {
  smoothedMs: undefined,
  variationMs: 0,
  latestMs: 0,
  shortestMs: undefined,
  shortestAtMs: 0,
  measuredAtMs: 0,
  timeoutMs: timing.initialTimeout,
};

/** Round trips that differ by so little are the same. */
const AS_SHORT = 1.02;
const MAX = timing.maximumTimeout;

/**
 * RFC 6298 §2: SRTT and RTTVAR, floor and ceiling as in protocol §6. Twice the round trip at least: a queue grows to
 * that within one, and whatever is repeated is not measured. `timeoutMs`: after which the request would have been repeated.
 */
export function withRoundTrip(
  roundTrip: RoundTrip,
  elapsedMs: number,
  atMs: number,
  timeoutMs = roundTrip.timeoutMs,
): RoundTrip {
  const { smoothedMs, variationMs, shortestMs } = roundTrip;
  // Time has jumped, as after a sleep, and how long it took is not known.
  if (elapsedMs > timeoutMs * (1 + timing.timeoutJitter)) return roundTrip;
  const latestMs = Math.max(0, elapsedMs);
  const variation =
    smoothedMs === undefined ? latestMs / 2 : 0.75 * variationMs + 0.25 * Math.abs(smoothedMs - latestMs);
  const smoothed = smoothedMs === undefined ? latestMs : 0.875 * smoothedMs + 0.125 * latestMs;
  const isShortest = shortestMs === undefined || latestMs <= shortestMs;
  const isAsShort = !isShortest && latestMs <= AS_SHORT * shortestMs;
  const shortest = isAsShort ? { shortestAtMs: atMs } : isShortest ? { shortestMs: latestMs, shortestAtMs: atMs } : {};
  return {
    ...roundTrip,
    smoothedMs: smoothed,
    variationMs: variation,
    latestMs,
    timeoutMs: timeoutAfter(smoothed, variation),
    measuredAtMs: atMs,
    ...shortest,
  };
}

/** RFC 6298 §2.3. */
function timeoutAfter(smoothedMs: number, variationMs: number): number {
  return Math.min(MAX, Math.max(timing.minimumTimeout, smoothedMs + Math.max(4 * variationMs, smoothedMs)));
}

/** As it was before the timeouts since the last measurement. */
export function withoutBackoff(roundTrip: RoundTrip): RoundTrip {
  const { smoothedMs, variationMs } = roundTrip;
  const timeoutMs = smoothedMs === undefined ? timing.initialTimeout : timeoutAfter(smoothedMs, variationMs);
  return { ...roundTrip, timeoutMs };
}

/** So many timeouts of a request are over: the doubled one stays until a round trip is measured (RFC 6298 §5). */
export function backedOff(roundTrip: RoundTrip, sentAtMs: number, timeouts = 1, firstTimeoutMs = roundTrip.timeoutMs) {
  if (sentAtMs < roundTrip.measuredAtMs) return roundTrip;
  const timeoutMs = Math.min(MAX, Math.max(roundTrip.timeoutMs, firstTimeoutMs * 2 ** timeouts));
  return { ...roundTrip, timeoutMs };
}
