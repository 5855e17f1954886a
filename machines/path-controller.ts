/**
 * How much a requester asks of one path, and how fast the other side is to answer (protocol §6, §10.1): slow start, pacing, and
 * a controller in the manner of BBR (draft-ietf-ccwg-bbr), which measures the rate and the round trip of the path and which
 * loss alone does not slow. It runs at the requester, since whoever answers keeps no state: a request grants a number of
 * datagrams, and names the gap between them.
 *
 * Pure: time enters as a parameter, in ms with fractions; the state is plain data.
 */
import { afterDelivery, snapshotOf, starved as starvedRate } from './delivery-rate.ts';
import { awaited, lostAt, moreTolerant, type Outstanding, withArrival } from './outstanding.ts';
import { datagramMs, gapUs, paced, servingMs } from './path-allowance.ts';
import { advanced, isEmptierThan, listening } from './path-phases.ts';
import { HEADER_BYTES, type PathController } from './path-state.ts';
import { backedOff, withRoundTrip } from './round-trip.ts';

/** Of the shortest round trip. */
const LATE = 0.75;
/** Datagrams over which their size is smoothed. */
const AVERAGED = 16;

export interface Opened {
  readonly id: number;
  /** How many datagrams may answer. */
  readonly grant: number;
  readonly atMs: number;
}

/** A request goes out. */
export function opened(controller: PathController, { id, grant, atMs }: Opened): PathController {
  const { outstanding } = controller;
  const isIdle = outstanding.length === 0;
  const { state: rate, snapshot } = snapshotOf(controller.rate, atMs, isIdle);
  const request: Outstanding = {
    id,
    expected: grant,
    sentAtMs: atMs,
    isRepeated: false,
    arrived: 0,
    highest: -1,
    arrivedAtMs: undefined,
    overtaken: 0,
    sinceHole: 0,
    snapshot,
  };
  // Whoever has asked for nothing has filled no queue.
  const roundTrip = isIdle ? { ...controller.roundTrip, shortestAtMs: atMs } : controller.roundTrip;
  return { ...paced(controller, grant, atMs), rate, roundTrip, outstanding: [...outstanding, request] };
}

/** The same request goes out once more; it was lost, or has timed out. */
export function repeated(controller: PathController, id: number, atMs: number): PathController {
  const { outstanding } = controller;
  const request = outstanding.find((other) => other.id === id);
  if (request === undefined) return controller;
  const others = outstanding.filter((other) => other !== request);
  const again = { ...request, sentAtMs: atMs, isRepeated: true, overtaken: 0 };
  const lossShare = withLoss(controller.lossShare, request.expected, request.expected);
  return { ...paced(controller, request.expected, atMs), lossShare, outstanding: [...others, again] };
}

/** The requester waits for it no longer: what has not come is lost, was not served, or is not wanted. */
export function closed(controller: PathController, id: number): PathController {
  const request = controller.outstanding.find((other) => other.id === id);
  if (request === undefined) return controller;
  const { expected, arrived } = request;
  const outstanding = controller.outstanding.filter((other) => other !== request);
  return { ...controller, outstanding, lossShare: withLoss(controller.lossShare, expected - arrived, expected) };
}

/** BOUNDED: a path that loses more is asked for no more than that. */
const MOST_LOSS = 0.2;
const LOSS_MEMORY = 256;

function withLoss(share: number, lost: number, asked: number): number {
  const weight = Math.min(1, asked / LOSS_MEMORY);
  return Math.min(MOST_LOSS, share + weight * (lost / asked - share));
}

/** A timeout is over, and the request is repeated. If nothing has come meanwhile, the path may be gone: hardly anything is asked. */
export function timedOut(controller: PathController, id: number, atMs: number): PathController {
  const request = controller.outstanding.find((other) => other.id === id);
  if (request === undefined) return controller;
  const isSilent = controller.isSilent || controller.rate.deliveredAtMs <= request.sentAtMs;
  const roundTrip = backedOff(controller.roundTrip, request.sentAtMs);
  return { ...repeated(controller, id, atMs), roundTrip, isSilent };
}

/** There is nothing more to ask for. */
export function starved(controller: PathController): PathController {
  const bytes = awaited(controller.outstanding) * controller.averageBytes;
  return { ...controller, rate: starvedRate(controller.rate, bytes) };
}

export interface Arrived {
  readonly id: number;
  /** Which datagram of the answer, from 0. The caller drops duplicates. */
  readonly sequence: number;
  readonly isLast: boolean;
  /** Without headers. */
  readonly bytes: number;
  readonly atMs: number;
  /** The request was sent more than once. */
  readonly isRepeated?: boolean;
}

/** A datagram of an answer has come. */
export function arrived(controller: PathController, arrival: Arrived): PathController {
  const { id, sequence, isLast, atMs, bytes } = arrival;
  const index = controller.outstanding.findIndex((other) => other.id === id);
  const request = controller.outstanding[index];
  const size = bytes + HEADER_BYTES;
  const averageBytes = controller.averageBytes + (size - controller.averageBytes) / AVERAGED;
  const heard = { ...controller, averageBytes, isSilent: false };
  // It was given up too early.
  if (request === undefined) return patient(heard);
  const isMeasured = !request.isRepeated && arrival.isRepeated !== true;
  const rate = afterDelivery(controller.rate, {
    bytes: size,
    atMs,
    sentAtMs: request.sentAtMs + (sequence * gapUs(controller)) / 1_000,
    snapshot: isMeasured ? request.snapshot : undefined,
  });
  const outstanding = withArrival(controller.outstanding, index, { sequence, isLast, atMs });
  const isDone = outstanding.length < controller.outstanding.length;
  const lossShare = isDone ? withLoss(controller.lossShare, 0, request.expected) : controller.lossShare;
  // What was granted and not needed may be asked for elsewhere at once.
  const unused = isLast ? Math.max(0, request.expected - sequence - 1) : 0;
  const pacedUntilMs = controller.pacedUntilMs - unused * datagramMs(controller);
  const servedUntilMs = controller.servedUntilMs - unused * servingMs(controller);
  const counted = { ...heard, lossShare, rate, outstanding, pacedUntilMs, servedUntilMs };
  const elapsedMs = atMs - request.sentAtMs;
  const taught = isMeasured && sequence === 0 ? withTrip(counted, elapsedMs, atMs) : counted;
  // So soon after it was repeated only the first send can be answered: it was late, not lost.
  const wasLate = request.isRepeated && elapsedMs < LATE * (controller.roundTrip.shortestMs ?? 0);
  return advanced(wasLate ? patient(taught) : taught, request.snapshot.isStarved, atMs);
}

function withTrip(controller: PathController, elapsedMs: number, atMs: number): PathController {
  const { inRound, phase, heardMs, roundTrip: before } = controller;
  const roundTrip = withRoundTrip(before, elapsedMs, atMs);
  if (roundTrip === before) return controller;
  const { latestMs } = roundTrip;
  const measured = {
    ...controller,
    roundTrip,
    inRound: { count: inRound.count + 1, shortestMs: Math.min(inRound.shortestMs, latestMs) },
    heardMs: phase === 'listening' ? Math.min(heardMs ?? latestMs, latestMs) : heardMs,
  };
  return isEmptierThan(before, controller, latestMs) ? listening(measured, atMs) : measured;
}

/** More reordering is expected from now on. What comes late in one round trip teaches once. */
function patient(controller: PathController): PathController {
  const { round } = controller.rate;
  if (round === controller.patientInRound) return controller;
  return { ...controller, tolerance: moreTolerant(controller.tolerance), patientInRound: round };
}

/** Requests that are to be taken for lost, or whose answers are as complete as they get. */
export function overdue(controller: PathController, atMs: number): readonly Outstanding[] {
  return controller.outstanding.filter(
    (request) => (lostAtMs(controller, request) ?? Number.POSITIVE_INFINITY) <= atMs,
  );
}

/** When there will be such a request; undefined: that depends on what comes. */
export function overdueAtMs(controller: PathController): number | undefined {
  let earliest: number | undefined;
  for (const request of controller.outstanding) {
    const atMs = lostAtMs(controller, request);
    if (atMs !== undefined && (earliest === undefined || atMs < earliest)) earliest = atMs;
  }
  return earliest;
}

function lostAtMs({ tolerance, roundTrip }: PathController, request: Outstanding): number | undefined {
  const { smoothedMs = 0, variationMs, latestMs } = roundTrip;
  const jitterMs = Math.min(4 * variationMs, smoothedMs);
  return lostAt(request, tolerance, { roundTripMs: Math.max(smoothedMs, latestMs), jitterMs });
}
