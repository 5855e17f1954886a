/**
 * How fast a path delivers: bytes that came, over the time in which they came (draft-ietf-ccwg-bbr §4.1, delivery rate
 * samples), and the largest such rate of the last rounds.
 */

/** Bytes a millisecond. */
export type Rate = number;

export interface DeliveryRate {
  /** Bytes that have come, headers included. */
  readonly delivered: number;
  /** When the latest of them came. */
  readonly deliveredAtMs: number;
  /** When the request was sent whose answer came latest. */
  readonly firstSentAtMs: number;
  /** Counted round trips: one is over when something is answered that was sent after it began. */
  readonly round: number;
  /** It is over once something is answered that was sent when so much had been delivered. */
  readonly roundEnd: number;
  /** Candidates for the largest rate, falling. BOUNDED: one a round, of `ROUNDS_REMEMBERED`. */
  readonly best: readonly { readonly rate: Rate; readonly round: number }[];
  /** Until so much is delivered, the rate tells how little was asked for, not what the path can do. */
  readonly starvedUntil: number;
}

/** What had been delivered when a request was sent. */
export interface Snapshot {
  readonly delivered: number;
  readonly deliveredAtMs: number;
  readonly firstSentAtMs: number;
  readonly isStarved: boolean;
}

/** A cycle of the controller has eight rounds: the largest rate is always seen. */
const ROUNDS_REMEMBERED = 10;
/** Times in events are whole milliseconds: nothing shorter can be measured. */
export const SHORTEST_MS = 1;

export const nothingDelivered: DeliveryRate = {
  delivered: 0,
  deliveredAtMs: 0,
  firstSentAtMs: 0,
  round: 0,
  roundEnd: 0,
  best: [],
  starvedUntil: 0,
};

export function snapshotOf(
  state: DeliveryRate,
  atMs: number,
  isIdle: boolean,
): { state: DeliveryRate; snapshot: Snapshot } {
  // Nothing is in flight: the time without any work does not count.
  const current = isIdle ? { ...state, deliveredAtMs: atMs, firstSentAtMs: atMs } : state;
  const { delivered, deliveredAtMs, firstSentAtMs, starvedUntil } = current;
  return { state: current, snapshot: { delivered, deliveredAtMs, firstSentAtMs, isStarved: delivered < starvedUntil } };
}

export interface Delivery {
  readonly bytes: number;
  readonly atMs: number;
  /** When this datagram was due to be sent, seen from here: what is paced comes apart by so much. */
  readonly sentAtMs: number;
  /** Undefined: nobody knows which send is answered, so no rate is measured. */
  readonly snapshot: Snapshot | undefined;
}

export function afterDelivery(state: DeliveryRate, { bytes, atMs, sentAtMs, snapshot }: Delivery): DeliveryRate {
  const delivered = state.delivered + bytes;
  const counted = { ...state, delivered, deliveredAtMs: atMs };
  if (snapshot === undefined) return counted;
  const isNewRound = snapshot.delivered >= state.roundEnd;
  const round = isNewRound ? state.round + 1 : state.round;
  const elapsedMs = Math.max(SHORTEST_MS, atMs - snapshot.deliveredAtMs, sentAtMs - snapshot.firstSentAtMs);
  const rate = (delivered - snapshot.delivered) / elapsedMs;
  const counts = !snapshot.isStarved || rate >= bandwidth(state);
  return {
    ...counted,
    firstSentAtMs: sentAtMs,
    round,
    roundEnd: isNewRound ? delivered : state.roundEnd,
    best: counts ? withRate(state.best, rate, round) : state.best,
  };
}

function withRate(best: DeliveryRate['best'], rate: Rate, round: number): DeliveryRate['best'] {
  const kept = best.filter((other) => other.rate > rate && other.round > round - ROUNDS_REMEMBERED);
  return [...kept, { rate, round }];
}

/** Bytes a millisecond that the path can deliver; 0: not known yet. */
export function bandwidth({ best }: DeliveryRate): Rate {
  return best[0]?.rate ?? 0;
}

/** Nothing more to ask for: what comes now says nothing of what the path could deliver. */
export function starved(state: DeliveryRate, awaitedBytes: number): DeliveryRate {
  return { ...state, starvedUntil: state.delivered + Math.max(1, awaitedBytes) };
}
