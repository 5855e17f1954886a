/** What a download of a tree knows, hears, and reports; pure. */

import type { HashSet } from '../src/merkle/hash-set.ts';
import type { Adoption } from '../src/store/store.ts';
import type { Hash } from '../src/wire/hash.ts';
import { MurmureError } from '../src/wire/murmure-error.ts';
import { nodeFault } from '../src/wire/node.ts';
import type { Adopted, Failure, ReceivedNode, SessionAnswer, WalkReport } from './events.ts';
import type { RefFor } from './messages.ts';
import { limits } from './timing.ts';
import type { Frontier, Group, Sizes, Suspected } from './walk-frontier.ts';

/** A node that the store has; the value comes with an internal node that is not known to be whole. */
export interface LookedUp {
  readonly hash: Hash;
  readonly value?: Uint8Array;
}

export type MerkleWalkEvent =
  | SessionAnswer
  | {
      readonly type: 'walk.begun';
      readonly isCurrent: boolean;
      /** It was current before another root took its place. */
      readonly isSuperseded: boolean;
      /** No walk of this feed has left anything here. */
      readonly isNew?: boolean;
      readonly totalMessages: number;
      /** If the person has set one for this peer. */
      readonly quota?: number;
      readonly atMs: number;
    }
  /** Of what was looked up; the rest is missing. */
  | { readonly type: 'nodes.lookedUp'; readonly found: readonly LookedUp[] }
  | { readonly type: 'tree.adopted'; readonly adoption: Adoption; readonly atMs: number }
  | { readonly type: 'adoption.failed'; readonly failure: Failure }
  /** Something that was wanted of the store: it was not done, and is not answered. */
  | { readonly type: 'store.failed'; readonly failure: Failure };

export interface MerkleWalkInput {
  readonly name: string;
  readonly owner: RefFor<'merkle-walk', 'peer'>;
  /** A root that the peer announced by itself; undefined: ask. */
  readonly announced: Hash | undefined;
  readonly quota: number;
  readonly atMs: number;
}

export interface MerkleWalkContext extends MerkleWalkInput {
  readonly session: RefFor<'merkle-walk', 'outgoing-session'> | undefined;
  readonly root: Hash | undefined;
  readonly authenticated: boolean;
  /** The root is the answer to a question of ours; an announced one may be an old one, replayed or late (protocol §7). */
  readonly isFresh: boolean;
  /** As in `walk.begun`. */
  readonly isNew: boolean;
  readonly frontier: Frontier;
  /** Nodes in the frontier. */
  readonly pending: number;
  /** The node on the way to the newest message that is needed next; undefined: that message is there, or this is no cold start. */
  readonly tip: Hash | undefined;
  /** Children that were asked for together with their parent, before that was known. */
  readonly suspected: Suspected | undefined;
  readonly sizes: Sizes;
  /** Every hash met in this tree: each is looked up, and fetched, once. */
  readonly seen: HashSet;
  /** Datagrams with nodes that are under way, or may be: what was granted counts. */
  readonly inFlight: number;
  readonly window: number;
  /** Nodes may be asked for in bulk now. */
  readonly isBulk: boolean;
  /** What is being looked up: answers come in the order of the calls. Bounded by what comes in one turn. */
  readonly lookUps: readonly (readonly Group[])[];
  readonly answers: number;
  /** Requests that stayed unanswered since the last answer. */
  readonly stalled: number;
  readonly answersAtRestart: number;
  readonly nodesFetched: number;
  readonly bytesFetched: number;
  readonly datagramsSent: number;
  readonly retransmissions: number;
  readonly lastAtMs: number;
  /** When it was last told how far it is. */
  readonly toldAtMs: number;
  readonly totalMessages: number;
  readonly adopted: Adopted | undefined;
  readonly failure: Failure | undefined;
}

export interface MerkleWalkOutput {
  readonly report: WalkReport;
  /** When it ended, Unix ms. */
  readonly atMs: number;
}

/** Those that are no valid nodes, though their hashes are right. */
export function invalidIn(nodes: readonly ReceivedNode[]): readonly ReceivedNode[] {
  return nodes.filter(({ value }) => nodeFault(value) !== undefined);
}

export function failureIn(context: MerkleWalkContext, event: MerkleWalkEvent): Failure {
  const { name, quota } = context;
  switch (event.type) {
    case 'session.failed':
    case 'root.failed':
    case 'nodes.failed':
    case 'adoption.failed':
    case 'store.failed':
      return event.failure;
    case 'nodes.received': {
      const invalid = invalidIn(event.nodes)[0];
      const why =
        invalid === undefined
          ? `more than ${quota * limits.nodesPerMessage} nodes, and its quota is ${quota} messages; ${howToRaise(context)}`
          : `${nodeFault(invalid.value)} (node ${invalid.hash})`;
      return { code: 'invalid-data', message: `the tree of ${name} is not valid: ${why}` };
    }
    case 'nodes.absent':
      return {
        code: 'invalid-data',
        message: `${name} does not have node ${event.hashes[0]} of its own tree; nothing of this tree is shown`,
      };
    case 'tree.adopted': {
      const { adoption } = event;
      const leaves = adoption.status === 'over-quota' ? adoption.leaves : 0;
      const message = `the feed of ${name} has ${leaves} messages, more than the quota of ${quota}; ${howToRaise(context, leaves)}`;
      return { code: 'invalid-data', message };
    }
    default:
      return { code: 'invalid-data', message: `the tree of ${name} could not be fetched` };
  }
}

/** Room for as much again: a feed that is refused goes on growing. */
function howToRaise({ name, quota }: MerkleWalkContext, leaves = quota): string {
  const enough = Math.min(Number.MAX_SAFE_INTEGER, 2 * leaves);
  return `what was shown of it stays. To download it, raise the quota: murmure follow ${shellWord(name)} --quota ${enough}`;
}

/** As it is to be typed in a shell. */
function shellWord(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}

export function reportOf(context: MerkleWalkContext): WalkReport {
  const { adopted, failure: error } = context;
  const status = error !== undefined ? 'failed' : adopted === undefined ? 'unchanged' : 'updated';
  return {
    peer: context.name,
    status,
    root: context.root ?? null,
    newMessages: adopted?.newMessages ?? 0,
    withdrawnMessages: adopted?.withdrawnMessages ?? 0,
    totalMessages: context.totalMessages,
    nodesFetched: context.nodesFetched,
    bytesFetched: context.bytesFetched,
    datagramsSent: context.datagramsSent,
    retransmissions: context.retransmissions,
    ...(error === undefined ? {} : { error }),
  };
}

/** Something failed that is no fault of the peer's: the disk, say. What the store says of that is a sentence. */
export function brokenDown(peer: string, cause: unknown): Failure {
  if (cause instanceof MurmureError) return { code: cause.code, message: cause.message };
  return { code: 'unexpected', message: `the sync of ${peer} broke down: ${cause}` };
}

/** What a walk that broke down leaves behind. */
export function failedWalk(peer: string, cause: unknown, atMs: number): MerkleWalkOutput {
  const counts = { newMessages: 0, withdrawnMessages: 0, totalMessages: 0, nodesFetched: 0, bytesFetched: 0 };
  const error = brokenDown(peer, cause);
  const costs = { datagramsSent: 0, retransmissions: 0 };
  return { report: { peer, status: 'failed', root: null, ...counts, ...costs, error }, atMs };
}
