/** What a controller knows of its path, and how it begins; plain data. */
import { bandwidth, type DeliveryRate, nothingDelivered } from './delivery-rate.ts';
import { type AllOutstanding, initialTolerance, type Tolerance } from './outstanding.ts';
import { type RoundTrip, unknownRoundTrip } from './round-trip.ts';
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
  /** The round in which it last grew. */
  readonly patientInRound: number;
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
  /** When whoever serves nodes in bulk has sent what it was asked for so far, if it is as slow as it may be. */
  readonly servedUntilMs: number;
  /** In datagrams, before anything is known of the path: until the first answer, and from then on unless answers take long. */
  readonly firstWindow: number;
  readonly initialWindow: number;
  /** In datagrams: what the receive buffer takes, and no more. */
  readonly largestWindow: number;
  /** It does not leave this machine. */
  readonly isLocal: boolean;
  /** A request timed out, and nothing has come since. */
  readonly isSilent: boolean;
}

/** IPv6 and UDP. */
export const HEADER_BYTES = 48;
/** 2/ln 2 doubles the rate in every round trip, whatever the rate is measured with (draft-ietf-ccwg-bbr §5.3.1). */
const STARTING_GAIN = 2.885;

interface Gains {
  /** Times the measured rate. */
  readonly pace: number;
  /** Times what the path holds, and what may be in its queue beyond that: in square roots of what the path holds, in datagrams. */
  readonly window: number;
  readonly queue: number;
}

export const GAINS: Readonly<Record<Phase, Gains>> = {
  starting: { pace: STARTING_GAIN, window: STARTING_GAIN, queue: 0 },
  draining: { pace: 1 / STARTING_GAIN, window: STARTING_GAIN, queue: 0 },
  cruising: { pace: 1.1, window: 1, queue: 1 },
  probing: { pace: 1.25, window: 1.25, queue: 1 },
  yielding: { pace: 0.75, window: 1, queue: 0 },
  listening: { pace: 1, window: 0.5, queue: 0 },
};
export const NONE_MEASURED = { count: 0, shortestMs: timing.maximumTimeout };
/** Timers are so late, and requests so far apart, that at least so much must be in flight. */
export const TIMER_MS = 2;

export interface ControllerOptions {
  readonly firstWindow: number;
  readonly initialWindow: number;
  readonly largestWindow: number;
  /** Of the answers, before the first has come. */
  readonly expectedBytes: number;
  readonly isLocal?: boolean;
}

export function openController({
  firstWindow,
  initialWindow,
  largestWindow,
  expectedBytes,
  isLocal = false,
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
    patientInRound: -1,
    plateau: { rate: 0, rounds: 0, round: 0 },
    inRound: NONE_MEASURED,
    lossShare: 0,
    averageBytes: expectedBytes + HEADER_BYTES,
    pacedUntilMs: 0,
    servedUntilMs: 0,
    firstWindow,
    initialWindow,
    largestWindow,
    isLocal,
    isSilent: false,
  };
}

/** What the path itself holds, without any queue: rate times round trip. */
export function heldBytes({ rate, roundTrip }: PathController): number {
  return bandwidth(rate) * Math.max(TIMER_MS, roundTrip.shortestMs ?? 0);
}
