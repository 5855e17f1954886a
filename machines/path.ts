/**
 * A path: one address of a peer, with what was learnt about the way there (protocol §5). A session runs over one path at a
 * time, and moves to another only when that one no longer answers.
 */
import type { PublicKey } from '../src/identity/public-key.ts';
import { isLoopback, type SocketAddress } from '../src/wire/socket-address.ts';
import type { Harvest } from './bulk-answer.ts';
import type { Sockets } from './events.ts';
import { arrived, closed } from './path-controller.ts';
import { openController, type PathController } from './path-state.ts';
import type { RequestEnded } from './request-context.ts';
import { backedOff, withoutBackoff, withRoundTrip } from './round-trip.ts';
import { limits, timing } from './timing.ts';

export interface Path {
  readonly address: SocketAddress;
  /** Under which a Hello of ours was answered there; undefined: nothing signed had to verify. */
  readonly key: PublicKey | undefined;
  /** When our last Hello was answered there. */
  readonly openedAtMs: number;
  /** How much is asked of it, and when. It knows GetDatum by the number of its slot. */
  readonly controller: PathController;
  /** How many answers have come from there. */
  readonly heard: number;
  /** Ids of our latest Hello that was answered there. Bounded: three. */
  readonly provenBy: readonly number[];
}

/** A Datum with a message of usual length. */
const EXPECTED_BYTES = 250;

/** What the system takes of its buffer for a datagram, however small it is. */
const BUFFER_BYTES_PER_DATAGRAM = 2_304;

/** No more than the receive buffer takes, if that is known, while this process is busy. */
function largestWindow(receiveBufferBytes = Number.POSITIVE_INFINITY): number {
  return Math.max(
    limits.initialWindow,
    Math.min(limits.maximumWindow, Math.floor(receiveBufferBytes / BUFFER_BYTES_PER_DATAGRAM)),
  );
}

export function openPath(
  { address, key, openedAtMs }: Pick<Path, 'address' | 'key' | 'openedAtMs'>,
  { receiveBufferBytes }: Sockets,
): Path {
  const controller = openController({
    firstWindow: limits.firstWindow,
    initialWindow: limits.initialWindow,
    largestWindow: largestWindow(receiveBufferBytes),
    expectedBytes: EXPECTED_BYTES,
    isLocal: isLoopback(address),
  });
  return { address, key, openedAtMs, controller, heard: 0, provenBy: [] };
}

/**
 * Somebody who said Hello has answered ours, in so long. What we had to ask the directory meanwhile counts in: nothing is waited for longer
 * than without a measurement.
 */
export function timed(path: Path, roundTripMs: number | undefined): Path {
  if (roundTripMs === undefined) return path;
  const roundTrip = withRoundTrip(path.controller.roundTrip, roundTripMs, path.openedAtMs);
  return roundTrip.timeoutMs > timing.initialTimeout
    ? path
    : { ...path, controller: { ...path.controller, roundTrip } };
}

/** It has answered a Hello: what was waited for before that, over a path that was dead, says nothing any more. */
export function recovered(path: Path): Path {
  const { controller } = path;
  return { ...path, controller: { ...controller, roundTrip: withoutBackoff(controller.roundTrip) } };
}

/** Nodes have come: of what was asked for under this number, or of something that was given up before. */
export function afterNodes(path: Path, event: NodesCame): Path {
  const { slot: id, harvest, sends, atMs } = event;
  let { controller } = path;
  if (atMs === undefined) return path;
  for (const { sequence, isLast, bytes } of harvest.arrivals) {
    controller = arrived(controller, { id, sequence, isLast, bytes, atMs, isRepeated: sends > 1 });
  }
  return { ...path, heard: path.heard + harvest.arrivals.length, controller };
}
type NodesCame = Pick<RequestEnded, 'slot' | 'sends' | 'atMs'> & { readonly harvest: Harvest };

function afterServed(path: Path, event: RequestEnded, harvest: Harvest): Path {
  const after = afterNodes(path, { ...event, harvest });
  const controller = closed(after.controller, event.slot);
  return { ...after, controller: event.sends === 1 ? controller : withTimeouts(controller, event) };
}

/** What the end of a request says about the path. Hello teaches the round trip only: the other side may have to ask for our key. */
export function afterRequest(path: Path, event: RequestEnded): Path {
  const { outcome, order, slot } = event;
  if (outcome.kind === 'unsendable') return { ...path, controller: closed(path.controller, slot) };
  const isAnswered = outcome.kind === 'answered' || outcome.kind === 'refused';
  if (outcome.kind === 'served') return afterServed(path, event, outcome.harvest);
  const isForNodes = order.question.type === 'GetDatum' || order.question.type === 'GetNodes';
  const controller = isForNodes ? afterDatum(path, event) : afterOther(path, event);
  return { ...path, heard: path.heard + (isAnswered ? 1 : 0), controller };
}

function afterDatum({ controller }: Path, event: RequestEnded): PathController {
  const { slot: id, outcome, sends, atMs } = event;
  const waited = sends === 1 ? controller : withTimeouts(controller, event);
  // Sent over another path first, or never answered.
  const isKnown = controller.outstanding.some((request) => request.id === id);
  if (!isKnown || atMs === undefined) return closed(waited, id);
  const bytes = outcome.kind === 'answered' && outcome.answer.type === 'Datum' ? outcome.answer.value.length : 0;
  return arrived(waited, {
    id,
    sequence: 0,
    isLast: true,
    bytes: bytes + DATUM_BYTES,
    atMs,
    isRepeated: sends > 1,
  });
}

/** What stands before a value, header included (protocol §4). */
const DATUM_BYTES = 39;

function afterOther({ controller }: Path, event: RequestEnded): PathController {
  const { order, sends, openedAtMs, atMs } = event;
  if (sends > 1) return order.question.type === 'Hello' ? controller : withTimeouts(controller, event);
  if (openedAtMs === undefined || atMs === undefined) return controller;
  const roundTrip = withRoundTrip(controller.roundTrip, atMs - openedAtMs, atMs, order.firstTimeoutMs);
  return { ...controller, roundTrip };
}

function withTimeouts(controller: PathController, { order, sends, overtaken, openedAtMs }: RequestEnded) {
  const timeouts = sends - 1 - overtaken;
  if (timeouts === 0) return controller;
  const sentAtMs = openedAtMs ?? Number.NEGATIVE_INFINITY;
  const roundTrip = backedOff(controller.roundTrip, sentAtMs, timeouts, order.firstTimeoutMs);
  return { ...controller, roundTrip };
}

/** Nothing has come from there since the request was opened, for long enough to look for another path (protocol §5). */
export function isSilent(path: Path, heardBefore: number, waitedMs: number): boolean {
  const patience = Math.max(timing.minimumSilence, 3 * (path.controller.roundTrip.smoothedMs ?? 0));
  return path.heard === heardBefore && waitedMs >= patience;
}
