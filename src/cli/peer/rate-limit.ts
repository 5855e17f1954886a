/** What strangers make a peer tell, as fast as they can send: so much a minute is shown, and how much was not (protocol §9). */
import type { PeerFact } from '../../index.ts';

const MINUTE_MS = 60_000;
/** Of one type a minute. */
const LIMIT = 30;

export interface RateLimitOptions {
  readonly nowMs: () => number;
  /** Told when there is room again. */
  readonly warn: (text: string) => void;
}

/** A listener that gets everything but what is too much. */
export function rateLimited(
  listener: (fact: PeerFact) => void,
  { nowMs, warn }: RateLimitOptions,
): (fact: PeerFact) => void {
  const told = new Map<PeerFact['type'], { sinceMs: number; count: number }>();
  return (fact) => {
    if (!isOfStrangers(fact)) return listener(fact);
    const now = nowMs();
    let minute = told.get(fact.type);
    if (minute === undefined || Math.abs(now - minute.sinceMs) >= MINUTE_MS) {
      const withheld = (minute?.count ?? 0) - LIMIT;
      if (withheld > 0) warn(`${withheld} more like the next one arrived within a minute and were not shown`);
      minute = { sinceMs: now, count: 0 };
      told.set(fact.type, minute);
    }
    minute.count += 1;
    if (minute.count <= LIMIT) listener(fact);
  };
}

/** Whoever can send a datagram can make them happen. */
function isOfStrangers(fact: PeerFact): boolean {
  return fact.type === 'error.received' || (fact.type === 'session.opened' && !fact.authenticated);
}
