/** RFC 9002 §6.1: what later answers tell about earlier requests. */
import { describe, expect, test } from 'vitest';
import { nothingDelivered, snapshotOf } from '../../../machines/delivery-rate.ts';
import {
  type AllOutstanding,
  awaited,
  initialTolerance,
  lostAt,
  moreTolerant,
  type Outstanding,
  withArrival,
} from '../../../machines/outstanding.ts';

const { snapshot } = snapshotOf(nothingDelivered, 0, true);
const request = (id: number, expected: number): Outstanding => ({
  id,
  expected,
  sentAtMs: id,
  isRepeated: false,
  arrived: 0,
  highest: -1,
  arrivedAtMs: undefined,
  overtaken: 0,
  sinceHole: 0,
  snapshot,
});
/** Datagrams of answers come: the id of the request and the sequence, the last one marked by a negative sequence. */
const withArrivals = (all: AllOutstanding, ...arrivals: readonly [id: number, sequence: number, isLast?: true][]) =>
  arrivals.reduce<AllOutstanding>((known, [id, sequence, isLast = false], i) => {
    const index = known.findIndex((other) => other.id === id);
    return withArrival(known, index, { sequence, isLast, atMs: 100 + i });
  }, all);
const lost = (all: AllOutstanding, id: number) =>
  lostAt(all.find((other) => other.id === id) as Outstanding, initialTolerance, { roundTripMs: 80, jitterMs: 5 });

describe('a request that nothing has come for', () => {
  const four = [request(1, 1), request(2, 1), request(3, 1), request(4, 1)];

  test('is lost once three datagrams of later requests have come', () => {
    expect(lost(withArrivals(four, [2, 0, true], [3, 0, true], [4, 0, true]), 1)).toBe(1 + 80 + 5);
  });

  test('is lost 9/8 of a round trip after it was sent, if one has', () => {
    expect(lost(withArrivals(four, [2, 0, true]), 1)).toBe(1 + 90);
  });

  test('is up to its timeout, if none has', () => {
    expect(lost(withArrivals([request(0, 1), ...four], [0, 0, true]), 1)).toBeUndefined();
  });
});

describe('an answer of several datagrams', () => {
  test('is over when all have come, in whatever order', () => {
    expect(withArrivals([request(1, 4)], [1, 2], [1, 0], [1, 3], [1, 1])).toEqual([]);
  });

  test('is over with the one that says that it is the last, if none is missing', () => {
    expect(withArrivals([request(1, 64)], [1, 0], [1, 1, true])).toEqual([]);
  });

  test('waits for its end before a hole in it counts', () => {
    const holed = withArrivals([request(1, 9)], [1, 0], [1, 2], [1, 3], [1, 4], [1, 5]);
    expect(lost(holed, 1)).toBeUndefined();
    expect(lost(withArrivals(holed, [1, 6], [1, 7], [1, 8, true]), 1)).toBe(1 + 80 + 5);
  });

  test('is given 9/8 of a round trip when the hole is near its end', () => {
    expect(lost(withArrivals([request(1, 4)], [1, 0], [1, 1], [1, 3, true]), 1)).toBe(102 + 90);
  });

  test('is as complete as it gets once three datagrams of the next one have come', () => {
    const begun = withArrivals([request(1, 9), request(2, 9)], [1, 0], [1, 1], [2, 0], [2, 1], [2, 2]);
    expect(lost(begun, 1)).toBe(1 + 80 + 5);
    expect(awaited(begun)).toBe(7 + 6);
  });
});

test('what comes late makes it more patient, within bounds', () => {
  let tolerance = moreTolerant(initialTolerance);
  expect(tolerance).toEqual({ datagrams: 6, roundTrips: 10 / 8 });
  for (let i = 0; i < 100; i++) tolerance = moreTolerant(tolerance);
  expect(tolerance).toEqual({ datagrams: 96, roundTrips: 2 });
});
