/**
 * How much may be in flight to one peer and how long to wait for it (protocol §6): a congestion window by additive
 * increase and multiplicative decrease, and the retransmission timeout of RFC 6298 with Karn's rule.
 */
import type { RequestEnded } from './request.machine.ts';
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

/** What a finished request teaches. */
export function afterRequest(congestion: Congestion, ended: RequestEnded): Congestion {
  const { outcome, sends, openedAtMs = Number.NEGATIVE_INFINITY, atMs, rttMs, order } = ended;
  if (atMs !== undefined && rttMs !== undefined) {
    const window = Math.min(limits.maximumWindow, congestion.window + 1 / congestion.window);
    return { ...measured(congestion, rttMs), window, measuredAtMs: atMs };
  }
  if (sends === 1) return congestion;
  // Repeated: no measurement, and the backed-off timeout stays until there is one (RFC 6298 §5).
  const isOutdated = openedAtMs <= congestion.measuredAtMs;
  const backedOff = Math.min(MAX, Math.max(congestion.timeoutMs, order.firstTimeoutMs * 2 ** (sends - 1)));
  const timeoutMs = isOutdated ? congestion.timeoutMs : backedOff;
  if (openedAtMs <= congestion.decreasedAtMs) return { ...congestion, timeoutMs };
  const window = outcome.kind === 'unanswered' ? 1 : Math.max(1, congestion.window / 2);
  return { ...congestion, timeoutMs, window, decreasedAtMs: atMs ?? openedAtMs };
}
