/**
 * A path: one address of a peer, with what was learnt about the way there (protocol §5). A session runs over one path at a
 * time, and moves to another only when that one no longer answers.
 */
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { Harvest } from './bulk-answer.ts';
import { afterArrival, afterLoss, type BulkWindow, initialBulkWindow } from './bulk-window.ts';
import { afterRequests, type Congestion, initialCongestion, measuredBy } from './congestion.ts';
import type { RequestEnded, RequestOutcome } from './request-context.ts';
import { timing } from './timing.ts';

export interface Path {
  readonly address: SocketAddress;
  /** When our last Hello was answered there. */
  readonly openedAtMs: number;
  readonly congestion: Congestion;
  readonly bulk: BulkWindow;
  /** How many answers have come from there. */
  readonly heard: number;
  /** Ids of our latest Hello that was answered there. Bounded: three. */
  readonly provenBy: readonly number[];
}

export function openPath(address: SocketAddress, openedAtMs: number): Path {
  return { address, openedAtMs, congestion: initialCongestion, bulk: initialBulkWindow, heard: 0, provenBy: [] };
}

/** What Nodes say about the path: its round trip, and what it carries. */
export function afterNodes(path: Path, { harvest, isMeasured, openedAtMs, atMs }: NodesCame): Path {
  const isTimed = isMeasured && openedAtMs !== undefined && atMs !== undefined;
  return {
    ...path,
    heard: path.heard + harvest.datagrams,
    congestion: isTimed ? measuredBy(path.congestion, atMs - openedAtMs, atMs) : path.congestion,
    bulk: afterArrival(path.bulk, harvest.datagrams),
  };
}
interface NodesCame {
  readonly harvest: Harvest;
  readonly isMeasured: boolean;
  readonly openedAtMs: number | undefined;
  readonly atMs: number | undefined;
}

function afterServed(
  path: Path,
  outcome: Extract<RequestOutcome, { kind: 'served' }>,
  openedAtMs: number | undefined,
  atMs: number | undefined,
): Path {
  const after = afterNodes(path, { ...outcome, openedAtMs, atMs });
  const sinceMs = openedAtMs ?? Number.NEGATIVE_INFINITY;
  return outcome.isCut ? { ...after, bulk: afterLoss(after.bulk, sinceMs, atMs ?? sinceMs) } : after;
}

/** What the end of a request says about the path. Hello teaches the round trip only: the other side may have to ask for our key. */
export function afterRequest(path: Path, { order, outcome, sends, openedAtMs, atMs }: RequestEnded): Path {
  const isAnswered = outcome.kind === 'answered' || outcome.kind === 'refused';
  if (outcome.kind === 'unsendable') return path;
  if (outcome.kind === 'served') return afterServed(path, outcome, openedAtMs, atMs);
  const { firstTimeoutMs, question } = order;
  const answers = isAnswered ? 1 : 0;
  const learned = afterRequests(path.congestion, { answers, sends, firstTimeoutMs, openedAtMs, atMs });
  const heard = path.heard + answers;
  if (question.type !== 'Hello') return { ...path, heard, congestion: learned };
  const congestion = sends === 1 ? { ...learned, window: path.congestion.window } : path.congestion;
  return { ...path, heard, congestion };
}

/** Nothing has come from there since the request was opened, for long enough to look for another path (protocol §5). */
export function isSilent(path: Path, heardBefore: number, waitedMs: number): boolean {
  const patience = Math.max(timing.minimumSilence, 3 * (path.congestion.smoothedMs ?? 0));
  return path.heard === heardBefore && waitedMs >= patience;
}
