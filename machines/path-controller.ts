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
import { timing } from './timing.ts';

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
  /** When it last began to listen. */
  readonly listenedAtMs: number;
  /** The shortest round trip since then. */
  readonly heardMs: number | undefined;
  readonly rate: DeliveryRate;
  readonly outstanding: AllOutstanding;
  readonly tolerance: Tolerance;
  /** The largest rate while starting, and for how many rounds it has not grown by a quarter. */
  readonly plateau: { readonly rate: number; readonly rounds: number; readonly round: number };
  /** Round trips measured in this round: how many, and the shortest. */
  readonly inRound: { readonly count: number; readonly shortestMs: number };
  /** Which part of what was asked for is lost, smoothed. */
  readonly lossShare: number;
  /** Of a datagram with its headers, smoothed. */
  readonly averageBytes: number;
  /** Until then enough has been asked for. */
  readonly pacedUntilMs: number;
  /** In datagrams, before anything is known of the path: until the first answer, and from then on unless answers take long. */
  readonly firstWindow: number;
  readonly initialWindow: number;
  /** In datagrams: what the receive buffer takes, and no more. */
  readonly largestWindow: number;
  /** A request timed out, and nothing has come since. */
  readonly isSilent: boolean;
}

/** IPv6 and UDP. */
const HEADER_BYTES = 48;
/** Of the shortest round trip. */
const LATE = 0.75;
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
const QUEUE_ROOT = 1.25;
const CRUISING_ROUND_TRIPS = 6;
const PLATEAU_ROUNDS = 3;
const PLATEAU_GROWTH = 1.25;
/**
 * At every multiple of it all paths of this machine listen that see a queue: only if all do so at once is it empty. Machines
 * whose clocks are right listen together as well.
 */
const LISTENING_INTERVAL_MS = 5_000;
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

const NONE_MEASURED = { count: 0, shortestMs: timing.maximumTimeout };
/** So many round trips tell a queue from jitter (RFC 9406 §4.2), and so much longer than the shortest they are then. */
const TELLING_COUNT = 8;
const QUEUED = 1.5;
const JITTER_MS = 4;

export interface ControllerOptions {
  readonly firstWindow: number;
  readonly initialWindow: number;
  readonly largestWindow: number;
  /** Of the answers, before the first has come. */
  readonly expectedBytes: number;
}

export function openController({
  firstWindow,
  initialWindow,
  largestWindow,
  expectedBytes,
}: ControllerOptions): PathController {
  return {
    phase: 'starting',
    phaseAtMs: 0,
    roundTrip: unknownRoundTrip,
    listenedAtMs: 0,
    heardMs: undefined,
    rate: nothingDelivered,
    outstanding: [],
    tolerance: initialTolerance,
    plateau: { rate: 0, rounds: 0, round: 0 },
    inRound: NONE_MEASURED,
    lossShare: 0,
    averageBytes: expectedBytes + HEADER_BYTES,
    pacedUntilMs: 0,
    firstWindow,
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
  const { id, sequence, isLast, bytes, atMs, isRepeated = false } = arrival;
  const index = controller.outstanding.findIndex((other) => other.id === id);
  const request = controller.outstanding[index];
  const size = bytes + HEADER_BYTES;
  const averageBytes = controller.averageBytes + (size - controller.averageBytes) / 16;
  const heard = { ...controller, averageBytes, isSilent: false };
  // It was given up too early.
  if (request === undefined) return { ...heard, tolerance: moreTolerant(controller.tolerance) };
  const measurable = !request.isRepeated && !isRepeated;
  const { shortestMs = 0 } = controller.roundTrip;
  // So soon after it was repeated only the first send can be answered: it was late, not lost.
  const wasLate = request.isRepeated && atMs - request.sentAtMs < LATE * shortestMs;
  const tolerance = wasLate ? moreTolerant(controller.tolerance) : controller.tolerance;
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
  const isHeard = roundTrip !== controller.roundTrip && controller.phase === 'listening';
  const heardMs = isHeard ? Math.min(controller.heardMs ?? roundTrip.latestMs, roundTrip.latestMs) : controller.heardMs;
  const unused = isLast ? Math.max(0, request.expected - sequence - 1) : 0;
  const outstanding = withArrival(controller.outstanding, index, { sequence, isLast, atMs });
  const isDone = outstanding.length < controller.outstanding.length;
  const lossShare = isDone ? withLoss(controller.lossShare, 0, request.expected) : controller.lossShare;
  // What was granted and not needed may be asked for elsewhere at once.
  const pacedUntilMs = heard.pacedUntilMs - unused * datagramMs(controller);
  const counted = { ...heard, tolerance, lossShare, heardMs, rate, roundTrip, inRound, outstanding, pacedUntilMs };
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
  const { phase, largestWindow, isSilent, averageBytes, lossShare } = controller;
  if (isSilent) return SMALLEST_WINDOW;
  const held = heldBytes(controller) / averageBytes;
  const gains = GAINS[phase];
  // Granted, but not on the way: what was lost and is not noticed yet, and half of what the latest request may draw.
  const idle = (9 / 8) * lossShare + 1 / (2 * REQUESTS_PER_WINDOW);
  const sized = gains.window * held * (1 + idle) + gains.queue * QUEUE_ROOT * Math.sqrt(held);
  const wanted = phase === 'starting' ? Math.max(startingWindow(controller), sized) : sized;
  const smallest = phase === 'listening' ? 1 : SMALLEST_WINDOW;
  return Math.max(smallest, Math.min(largestWindow, Math.floor(wanted)));
}

/** Whoever needs a second for an answer does one thing at a time, and is not to be flooded. */
const SLOW_MS = 1_000;

function startingWindow({ firstWindow, initialWindow, rate, roundTrip }: PathController): number {
  const isSlow = (roundTrip.smoothedMs ?? 0) >= SLOW_MS;
  return rate.delivered === 0 || isSlow ? firstWindow : initialWindow;
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

/** How many requests for one datagram each may be sent now. What is less than a timer's exactness apart may go together. */
export function requestsAt(controller: PathController, atMs: number): number {
  const gapMs = datagramMs(controller);
  const sinceMs = Math.max(controller.pacedUntilMs, atMs - MOST_CREDIT_MS);
  const inPace = gapMs === 0 ? Number.POSITIVE_INFINITY : Math.ceil((atMs + TIMER_MS / 2 - sinceMs) / gapMs);
  return Math.max(0, Math.min(room(controller), inPace));
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
  const { averageBytes, phase, rate, roundTrip } = controller;
  const bytesPerMs = bandwidth(rate);
  if (bytesPerMs > 0) return averageBytes / (GAINS[phase].pace * bytesPerMs);
  const { smoothedMs } = roundTrip;
  return smoothedMs === undefined ? 0 : smoothedMs / (startingWindow(controller) * STARTING_GAIN);
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

/** The shortest round trip has not been seen of late, as if there were a queue, and it is the moment at which all paths of this machine listen. */
function isToListen({ roundTrip, listenedAtMs }: PathController, atMs: number): boolean {
  if (Math.floor(atMs / LISTENING_INTERVAL_MS) <= Math.floor(listenedAtMs / LISTENING_INTERVAL_MS)) return false;
  return atMs - roundTrip.shortestAtMs > LISTENING_INTERVAL_MS / 2;
}

/** The shortest round trip is measured anew. What it was believed to be sets the window meanwhile. */
function listening(controller: PathController, atMs: number): PathController {
  return { ...enter(controller, 'listening', atMs), listenedAtMs: atMs, heardMs: undefined };
}

function afterListening(controller: PathController, atMs: number): PathController {
  const { roundTrip, heardMs } = controller;
  const shortestMs = heardMs ?? roundTrip.latestMs;
  return { ...enter(controller, 'cruising', atMs), roundTrip: { ...roundTrip, shortestMs, shortestAtMs: atMs } };
}

/** Goes on to the next phase if it is time. */
function advanced(controller: PathController, isStarved: boolean, atMs: number): PathController {
  const { phase, phaseAtMs, roundTrip, outstanding, averageBytes } = controller;
  const shortestMs = Math.max(TIMER_MS, roundTrip.shortestMs ?? 0);
  const elapsedMs = atMs - phaseAtMs;
  const inFlight = awaited(outstanding) * averageBytes;
  const held = heldBytes(controller);
  if (phase !== 'starting' && phase !== 'listening' && isToListen(controller, atMs)) return listening(controller, atMs);
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
      return elapsedMs > LISTENING_MS + 2 * shortestMs ? afterListening(controller, atMs) : controller;
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
