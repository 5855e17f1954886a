/**
 * How much may be in flight to one peer and how long to wait for it (protocol §6): a congestion window by additive
 * increase and multiplicative decrease, and the retransmission timeout of RFC 6298 with Karn's rule.
 */
import { limits, timing } from './timing.ts';

export interface Congestion {
  /** In requests; fractional, since it grows by 1/window an answer. */
  readonly window: number;
  /** Requests opened before this instant cannot decrease the window again: one loss event, one decrease. Unix ms. */
  readonly decreasedAtMs: number;
  /** When the round trip was last measured: what older requests tell about timeouts is out of date. Unix ms. */
  readonly measuredAtMs: number;
  /** Smoothed round trip and its variation in ms; undefined before the first measurement. */
  readonly smoothedMs: number | undefined;
  readonly variationMs: number;
  /** Wait before the first repetition, ms. */
  readonly timeoutMs: number;
}

/** Requests that were sent together and are over. */
export interface FinishedRequests {
  /** How many were answered; 0: all were given up. */
  readonly answers: number;
  /** How often each was sent. */
  readonly sends: number;
  readonly firstTimeoutMs: number;
  /** When they were sent first, Unix ms; undefined if a timer caused it: then no round trip is measured. */
  readonly openedAtMs: number | undefined;
  /** When the answers came, Unix ms; undefined if none came. */
  readonly atMs: number | undefined;
}

export const initialCongestion: Congestion = {
  window: limits.initialWindow,
  decreasedAtMs: Number.NEGATIVE_INFINITY,
  measuredAtMs: Number.NEGATIVE_INFINITY,
  smoothedMs: undefined,
  variationMs: 0,
  timeoutMs: timing.initialTimeout,
};

const MAX = timing.maximumTimeout;

/** RFC 6298 §2: SRTT and RTTVAR, floor and ceiling as in protocol §6. */
function measured(congestion: Congestion, rttMs: number): Congestion {
  const { smoothedMs, variationMs } = congestion;
  const variation = smoothedMs === undefined ? rttMs / 2 : 0.75 * variationMs + 0.25 * Math.abs(smoothedMs - rttMs);
  const smoothed = smoothedMs === undefined ? rttMs : 0.875 * smoothedMs + 0.125 * rttMs;
  const timeoutMs = Math.min(MAX, Math.max(timing.minimumTimeout, smoothed + 4 * variation));
  return { ...congestion, smoothedMs: smoothed, variationMs: variation, timeoutMs };
}

/** What finished requests teach. */
export function afterRequests(congestion: Congestion, finished: FinishedRequests): Congestion {
  const { answers, sends, firstTimeoutMs, openedAtMs, atMs } = finished;
  // Karn's rule: which send of a repeated request was answered, nobody knows.
  if (sends === 1) {
    if (atMs === undefined || openedAtMs === undefined) return congestion;
    const window = grown(congestion.window, answers);
    const rttMs = atMs - openedAtMs;
    // Whatever took longer would have been repeated: time has jumped, as after a sleep, and how long it took is not known.
    if (rttMs > firstTimeoutMs * (1 + timing.timeoutJitter)) return { ...congestion, window };
    return { ...measured(congestion, rttMs), window, measuredAtMs: atMs };
  }
  // Repeated: no measurement, and the backed-off timeout stays until there is one (RFC 6298 §5).
  const sinceMs = openedAtMs ?? Number.NEGATIVE_INFINITY;
  const isOutdated = sinceMs < congestion.measuredAtMs;
  const backedOff = Math.min(MAX, Math.max(congestion.timeoutMs, firstTimeoutMs * 2 ** (sends - 1)));
  const timeoutMs = isOutdated ? congestion.timeoutMs : backedOff;
  if (sinceMs < congestion.decreasedAtMs) return { ...congestion, timeoutMs };
  const window = answers === 0 ? 1 : Math.max(1, congestion.window / 2);
  return { ...congestion, timeoutMs, window, decreasedAtMs: atMs ?? sinceMs };
}

/** By one request for each window full of answers. */
function grown(window: number, answers: number): number {
  let larger = window;
  for (let i = 0; i < answers; i++) larger += 1 / larger;
  return Math.min(limits.maximumWindow, larger);
}
