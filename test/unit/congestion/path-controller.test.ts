/** The controller of a path, datagram by datagram. */
import { describe, expect, test } from 'vitest';
import { bandwidth } from '../../../machines/delivery-rate.ts';
import { awaited } from '../../../machines/outstanding.ts';
import { gapUs, queued, requestsAt, room, takenOn, window } from '../../../machines/path-allowance.ts';
import {
  arrived,
  closed,
  opened,
  overdue,
  overdueAtMs,
  repeated,
  timedOut,
} from '../../../machines/path-controller.ts';
import { openController, type PathController } from '../../../machines/path-state.ts';
import { withRoundTrip } from '../../../machines/round-trip.ts';

const fresh = (firstWindow = 10) =>
  openController({ firstWindow, initialWindow: 10, largestWindow: 512, expectedBytes: 250 });

const ask = (controller: PathController, id: number, atMs: number, grant = 1) =>
  opened(controller, { id, grant, atMs });
const answer = (controller: PathController, id: number, atMs: number) =>
  arrived(controller, { id, sequence: 0, isLast: true, bytes: 250, atMs });

/** Rounds of plain requests, as many as the window and the pace allow, each answered after `roundTripMs`. */
function rounds(controller: PathController, roundTripMs: number, untilMs: number): PathController {
  const due: { readonly id: number; readonly atMs: number }[] = [];
  let now = controller;
  let id = 0;
  for (let atMs = 0; atMs < untilMs; atMs++) {
    while (due[0] !== undefined && due[0].atMs <= atMs) now = answer(now, (due.shift() as { id: number }).id, atMs);
    for (let free = requestsAt(now, atMs); free > 0; free--) {
      due.push({ id, atMs: atMs + roundTripMs });
      now = ask(now, id++, atMs);
    }
  }
  return now;
}

describe('the window', () => {
  test('is 2 requests for somebody who has not answered yet, then 10', () => {
    expect(window(fresh(2))).toBe(2);
    expect(window(answer(ask(fresh(2), 1, 0), 1, 40))).toBeGreaterThanOrEqual(3);
    expect(window(answer(ask(fresh(10), 1, 0), 1, 40))).toBe(10);
  });

  test('stays small for somebody who needs seconds for an answer, one after the other', () => {
    // The timeout has doubled until an answer came within it.
    const waiting = { ...fresh(2), roundTrip: { ...fresh(2).roundTrip, timeoutMs: 8_000 } };
    let [now, nextId, mostInFlight] = [waiting as PathController, 0, 0];
    const open: number[] = [];
    for (let atMs = 0; atMs < 120_000; atMs += 2_000) {
      const oldest = open.shift();
      if (oldest !== undefined) now = answer(now, oldest, atMs);
      for (let free = requestsAt(now, atMs); free > 0; free--) {
        open.push(nextId);
        now = ask(now, nextId++, atMs);
      }
      mostInFlight = Math.max(mostInFlight, open.length);
    }
    expect(mostInFlight).toBeLessThanOrEqual(5);
    expect(nextId).toBeGreaterThan(50);
  });

  test('doubles in every round trip while all is answered, more or less', () => {
    const windowAt = (trips: number) => window(rounds(fresh(), 50, 50 * trips));
    expect(windowAt(4)).toBeGreaterThanOrEqual(3.5 * windowAt(2));
    expect(windowAt(5)).toBeGreaterThanOrEqual(3.5 * windowAt(3));
  });

  test('is never more than the largest', () => {
    const now = rounds(fresh(), 50, 2_000);
    expect(window(now)).toBe(512);
    expect(awaited(now.outstanding)).toBeLessThanOrEqual(512);
  });

  test('is 2 after a timeout without any answer, and as before with the next answer', () => {
    const before = rounds(fresh(), 50, 300);
    const { id, sentAtMs } = before.outstanding.at(-1) as { id: number; sentAtMs: number };
    const silent = timedOut(before, id, sentAtMs + 10_000);
    expect(window(silent)).toBe(2);
    expect(room(silent)).toBe(0);
    expect(window(answer(silent, before.outstanding[0]?.id as number, 10_100))).toBeGreaterThan(20);
  });

  test('is 240 on a path whose round trip is too short to measure, and nothing is paced there', () => {
    const near = answer(ask(fresh(), 1, 0), 1, 1);
    expect(window(near)).toBe(240);
    expect(gapUs(near)).toBe(0);
    expect(window({ ...near, largestWindow: 60 })).toBe(60);
    expect(window(answer(ask(fresh(), 1, 0), 1, 3))).toBe(10);
  });

  test('is as large within this machine, however long its programs take to answer', () => {
    const local = answer(ask({ ...fresh(), isLocal: true }, 1, 0), 1, 30);
    expect(window(local)).toBe(240);
    expect(gapUs(local)).toBe(0);
    expect(window({ ...local, phase: 'listening' })).toBe(240);
  });

  test('is small on a near path that listens: what waits behind much else would tell nothing of the path', () => {
    const near = answer(ask(fresh(), 1, 0), 1, 1);
    expect(window({ ...near, phase: 'listening' })).toBeLessThanOrEqual(2);
  });

  test('does not shrink by loss', () => {
    const before = rounds(fresh(), 50, 400);
    const lost = before.outstanding.slice(0, 40).reduce((now, { id }) => repeated(now, id, 410), before);
    expect(window(lost)).toBeGreaterThanOrEqual(window(before));
  });
});

describe('the pace', () => {
  test('is a little above the rate at which answers come, once that is known', () => {
    let now = fresh();
    for (let id = 0; id < 4_000; id++) {
      // Ten a millisecond at most, and what was asked for 50 ms ago.
      if (id >= 200) now = answer(now, id - 200, Math.floor(id / 4));
      now = ask(now, id, Math.floor(id / 4));
    }
    expect(bandwidth(now.rate)).toBeGreaterThan(4 * 298 * 0.9);
    expect(bandwidth(now.rate)).toBeLessThan(4 * 298 * 1.1);
    expect(gapUs(now)).toBeLessThan(300);
  });

  test('lets a datagram be asked for only when its time has come', () => {
    const now = rounds(fresh(), 50, 130);
    let [paced, id] = [now, 100_000];
    while (requestsAt(paced, 130) > 0) paced = ask(paced, id++, 130);
    const open = id - 100_000;
    expect(open).toBeLessThan(room(now));
    expect(requestsAt(paced, 140)).toBeGreaterThan(0);
  });
});

describe('loss', () => {
  const five = [1, 2, 3, 4, 5].reduce((now, id) => ask(now, id, 0), fresh());

  test('is noticed by later answers; what is repeated is under way again', () => {
    const overtaken = [2, 3, 4].reduce((now, id) => answer(now, id, 40), five);
    // Answers may be late by as much as they vary, a round trip at most.
    expect(overdue(overtaken, 79)).toEqual([]);
    expect(overdue(overtaken, 80).map(({ id }) => id)).toEqual([1]);
    const again = repeated(overtaken, 1, 80);
    expect(overdue(again, 80)).toEqual([]);
    expect(again.outstanding.map(({ id }) => id)).toEqual([5, 1]);
  });

  test('is noticed after 9/8 of a round trip, if only one answer has come since', () => {
    const steady = { ...five, roundTrip: withRoundTrip(withRoundTrip(five.roundTrip, 40, 0), 40, 0) };
    const calm = { ...steady, roundTrip: { ...steady.roundTrip, variationMs: 0 } };
    const overtaken = answer(calm, 2, 40);
    expect(overdue(overtaken, 40)).toEqual([]);
    expect(overdueAtMs(overtaken)).toBe(45);
    expect(overdue(overtaken, 45).map(({ id }) => id)).toEqual([1]);
  });

  test('that was none is noticed, too: the answer comes sooner than one to the repetition could', () => {
    const again = repeated(
      [2, 3, 4].reduce((now, id) => answer(now, id, 40), five),
      1,
      40,
    );
    expect(answer(again, 1, 45).tolerance.datagrams).toBe(6);
    expect(answer(again, 1, 81).tolerance.datagrams).toBe(3);
  });

  test('of a repeated request tells neither rate nor round trip (Karn’s rule)', () => {
    const again = repeated(answer(five, 2, 40), 1, 60);
    const after = answer(again, 1, 500);
    expect(after.roundTrip).toBe(again.roundTrip);
    expect(after.rate.best).toEqual(again.rate.best);
  });
});

test('what is given up frees the window', () => {
  const full = ask(fresh(), 1, 0, 10);
  expect(room(full)).toBe(0);
  expect(room(closed(full, 1))).toBe(10);
});

test('a datagram of a request that was given up is counted, and makes it more patient', () => {
  const late = answer(closed(ask(fresh(), 1, 0), 1), 1, 30);
  expect(late.tolerance.datagrams).toBe(6);
  expect(late.outstanding).toEqual([]);
});

test('it is plain data: what was written down and read again goes on as before', () => {
  const now = rounds(fresh(), 50, 300);
  const read = JSON.parse(JSON.stringify(now)) as PathController;
  expect(answer(read, now.outstanding[0]?.id as number, 300)).toEqual(
    answer(now, now.outstanding[0]?.id as number, 300),
  );
});

describe('what is asked for in bulk', () => {
  const bulk = (controller: PathController, id: number, atMs: number, grant: number) =>
    queued(ask(controller, id, atMs, grant), grant, atMs);

  test('is no more at once than whoever serves takes on for one address, and more only as that is sent', () => {
    const asked = bulk(bulk(fresh(), 1, 0, 100), 2, 0, 100);
    expect(takenOn(fresh(), 0)).toBe(240);
    expect(takenOn(asked, 0)).toBe(40);
    expect(takenOn(bulk(asked, 3, 0, 40), 0)).toBe(0);
    // A burst of 16 goes with each millisecond, or fewer: the path decides.
    expect(takenOn(asked, 5)).toBe(120);
    expect(takenOn(asked, 1_000)).toBe(240);
  });

  test('waits nowhere once all of it has come, however long that was to take', () => {
    const asked = bulk(fresh(), 1, 0, 200);
    expect(takenOn(answer(asked, 1, 1), 1)).toBe(240);
  });
});
