/** Protocol §6: how long to wait for an answer, and how much to ask at once. */
import { describe, expect, test } from 'vitest';
import { afterRequests, type Congestion, type FinishedRequests, initialCongestion } from '../../machines/congestion.ts';
import { limits, timing } from '../../machines/timing.ts';

/** Answered after `rttMs`; with more than one send nobody knows which of them was answered. */
function answered(openedAtMs: number, rttMs: number, sends = 1, answers = 1, firstTimeoutMs = 1_000): FinishedRequests {
  return { answers, sends, firstTimeoutMs, openedAtMs, atMs: openedAtMs + rttMs };
}

function unanswered(openedAtMs: number): FinishedRequests {
  return { answers: 0, sends: limits.requestSends, firstTimeoutMs: 1_000, openedAtMs, atMs: undefined };
}

function all(...finished: readonly FinishedRequests[]): Congestion {
  return finished.reduce(afterRequests, initialCongestion);
}

describe('the first timeout', () => {
  test('is a second before anything was measured', () => {
    expect(initialCongestion.timeoutMs).toBe(timing.initialTimeout);
  });

  test('follows the measured round trip as RFC 6298 has it', () => {
    // SRTT = R, RTTVAR = R/2, RTO = SRTT + 4·RTTVAR; then 7/8 and 3/4 of the old.
    expect(all(answered(0, 400)).timeoutMs).toBe(1_200);
    expect(all(answered(0, 400), answered(1_000, 800))).toMatchObject({
      smoothedMs: 450,
      variationMs: 250,
      timeoutMs: 1_450,
    });
  });

  test('is never below 200 ms, nor above 16 s', () => {
    expect(all(answered(0, 3)).timeoutMs).toBe(200);
    expect(all(answered(0, 15_000, 1, 1, timing.maximumTimeout)).timeoutMs).toBe(16_000);
  });

  test('is not measured on an answer that came later than a repetition was due: the clock has jumped meanwhile', () => {
    expect(all(answered(0, 1_090)).smoothedMs).toBe(1_090);
    expect(all(answered(0, 1_110)).smoothedMs).toBeUndefined();
    const before = all(answered(0, 100));
    const after = afterRequests(before, answered(1_000, 3_600_000));
    expect(after).toEqual({ ...before, window: expect.any(Number) });
    expect(after.window).toBeGreaterThan(before.window);
  });

  test('is not measured on a repeated request, which it only backs off (Karn’s rule)', () => {
    const before = all(answered(0, 100));
    const after = afterRequests(before, answered(1_000, 250, 2));
    expect(after.smoothedMs).toBe(before.smoothedMs);
    expect(after.timeoutMs).toBe(2_000);
    expect(afterRequests(after, answered(9_000, 100)).timeoutMs).toBeLessThan(1_000);
  });
});

describe('the congestion window', () => {
  test('starts at ten', () => {
    expect(initialCongestion.window).toBe(10);
  });

  test('grows by about one for each window of answers', () => {
    const { window } = all(...Array.from({ length: 10 }, (_, i) => answered(i, 20)));
    expect(window).toBeGreaterThan(10.9);
    expect(window).toBeLessThan(11.1);
  });

  test('grows by the same for answers that come together', () => {
    const { window } = all(...Array.from({ length: 10 }, (_, i) => answered(i, 20)));
    expect(all(answered(0, 20, 1, 10)).window).toBe(window);
  });

  test('is halved by a loss, once for all that was under way then', () => {
    const halved = all(answered(1_000, 500, 2));
    expect(halved.window).toBe(5);
    expect(afterRequests(halved, answered(1_200, 500, 2)).window).toBe(5);
    expect(afterRequests(halved, answered(2_000, 500, 2)).window).toBe(2.5);
  });

  test('is one after a request that was never answered, and never less', () => {
    expect(all(unanswered(1_000)).window).toBe(1);
    expect(all(unanswered(1_000), answered(2_000, 500, 2), answered(9_000, 500, 2)).window).toBe(1);
  });

  test('is never more than 512', () => {
    let congestion: Congestion = { ...initialCongestion, window: 511.9999 };
    for (let i = 0; i < 1_000; i++) congestion = afterRequests(congestion, answered(i, 20));
    expect(congestion.window).toBe(512);
  });
});
