/**
 * Protocol §6, §10.1: downloads over one link, in virtual time. The share of the link that is used, how long its queue delays,
 * and whether two downloads share it, at each rate, round trip and loss.
 */
import { describe, expect, test } from 'vitest';
import { bytesBetween, Download, queueing, roundTripMs, SharedLink, use } from '../support/congestion/downloads.ts';

const ROUTES = [1, 10, 100].flatMap((megabits) =>
  [10, 50, 200].flatMap((trip) => [0, 0.01, 0.05].map((loss) => ({ megabits, trip, loss }))),
);
type Route = (typeof ROUTES)[number];

const linkOf = ({ megabits, trip, loss }: Route, seed: number) =>
  new SharedLink({ bitsPerSecond: megabits * 1e6, roundTripMs: trip, loss }, seed);

describe('one download, once it has started', () => {
  test.each(ROUTES)(
    'uses 85 % of $megabits Mbit/s at $trip ms and a loss of $loss, and queues for less than a round trip',
    (route) => {
      const link = linkOf(route, 1);
      const download = new Download(link);
      download.start();
      const startedMs = Math.max(2_000, 20 * route.trip);
      link.clock.advanceTimersOnly(2 * startedMs);
      expect(use(link, [download], startedMs, 2 * startedMs)).toBeGreaterThan(0.85);
      // The requester's clock has whole milliseconds.
      expect(queueing(link, 0.95, startedMs)).toBeLessThan(roundTripMs(link) + 1);
    },
  );
});

/** The smaller of two downloads as a part of the larger one, once both have found their rate. */
function shareOf(route: Route, seed: number): number {
  const link = linkOf(route, seed);
  const [first, second] = [new Download(link), new Download(link)];
  first.start();
  link.clock.advanceTimersOnly(3_000);
  second.start();
  link.clock.advanceTimersOnly(57_000);
  expect(use(link, [first, second], 15_000, 60_000)).toBeGreaterThan(0.85);
  const share = bytesBetween(second, 15_000, 60_000) / bytesBetween(first, 15_000, 60_000);
  return Math.min(share, 1 / share);
}

describe('two downloads, the second begun 3 s after the first', () => {
  test.each(ROUTES.filter(({ megabits }) => megabits < 100))(
    'get within 30 % of each other of $megabits Mbit/s at $trip ms and a loss of $loss, as a rule, and never half',
    (route) => {
      const shares = [1, 2, 3].map((seed) => shareOf(route, seed)).toSorted((a, b) => a - b);
      expect(shares[0]).toBeGreaterThan(0.5);
      expect(shares[1]).toBeGreaterThan(0.7);
    },
  );
});
