/** Protocol §6, RFC 6298: how long to wait for an answer. */
import { describe, expect, test } from 'vitest';
import { backedOff, type RoundTrip, unknownRoundTrip, withRoundTrip } from '../../../machines/round-trip.ts';
import { timing } from '../../../machines/timing.ts';

const measured = (...roundTrips: readonly number[]): RoundTrip =>
  roundTrips.reduce((known, elapsedMs, i) => withRoundTrip(known, elapsedMs, 1_000 * i), unknownRoundTrip);

describe('the first timeout', () => {
  test('is a second before anything was measured', () => {
    expect(unknownRoundTrip.timeoutMs).toBe(timing.initialTimeout);
  });

  test('follows the measured round trip as RFC 6298 has it', () => {
    // SRTT = R, RTTVAR = R/2, RTO = SRTT + 4·RTTVAR; then 7/8 and 3/4 of the old.
    expect(measured(400).timeoutMs).toBe(1_200);
    expect(measured(400, 800)).toMatchObject({ smoothedMs: 450, variationMs: 250, timeoutMs: 1_450 });
  });

  test('is twice the round trip at least, however little that varies: a queue may double it', () => {
    expect(measured(...new Array(50).fill(300)).timeoutMs).toBe(600);
  });

  test('is never below 200 ms, nor above 16 s', () => {
    expect(measured(3).timeoutMs).toBe(200);
    expect(withRoundTrip(unknownRoundTrip, 15_000, 0, 16_000).timeoutMs).toBe(16_000);
  });

  test('is not measured on an answer that came later than a repetition was due: the clock has jumped meanwhile', () => {
    expect(measured(1_090).smoothedMs).toBe(1_090);
    expect(measured(1_110)).toBe(unknownRoundTrip);
    expect(measured(100, 3_600_000)).toEqual(measured(100));
    expect(withRoundTrip(unknownRoundTrip, 1_900, 0, 2_000).smoothedMs).toBe(1_900);
  });

  test('stays doubled after a timeout until a round trip is measured (RFC 6298 §5)', () => {
    const after = backedOff(measured(100), 10);
    expect(after.timeoutMs).toBe(600);
    expect(withRoundTrip(after, 100, 500).timeoutMs).toBeLessThan(600);
  });

  test('learns nothing from the timeout of what was sent before the latest measurement', () => {
    const known = withRoundTrip(unknownRoundTrip, 100, 1_000);
    expect(backedOff(known, 999)).toBe(known);
  });
});

test('the shortest round trip is kept, and when one as short was seen', () => {
  expect(measured(50, 40, 60)).toMatchObject({ shortestMs: 40, shortestAtMs: 1_000 });
  expect(measured(100, 120, 101)).toMatchObject({ shortestMs: 100, shortestAtMs: 2_000 });
});
