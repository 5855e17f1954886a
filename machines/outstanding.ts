/**
 * Requests whose answers are awaited, in the order in which they were sent, and which of them must have been lost because
 * later ones are answered already (RFC 9002 §6.1). A request may be answered by several datagrams, numbered from 0.
 */
import type { Snapshot } from './delivery-rate.ts';

export interface Outstanding {
  readonly id: number;
  /** How many datagrams may answer; once the last one has come, how many there are. */
  readonly expected: number;
  readonly sentAtMs: number;
  /** Sent more than once: nobody knows which send is answered (Karn's rule). */
  readonly isRepeated: boolean;
  /** Different datagrams of the answer that have come. */
  readonly arrived: number;
  /** The largest sequence among them; -1: none has come. */
  readonly highest: number;
  /** When the latest of them came. */
  readonly arrivedAtMs: number | undefined;
  /** Datagrams of later requests that have come since this one was sent. */
  readonly overtaken: number;
  /** Datagrams of this answer that have come behind the last one that is missing. */
  readonly sinceHole: number;
  /** What had been delivered when the request was sent. */
  readonly snapshot: Snapshot;
}

/** BOUNDED: by the window, since each awaits one datagram at least. */
export type AllOutstanding = readonly Outstanding[];

/** How much reordering is taken for loss. It grows when what was taken for lost arrives after all. */
export interface Tolerance {
  /** Datagrams. RFC 9002 §6.1.1: 3. */
  readonly datagrams: number;
  /** Round trips. RFC 9002 §6.1.2: 9/8. */
  readonly roundTrips: number;
}

export const initialTolerance: Tolerance = { datagrams: 3, roundTrips: 9 / 8 };
const MOST_DATAGRAMS = 96;
const MOST_ROUND_TRIPS = 2;

/** Something was taken for lost that was only late. */
export function moreTolerant({ datagrams, roundTrips }: Tolerance): Tolerance {
  return {
    datagrams: Math.min(MOST_DATAGRAMS, 2 * datagrams),
    roundTrips: Math.min(MOST_ROUND_TRIPS, roundTrips + 1 / 8),
  };
}

/** Datagrams that are still to come. */
export function awaited(all: AllOutstanding): number {
  let sum = 0;
  for (const { expected, arrived } of all) sum += expected - arrived;
  return sum;
}

export interface Arrival {
  readonly sequence: number;
  /** No datagram of this answer has a larger sequence. */
  readonly isLast: boolean;
  readonly atMs: number;
}

/** A datagram of the answer to the request at this index has come. A request that is answered as a whole is gone. */
export function withArrival(all: AllOutstanding, index: number, arrival: Arrival): AllOutstanding {
  const request = all[index];
  if (request === undefined) return all;
  const updated = afterArrival(request, arrival);
  const isDone = updated.arrived >= updated.expected;
  if (index === 0) return isDone ? all.slice(1) : [updated, ...all.slice(1)];
  const earlier = all.slice(0, index).map((other) => ({ ...other, overtaken: other.overtaken + 1 }));
  return [...earlier, ...(isDone ? [] : [updated]), ...all.slice(index + 1)];
}

function afterArrival(request: Outstanding, { sequence, isLast, atMs }: Arrival): Outstanding {
  const { expected, highest } = request;
  const arrived = request.arrived + 1;
  return {
    ...request,
    expected: isLast ? Math.max(sequence + 1, arrived) : Math.max(expected, arrived),
    arrived,
    highest: Math.max(highest, sequence),
    arrivedAtMs: atMs,
    sinceHole: sinceHole(request, sequence),
  };
}

function sinceHole({ arrived, highest, sinceHole }: Outstanding, sequence: number): number {
  if (sequence > highest + 1) return 1;
  const hasHoles = arrived <= highest;
  return hasHoles && sequence > highest ? sinceHole + 1 : sinceHole;
}

/** What the path is like, ms. */
export interface Patience {
  readonly roundTripMs: number;
  /** How much later than that an answer may come without being lost. */
  readonly jitterMs: number;
}

/** When the request is to be taken for lost, or its answer for as complete as it gets; undefined if only its timeout can tell. */
export function lostAt(request: Outstanding, tolerance: Tolerance, { roundTripMs, jitterMs }: Patience) {
  const { highest, expected, overtaken, sentAtMs, arrivedAtMs } = request;
  // While the end of an answer is still to come, a hole in it is no hurry.
  const later = overtaken + (highest + 1 >= expected ? request.sinceHole : 0);
  if (later === 0) return undefined;
  const soonestMs = sentAtMs + roundTripMs + jitterMs;
  if (later >= tolerance.datagrams) return soonestMs;
  return Math.max(soonestMs, (arrivedAtMs ?? sentAtMs) + tolerance.roundTrips * roundTripMs);
}
