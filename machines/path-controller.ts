/**
 * How much a requester asks of one path, and how fast the other side is to answer (protocol §6, §10.1): slow start, pacing, and
 * a controller in the manner of BBR (draft-ietf-ccwg-bbr), which measures the rate and the round trip of the path and which
 * loss alone does not slow. It runs at the requester, since whoever answers keeps no state: a request grants a number of
 * datagrams, and names the gap between them.
 *
 * Pure: time enters as a parameter, in ms with fractions; the state is plain data.
 */
import {
  afterDelivery,
  bandwidth,
  type DeliveryRate,
  nothingDelivered,
  snapshotOf,
  starved as starvedRate,
} from './delivery-rate.ts';
import {
  type AllOutstanding,
  awaited,
  initialTolerance,
  lostAt,
  moreTolerant,
  type Outstanding,
  type Tolerance,
  withArrival,
} from './outstanding.ts';
import { backedOff, type RoundTrip, unknownRoundTrip, withRoundTrip } from './round-trip.ts';

export type Phase =
  /** Slow start: as much again in every round trip, until the rate grows no more. */
  | 'starting'
  /** Asks for less, until the queue is empty that starting has filled. */
  | 'draining'
  /** As fast as was measured. */
  | 'cruising'
  /** A little faster, in case there is more to be had. */
  | 'probing'
  /** A little slower, for the queue that probing may have filled. */
  | 'yielding'
  /** Very little for a moment, so that the round trip is measured without a queue. */
  | 'listening';

export interface PathController {
  readonly phase: Phase;
  readonly phaseAtMs: number;
  readonly roundTrip: RoundTrip;
  readonly rate: DeliveryRate;
  readonly outstanding: AllOutstanding;
  readonly tolerance: Tolerance;
  /** The largest rate while starting, and for how many rounds it has not grown by a quarter. */
  readonly plateau: { readonly rate: number; readonly rounds: number; readonly round: number };
  /** Round trips measured in this round: how many, and the shortest. */
  readonly inRound: { readonly count: number; readonly shortestMs: number };
  /** Of a datagram with its headers, smoothed. */
  readonly averageBytes: number;
  /** Until then enough has been asked for. */
  readonly pacedUntilMs: number;
  /** In datagrams, before anything is known of the path. */
  readonly initialWindow: number;
  /** In datagrams: what the receive buffer takes, and no more. */
  readonly largestWindow: number;
  /** A request timed out, and nothing has come since. */
  readonly isSilent: boolean;
}

/** IPv6 and UDP. */
const HEADER_BYTES = 48;
/** RFC 9002 §7.2 and protocol §6. */
const SMALLEST_WINDOW = 2;
/** 2/ln 2 doubles the rate in every round trip, whatever the rate is measured with (draft-ietf-ccwg-bbr §5.3.1). */
const STARTING_GAIN = 2.885;

interface Gains {
  /** Times the measured rate. */
  readonly pace: number;
  /** Times what the path holds, and what may be in its queue beyond that: in square roots of what the path holds, in datagrams. */
  readonly window: number;
  readonly queue: number;
}

const GAINS: Readonly<Record<Phase, Gains>> = {
  starting: { pace: STARTING_GAIN, window: STARTING_GAIN, queue: 0 },
  draining: { pace: 1 / STARTING_GAIN, window: STARTING_GAIN, queue: 0 },
  cruising: { pace: 1.1, window: 1, queue: 1 },
  probing: { pace: 1.25, window: 1.25, queue: 1 },
  yielding: { pace: 0.75, window: 1, queue: 0 },
  listening: { pace: 1, window: 0.5, queue: 0 },
};
const CRUISING_ROUND_TRIPS = 6;
const PLATEAU_ROUNDS = 3;
const PLATEAU_GROWTH = 1.25;
/** How long a measured round trip is believed to be the shortest. */
const ROUND_TRIP_MEMORY_MS = 10_000;
const LISTENING_MS = 200;
/** A round trip so much shorter than the shortest: somebody else listens, so that it is the moment to do so as well. */
const EMPTIER = 0.9;
/** Timers are so late, and requests so far apart, that at least so much must be in flight. */
const TIMER_MS = 2;
/** What a late timer has kept from being asked for is made up for, up to so long. */
const MOST_CREDIT_MS = 5;
const LARGEST_GAP_US = 0xffff;
/** Datagrams that one request may draw: several requests are in flight, so that one that is lost costs a part of a round trip. */
const LARGEST_GRANT = 64;
const REQUESTS_PER_WINDOW = 8;

const NONE_MEASURED = { count: 0, shortestMs: Number.POSITIVE_INFINITY };
/** So many round trips tell a queue from jitter (RFC 9406 §4.2), and so much longer than the shortest they are then. */
const TELLING_COUNT = 8;
const QUEUED = 1.5;
const JITTER_MS = 4;

export interface ControllerOptions {
  readonly initialWindow: number;
  readonly largestWindow: number;
  /** Of the answers, before the first has come. */
  readonly expectedBytes: number;
}

export function openController({ initialWindow, largestWindow, expectedBytes }: ControllerOptions): PathController {
  return {
    phase: 'starting',
    phaseAtMs: 0,
    roundTrip: unknownRoundTrip,
    rate: nothingDelivered,
    outstanding: [],
    tolerance: initialTolerance,
    plateau: { rate: 0, rounds: 0, round: 0 },
    inRound: NONE_MEASURED,
    averageBytes: expectedBytes + HEADER_BYTES,
    pacedUntilMs: Number.NEGATIVE_INFINITY,
    initialWindow,
    largestWindow,
    isSilent: false,
  };
}

export interface Opened {
  readonly id: number;
  /** How many datagrams may answer. */
  readonly grant: number;
  readonly atMs: number;
}

/** A request goes out. */
export function opened(controller: PathController, { id, grant, atMs }: Opened): PathController {
  const { outstanding } = controller;
  const { state: rate, snapshot } = snapshotOf(controller.rate, atMs, outstanding.length === 0);
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
  return { ...paced(controller, grant, atMs), rate, outstanding: [...outstanding, request] };
}

/** The same request goes out once more; it was lost, or has timed out. */
export function repeated(controller: PathController, id: number, atMs: number): PathController {
  const { outstanding } = controller;
  const request = outstanding.find((other) => other.id === id);
  if (request === undefined) return controller;
  const others = outstanding.filter((other) => other !== request);
  const again = { ...request, sentAtMs: atMs, isRepeated: true, overtaken: 0 };
  return { ...paced(controller, request.expected, atMs), outstanding: [...others, again] };
}

/** The requester waits for it no longer: what has not come is lost, was not served, or is not wanted. */
export function closed(controller: PathController, id: number): PathController {
  return { ...controller, outstanding: controller.outstanding.filter((other) => other.id !== id) };
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
}

/** A datagram of an answer has come. */
export function arrived(controller: PathController, { id, sequence, isLast, bytes, atMs }: Arrived): PathController {
  const index = controller.outstanding.findIndex((other) => other.id === id);
  const request = controller.outstanding[index];
  const size = bytes + HEADER_BYTES;
  const averageBytes = controller.averageBytes + (size - controller.averageBytes) / 16;
  const heard = { ...controller, averageBytes, isSilent: false };
  // It was given up too early.
  if (request === undefined) return { ...heard, tolerance: moreTolerant(controller.tolerance) };
  const measurable = !request.isRepeated;
  const gapMs = gapUs(controller) / 1_000;
  const rate = afterDelivery(controller.rate, {
    bytes: size,
    atMs,
    sentAtMs: request.sentAtMs + sequence * gapMs,
    snapshot: measurable ? request.snapshot : undefined,
  });
  const roundTrip =
    measurable && sequence === 0
      ? withRoundTrip(controller.roundTrip, atMs - request.sentAtMs, atMs)
      : controller.roundTrip;
  const inRound =
    roundTrip === controller.roundTrip
      ? controller.inRound
      : {
          count: controller.inRound.count + 1,
          shortestMs: Math.min(controller.inRound.shortestMs, roundTrip.latestMs),
        };
  const unused = isLast ? Math.max(0, request.expected - sequence - 1) : 0;
  const outstanding = withArrival(controller.outstanding, index, { sequence, isLast, atMs });
  // What was granted and not needed may be asked for elsewhere at once.
  const pacedUntilMs = heard.pacedUntilMs - unused * datagramMs(controller);
  const counted = { ...heard, rate, roundTrip, inRound, outstanding, pacedUntilMs };
  const wasKnown = controller.phase !== 'starting' && controller.phase !== 'listening';
  const isEmptier = roundTrip.latestMs < EMPTIER * (controller.roundTrip.shortestMs ?? 0) - 1;
  if (wasKnown && roundTrip !== controller.roundTrip && isEmptier) return listening(counted, atMs);
  return advanced(counted, request.snapshot.isStarved, atMs);
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
  return lostAt(request, tolerance, Math.max(roundTrip.smoothedMs ?? 0, roundTrip.latestMs));
}

/** How many datagrams may be in flight to us. */
export function window(controller: PathController): number {
  const { phase, initialWindow, largestWindow, isSilent, averageBytes, rate } = controller;
  if (isSilent) return SMALLEST_WINDOW;
  const held = heldBytes(controller) / averageBytes;
  const gains = GAINS[phase];
  const sized = gains.window * held + gains.queue * Math.min(2 * Math.sqrt(held), held / 3);
  const isUnknown = phase === 'starting' && (rate.best.length === 0 || rate.delivered < rate.starvedUntil);
  const wanted = isUnknown ? Math.max(initialWindow, sized) : sized;
  const smallest = phase === 'listening' ? 1 : SMALLEST_WINDOW;
  return Math.max(smallest, Math.min(largestWindow, Math.ceil(wanted)));
}

/** How many more may be granted at once, for the window only. */
export function room(controller: PathController): number {
  return Math.max(0, window(controller) - awaited(controller.outstanding));
}

/** How many datagrams the next request may draw, if it is sent now; 0: none may be sent before `nextSendAtMs` or the next answer. */
export function grantAt(controller: PathController, atMs: number): number {
  if (atMs < controller.pacedUntilMs) return 0;
  const fair = Math.max(1, Math.min(LARGEST_GRANT, Math.floor(window(controller) / REQUESTS_PER_WINDOW)));
  const free = room(controller);
  // A request for every datagram that has come would cost more than it asks for.
  return free * 2 >= fair ? Math.min(fair, free) : 0;
}

/** When the pace allows the next request. */
export function nextSendAtMs({ pacedUntilMs }: PathController): number {
  return pacedUntilMs;
}

/** Microseconds between the datagrams of an answer (protocol §10.1). */
export function gapUs(controller: PathController): number {
  return Math.min(LARGEST_GAP_US, Math.round(datagramMs(controller) * 1_000));
}

/** At the pace of the path one datagram takes so long; 0: as fast as may be. */
function datagramMs(controller: PathController): number {
  const { averageBytes, initialWindow, phase, rate, roundTrip } = controller;
  const bytesPerMs = bandwidth(rate);
  if (bytesPerMs > 0) return averageBytes / (GAINS[phase].pace * bytesPerMs);
  const { smoothedMs } = roundTrip;
  return smoothedMs === undefined ? 0 : smoothedMs / (initialWindow * STARTING_GAIN);
}

function paced(controller: PathController, grant: number, atMs: number): PathController {
  const sinceMs = Math.max(controller.pacedUntilMs, atMs - MOST_CREDIT_MS);
  return { ...controller, pacedUntilMs: sinceMs + grant * datagramMs(controller) };
}

/** What the path itself holds, without any queue: rate times round trip. */
function heldBytes({ rate, roundTrip }: PathController): number {
  return bandwidth(rate) * Math.max(TIMER_MS, roundTrip.shortestMs ?? 0);
}

function enter(controller: PathController, phase: Phase, atMs: number): PathController {
  return { ...controller, phase, phaseAtMs: atMs };
}

/** The shortest round trip is measured anew. */
function listening(controller: PathController, atMs: number): PathController {
  const { roundTrip } = controller;
  const restarted = { ...roundTrip, shortestMs: roundTrip.latestMs, shortestAtMs: atMs };
  return { ...enter(controller, 'listening', atMs), roundTrip: restarted };
}

/** Goes on to the next phase if it is time. */
function advanced(controller: PathController, isStarved: boolean, atMs: number): PathController {
  const { phase, phaseAtMs, roundTrip, outstanding, averageBytes } = controller;
  const shortestMs = Math.max(TIMER_MS, roundTrip.shortestMs ?? 0);
  const elapsedMs = atMs - phaseAtMs;
  const inFlight = awaited(outstanding) * averageBytes;
  const held = heldBytes(controller);
  const isStale = atMs - roundTrip.shortestAtMs > ROUND_TRIP_MEMORY_MS;
  if (phase !== 'starting' && phase !== 'listening' && isStale) return listening(controller, atMs);
  switch (phase) {
    case 'starting':
      return afterRound(controller, isStarved, atMs);
    case 'draining':
      return inFlight <= held || elapsedMs > 4 * shortestMs ? enter(controller, 'cruising', atMs) : controller;
    case 'cruising':
      return elapsedMs > CRUISING_ROUND_TRIPS * shortestMs ? enter(controller, 'probing', atMs) : controller;
    case 'probing':
      return elapsedMs > shortestMs && (inFlight >= GAINS.probing.pace * held || elapsedMs > 2 * shortestMs)
        ? enter(controller, 'yielding', atMs)
        : controller;
    case 'yielding':
      return inFlight <= held || elapsedMs > shortestMs ? enter(controller, 'cruising', atMs) : controller;
    case 'listening':
      return elapsedMs > LISTENING_MS + shortestMs
        ? enter({ ...controller, roundTrip: { ...roundTrip, shortestAtMs: atMs } }, 'cruising', atMs)
        : controller;
  }
}

/** The path is full once the rate has not grown by a quarter for three rounds, or a queue has grown. */
function afterRound(controller: PathController, isStarved: boolean, atMs: number): PathController {
  const { plateau, rate, inRound, roundTrip } = controller;
  if (rate.round === plateau.round) return controller;
  const { round } = rate;
  const isQueued =
    inRound.count >= TELLING_COUNT && inRound.shortestMs > QUEUED * (roundTrip.shortestMs ?? 0) + JITTER_MS;
  if (isQueued) return enter(controller, 'draining', atMs);
  const next = { ...controller, inRound: NONE_MEASURED };
  if (isStarved) return { ...next, plateau: { ...plateau, round } };
  const best = bandwidth(rate);
  if (best >= PLATEAU_GROWTH * plateau.rate) return { ...next, plateau: { rate: best, rounds: 0, round } };
  const rounds = plateau.rounds + 1;
  const counted = { ...next, plateau: { ...plateau, rounds, round } };
  return rounds < PLATEAU_ROUNDS ? counted : enter(counted, 'draining', atMs);
}
