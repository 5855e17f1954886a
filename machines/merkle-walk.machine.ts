/**
 * The download of one peer's tree (protocol §2, §9): asks for the root, then depth first for every node that the store does
 * not hold, and makes the whole tree current in one step. Nodes arrive hash-checked; what is kept survives a failure.
 */
import { type AnyActorRef, setup } from 'xstate';
import { type Frontier, pop, pushAll } from '../src/merkle/frontier.ts';
import { type HashSet, hasHash, withHash } from '../src/merkle/hash-set.ts';
import type { Adoption, NodeStatus } from '../src/store/store.ts';
import { type Hash, isEmptyRoot } from '../src/wire/hash.ts';
import { decodeNode, nodeKind } from '../src/wire/node.ts';
import { effect } from './effects.ts';
import type { Adopted, Failure, SessionAnswer, SyncReport } from './events.ts';
import { nameActions } from './named.ts';
import { limits } from './timing.ts';

/** What the store knows of a node; the value comes with an internal node that is not known to be whole. */
export interface LookedUp {
  readonly hash: Hash;
  readonly status: NodeStatus;
  readonly value?: Uint8Array;
}

export type MerkleWalkEvent =
  | SessionAnswer
  | { readonly type: 'walk.begun'; readonly isCurrent: boolean; readonly totalMessages: number; readonly atMs: number }
  | { readonly type: 'nodes.lookedUp'; readonly found: readonly LookedUp[] }
  | { readonly type: 'tree.adopted'; readonly adoption: Adoption; readonly atMs: number };

export interface MerkleWalkInput {
  readonly name: string;
  readonly owner: AnyActorRef;
  /** A root that the peer announced by itself; undefined: ask. */
  readonly announced: Hash | undefined;
  readonly quota: number;
  readonly atMs: number;
}

export interface MerkleWalkContext extends MerkleWalkInput {
  readonly session: AnyActorRef | undefined;
  readonly root: Hash | undefined;
  readonly authenticated: boolean;
  readonly frontier: Frontier;
  /** Hashes in the frontier. */
  readonly pending: number;
  /** Every hash met in this tree: each is looked up, and fetched, once. */
  readonly seen: HashSet;
  readonly inFlight: number;
  readonly window: number;
  readonly lookUps: number;
  readonly answers: number;
  /** Requests that stayed unanswered since the last answer. */
  readonly stalled: number;
  readonly answersAtRestart: number;
  readonly nodesFetched: number;
  readonly bytesFetched: number;
  readonly datagramsSent: number;
  readonly retransmissions: number;
  readonly lastAtMs: number;
  readonly totalMessages: number;
  readonly adopted: Adopted | undefined;
  readonly failure: Failure | undefined;
}

export interface MerkleWalkOutput {
  readonly report: SyncReport;
  /** When it ended, Unix ms. */
  readonly atMs: number;
}

type NodeReceived = Extract<SessionAnswer, { type: 'node.received' }>;

/** The part of the window that has to be in flight; below it, more is asked for. */
const REFILL_BELOW = 0.75;

const base = setup({
  types: {
    context: {} as MerkleWalkContext,
    events: {} as MerkleWalkEvent,
    input: {} as MerkleWalkInput,
    output: {} as MerkleWalkOutput,
  },
  actions: {
    /** Remembers the wanted root in the store, and compares it with the current one: `walk.begun`. */
    beginWalk: effect<{ name: string; root: Hash }>('beginWalk'),
    /** What the store holds of these: `nodes.lookedUp`. */
    lookUp: effect<{ hashes: readonly Hash[] }>('lookUp'),
    keepNode: effect<{ hash: Hash; value: Uint8Array }>('keepNode'),
    /** Makes the fetched tree current: `tree.adopted`. */
    adoptTree: effect<{ name: string; root: Hash; authenticated: boolean; quota: number }>('adoptTree'),
  },
  guards: {
    isAnnounced: ({ context }) => context.announced !== undefined && context.root === undefined,
    isCurrent: ({ event }) => event.type === 'walk.begun' && event.isCurrent,
    isEmpty: ({ context }) => context.root !== undefined && isEmptyRoot(context.root),
    isInvalid: ({ event }) => event.type === 'node.received' && !decodeNode(event.value).ok,
    isOverQuota: ({ context }) => context.nodesFetched >= context.quota * limits.nodesPerMessage,
    hasRoom: ({ context }) => context.inFlight - 1 <= context.window * REFILL_BELOW,
    isInternal: ({ event }) => event.type === 'node.received' && nodeKind(event.value) === 'internal',
    isWhole: ({ context }) => context.pending === 0 && context.inFlight === 0 && context.lookUps === 0,
    /** Something was answered since this was asked, or little has failed so far: the other side is slow, not gone. */
    isWorthRepeating: ({ context, event }) =>
      event.type === 'request.failed' &&
      !event.refused &&
      (context.answers > event.ticket || context.stalled < limits.stalledRequests),
    isRootRepeatable: ({ context, event }) =>
      event.type === 'request.failed' &&
      event.question.type === 'RootRequest' &&
      !event.refused &&
      context.stalled < limits.stalledRequests,
    isRootFailed: ({ event }) => event.type === 'request.failed' && event.question.type === 'RootRequest',
    mayAskRootAgain: ({ context }) => context.answers > context.answersAtRestart,
    isBusy: ({ context }) => context.inFlight > 0 || context.lookUps > 0,
    hasFailed: ({ context }) => context.failure !== undefined,
    isAdopted: ({ event }) => event.type === 'tree.adopted' && event.adoption.status === 'adopted',
    isIncomplete: ({ event }) => event.type === 'tree.adopted' && event.adoption.status === 'incomplete',
  },
});

const callForSession = base.sendTo(
  ({ context }) => context.owner,
  ({ context, self }) => ({ type: 'session.wanted', name: context.name, requester: self, atMs: context.lastAtMs }),
);

const useSession = base.assign(({ event }) =>
  event.type === 'session.ready' ? { session: event.session, window: event.window, lastAtMs: event.atMs } : {},
);

const useAnnounced = base.assign(({ context }) => ({ root: context.announced, authenticated: true }));

const askRoot = base.sendTo(
  ({ context }) => context.session as AnyActorRef,
  ({ context, self }) => ({ type: 'root.wanted', requester: self, atMs: context.lastAtMs }),
);

const useRoot = base.assign(({ context, event }) =>
  event.type === 'root.received'
    ? {
        root: event.root,
        authenticated: event.authenticated,
        window: event.window,
        lastAtMs: event.atMs,
        datagramsSent: context.datagramsSent + event.sends,
        retransmissions: context.retransmissions + event.sends - 1,
        frontier: undefined,
        pending: 0,
        seen: undefined,
        answersAtRestart: context.answers,
      }
    : {},
);

const begin = base.enqueueActions(({ context, enqueue }) => {
  if (context.root !== undefined) enqueue({ type: 'beginWalk', params: { name: context.name, root: context.root } });
});

const noteBegun = base.assign(({ event }) =>
  event.type === 'walk.begun' ? { totalMessages: event.totalMessages, lastAtMs: event.atMs } : {},
);

type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

/** Hashes not met before are looked up in the store; each one once (protocol §9). */
function meet({ context, enqueue }: Enqueueing, hashes: readonly Hash[]): void {
  let { seen } = context;
  const fresh: Hash[] = [];
  for (const hash of hashes) {
    if (hasHash(seen, hash)) continue;
    seen = withHash(seen, hash);
    fresh.push(hash);
  }
  if (fresh.length === 0) return;
  enqueue.assign({ seen, lookUps: context.lookUps + 1 });
  enqueue({ type: 'lookUp', params: { hashes: fresh } });
}

function childrenOf(value: Uint8Array): readonly Hash[] {
  const node = decodeNode(value);
  return node.ok && node.value.kind === 'internal' ? node.value.children : [];
}

const meetRoot = base.enqueueActions((args) => {
  if (args.context.root !== undefined) meet(args, [args.context.root]);
});

const meetChildren = base.enqueueActions((args) => {
  meet(args, childrenOf((args.event as NodeReceived).value));
});

const meetMissing = base.enqueueActions((args) => {
  const { event, enqueue, context } = args;
  if (event.type !== 'tree.adopted' || event.adoption.status !== 'incomplete') return;
  enqueue.assign({ frontier: pushAll(context.frontier, [event.adoption.missing], 0), pending: context.pending + 1 });
});

/** What is missing is asked for; what is there in part is gone through without asking anybody. */
const sortFound = base.enqueueActions((args) => {
  const { context, event, enqueue } = args;
  if (event.type !== 'nodes.lookedUp') return;
  const missing: Hash[] = [];
  const known: Hash[] = [];
  for (const { hash, status, value } of event.found) {
    if (status === 'missing') missing.push(hash);
    else if (status === 'partial' && value !== undefined) known.push(...childrenOf(value));
  }
  const lookUps = context.lookUps - 1;
  enqueue.assign({
    frontier: pushAll(context.frontier, missing, 0),
    pending: context.pending + missing.length,
    lookUps,
  });
  meet({ ...args, context: { ...context, lookUps } }, known);
});

/** Fills the window once a good part of it is free: asking in batches costs events per batch, not per node. Tells how far it is. */
const askMore = base.enqueueActions(({ context, enqueue, self }) => {
  const { session, window, inFlight, answers, lastAtMs, owner, name, nodesFetched } = context;
  let { frontier, pending } = context;
  const hashes: Hash[] = [];
  while (inFlight + hashes.length < window) {
    const top = pop(frontier);
    if (top === undefined) break;
    hashes.push(top.hash);
    frontier = top.rest;
    pending -= 1;
  }
  if (hashes.length === 0 || session === undefined) return;
  const nodesWanted = pending + inFlight + hashes.length;
  enqueue.sendTo(owner, { type: 'sync.progressed', peer: name, nodesFetched, nodesWanted });
  enqueue.assign({ frontier, pending, inFlight: inFlight + hashes.length });
  enqueue.sendTo(session, { type: 'nodes.wanted', hashes, requester: self, ticket: answers, atMs: lastAtMs });
});

function counted(context: MerkleWalkContext, event: MerkleWalkEvent): Partial<MerkleWalkContext> {
  if (event.type !== 'node.received' && event.type !== 'node.absent') return {};
  const counts = {
    inFlight: context.inFlight - 1,
    answers: context.answers + 1,
    stalled: 0,
    window: event.window,
    lastAtMs: event.atMs,
    datagramsSent: context.datagramsSent + event.sends,
    retransmissions: context.retransmissions + event.sends - 1,
  };
  if (event.type === 'node.absent') return counts;
  return {
    ...counts,
    nodesFetched: context.nodesFetched + 1,
    bytesFetched: context.bytesFetched + event.value.length,
  };
}

const countAnswer = base.assign(({ context, event }) => counted(context, event));

const countFailed = base.assign(({ context, event }) =>
  event.type === 'request.failed'
    ? {
        inFlight: event.question.type === 'GetDatum' ? context.inFlight - 1 : context.inFlight,
        stalled: context.stalled + 1,
        window: event.window,
        datagramsSent: context.datagramsSent + event.sends,
        retransmissions: context.retransmissions + event.sends - 1,
      }
    : {},
);

const putBack = base.assign(({ context, event }) =>
  event.type === 'request.failed' && event.question.type === 'GetDatum'
    ? { frontier: pushAll(context.frontier, [event.question.hash], 0), pending: context.pending + 1 }
    : {},
);

const keep = {
  type: 'keepNode' as const,
  params: ({ event }: { event: MerkleWalkEvent }) => event as NodeReceived,
};

const adopt = base.enqueueActions(({ context, enqueue }) => {
  const { name, root, authenticated, quota } = context;
  if (root !== undefined) enqueue({ type: 'adoptTree', params: { name, root, authenticated, quota } });
});

const noteAdopted = base.assign(({ event }): Partial<MerkleWalkContext> => {
  if (event.type !== 'tree.adopted') return {};
  const { adoption, atMs } = event;
  return adoption.status === 'adopted'
    ? { adopted: adoption, totalMessages: adoption.totalMessages, lastAtMs: atMs }
    : { lastAtMs: atMs };
});

function failure(context: MerkleWalkContext, event: MerkleWalkEvent): Failure {
  const { name, quota } = context;
  switch (event.type) {
    case 'session.failed':
    case 'request.failed':
      return event.failure;
    case 'node.received': {
      const node = decodeNode(event.value);
      const why = node.ok ? `more than ${quota * limits.nodesPerMessage} nodes` : node.why;
      return { code: 'invalid-data', message: `the tree of ${name} is not valid: ${why} (node ${event.hash})` };
    }
    case 'node.absent':
      return {
        code: 'invalid-data',
        message: `${name} does not have node ${event.hash} of its own tree; nothing of this tree is shown`,
      };
    case 'tree.adopted': {
      const { adoption } = event;
      const leaves = adoption.status === 'over-quota' ? adoption.leaves : 0;
      const message = `the tree of ${name} has ${leaves} messages, more than the quota of ${quota}; nothing of it is shown`;
      return { code: 'invalid-data', message };
    }
    default:
      return { code: 'invalid-data', message: `the tree of ${name} could not be fetched` };
  }
}

const noteFailure = base.assign(({ context, event }) => ({ failure: failure(context, event) }));

function reportOf(context: MerkleWalkContext): SyncReport {
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
    durationMs: Math.max(0, context.lastAtMs - context.atMs),
    ...(error === undefined ? {} : { error }),
  };
}

/** What a walk that broke down leaves behind. */
export function failedWalk(peer: string, why: string, atMs: number): MerkleWalkOutput {
  const counts = { newMessages: 0, withdrawnMessages: 0, totalMessages: 0, nodesFetched: 0, bytesFetched: 0 };
  const error: Failure = { code: 'invalid-data', message: `the sync of ${peer} broke down: ${why}` };
  const costs = { datagramsSent: 0, retransmissions: 0, durationMs: 0 };
  return { report: { peer, status: 'failed', root: null, ...counts, ...costs, error }, atMs };
}

const countLookUp = base.assign(({ context }) => ({ lookUps: context.lookUps - 1 }));

nameActions({
  countLookUp,
  callForSession,
  useSession,
  useAnnounced,
  askRoot,
  useRoot,
  begin,
  noteBegun,
  meetRoot,
  meetChildren,
  meetMissing,
  sortFound,
  askMore,
  countAnswer,
  countFailed,
  putBack,
  adopt,
  noteAdopted,
  noteFailure,
});

export const merkleWalkMachine = base.createMachine({
  id: 'merkle-walk',
  description: 'The download of one peer’s tree, depth first, only what is missing (protocol §2, §9).',
  context: ({ input }) => ({
    ...input,
    session: undefined,
    root: undefined,
    authenticated: false,
    frontier: undefined,
    pending: 0,
    seen: undefined,
    inFlight: 0,
    window: 0,
    lookUps: 0,
    answers: 0,
    stalled: 0,
    answersAtRestart: -1,
    nodesFetched: 0,
    bytesFetched: 0,
    datagramsSent: 0,
    retransmissions: 0,
    lastAtMs: input.atMs,
    totalMessages: 0,
    adopted: undefined,
    failure: undefined,
  }),
  output: ({ context }) => ({ report: reportOf(context), atMs: context.lastAtMs }),
  initial: 'connecting',
  on: {
    // Answers that were still under way when the walk turned to a newer root, or ended: verified, so worth keeping.
    'node.received': [{ guard: 'isInvalid', actions: countAnswer }, { actions: [countAnswer, keep] }],
    'node.absent': { actions: countAnswer },
    'nodes.lookedUp': { actions: countLookUp },
    'request.failed': { actions: countFailed },
  },
  states: {
    connecting: {
      description: 'Waiting for a session with the peer.',
      entry: callForSession,
      on: {
        'session.ready': [
          { guard: 'isAnnounced', target: 'beginning', actions: [useSession, useAnnounced] },
          { target: 'askingRoot', actions: useSession },
        ],
        'session.failed': { target: 'concluding', actions: noteFailure },
      },
    },
    askingRoot: {
      description: 'Asking for the root of the tree as it is now.',
      entry: askRoot,
      on: {
        'root.received': { target: 'beginning', actions: useRoot },
        'request.failed': [
          { guard: 'isRootRepeatable', target: 'askingRoot', reenter: true, actions: countFailed },
          { guard: 'isRootFailed', target: 'concluding', actions: [countFailed, noteFailure] },
        ],
      },
    },
    beginning: {
      description: 'Comparing the root with the one that is current.',
      entry: begin,
      on: {
        'walk.begun': [
          { guard: 'isCurrent', target: 'concluding', actions: noteBegun },
          { guard: 'isEmpty', target: 'adopting', actions: noteBegun },
          { target: 'fetching', actions: [noteBegun, meetRoot] },
        ],
      },
    },
    fetching: {
      description: 'Fetching what is missing; as many requests are in flight as the session allows.',
      on: {
        'nodes.lookedUp': { actions: [sortFound, askMore] },
        'node.received': [
          { guard: 'isInvalid', target: 'concluding', actions: [countAnswer, noteFailure] },
          { guard: 'isOverQuota', target: 'concluding', actions: [countAnswer, noteFailure] },
          { guard: 'isInternal', actions: [countAnswer, keep, meetChildren, askMore] },
          { guard: 'hasRoom', actions: [countAnswer, keep, askMore] },
          { actions: [countAnswer, keep] },
        ],
        'node.absent': [
          { guard: 'mayAskRootAgain', target: 'askingRoot', actions: countAnswer },
          { target: 'concluding', actions: [countAnswer, noteFailure] },
        ],
        'request.failed': [
          { guard: 'isWorthRepeating', actions: [countFailed, putBack, askMore] },
          { target: 'concluding', actions: [countFailed, noteFailure] },
        ],
      },
      always: { guard: 'isWhole', target: 'adopting' },
    },
    adopting: {
      description: 'Everything is here: counting leaves, then making the tree current in one step.',
      entry: adopt,
      on: {
        'tree.adopted': [
          { guard: 'isAdopted', target: 'concluding', actions: noteAdopted },
          { guard: 'isIncomplete', target: 'fetching', actions: [noteAdopted, meetMissing, askMore] },
          { target: 'concluding', actions: [noteAdopted, noteFailure] },
        ],
      },
    },
    concluding: {
      description: 'The outcome is clear; answers that are still under way are awaited, counted, and kept.',
      always: [{ guard: 'isBusy' }, { guard: 'hasFailed', target: 'failed' }, { target: 'finished' }],
    },
    finished: { type: 'final', description: 'The tree is current, or was so already.' },
    failed: { type: 'final', description: 'The walk ended with a named error; what was verified is kept, not shown.' },
  },
});
