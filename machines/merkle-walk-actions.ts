/** What a download of a tree asks itself before it acts, and what it does then. */

import { assertEvent, setup } from 'xstate';
import { pop, pushAll } from '../src/merkle/frontier.ts';
import { hasHash, withHash } from '../src/merkle/hash-set.ts';
import { type Hash, isEmptyRoot } from '../src/wire/hash.ts';
import { effect } from './effects.ts';
import type { Cost, ReceivedNode, Spent } from './events.ts';
import {
  childrenOf,
  failureIn,
  invalidIn,
  type MerkleWalkContext,
  type MerkleWalkEvent,
  type MerkleWalkInput,
  type MerkleWalkOutput,
} from './merkle-walk-context.ts';
import type { RefFor } from './messages.ts';
import { limits } from './timing.ts';

/** Free places in the window from which on more is asked for: a quarter; of a small window half, so that batches are worth their events. */
function refillFrom(window: number): number {
  return Math.max(window / 4, Math.min(window / 2, WORTHWHILE_BATCH));
}
const WORTHWHILE_BATCH = 64;
/** Between two reports of how far it is, ms. */
const PROGRESS_INTERVAL = 100;

const base = setup({
  types: {
    context: {} as MerkleWalkContext,
    events: {} as MerkleWalkEvent,
    input: {} as MerkleWalkInput,
    output: {} as MerkleWalkOutput,
  },
  actions: {
    /** Remembers the wanted root in the store, and compares it with the current one: `walk.begun`. */
    beginWalk: effect<{ name: string; root: Hash; authenticated: boolean; quota: number }>('beginWalk'),
    /** What the store holds of these: `nodes.lookedUp`. */
    lookUp: effect<{ hashes: readonly Hash[] }>('lookUp'),
    keepNodes: effect<{ nodes: readonly ReceivedNode[] }>('keepNodes'),
    /** Makes the fetched tree current, which takes as long as it takes: `tree.adopted` or `adoption.failed`. */
    adoptTree: effect<{
      name: string;
      root: Hash;
      authenticated: boolean;
      quota: number;
      mayWithdraw: boolean;
    }>('adoptTree'),
  },
  guards: {
    isAnnounced: ({ context }) => context.announced !== undefined && context.root === undefined,
    isCurrent: ({ event }) => event.type === 'walk.begun' && event.isCurrent,
    /** An announced root that has been superseded: whoever announces it may be replaying what its author said long ago. */
    isLeftBehind: ({ context, event }) => event.type === 'walk.begun' && event.isSuperseded && !context.isFresh,
    isEmpty: ({ context }) => context.root !== undefined && isEmptyRoot(context.root),
    isInvalid: ({ event }) => event.type === 'nodes.received' && invalidIn(event.nodes).length > 0,
    isOverQuota: ({ context, event }) =>
      context.nodesFetched + receivedIn(event).length > context.quota * limits.nodesPerMessage,
    hasRoom: ({ context, event }) =>
      context.window - context.inFlight + receivedIn(event).length >= refillFrom(context.window),
    isWhole: ({ context }) => context.pending === 0 && context.inFlight === 0 && context.lookUps === 0,
    /** Something was answered since this was asked, or little has failed so far: the other side is slow, not gone. */
    isWorthRepeating: ({ context, event }) =>
      event.type === 'nodes.failed' &&
      !event.isFinal &&
      (context.answers > event.ticket || context.stalled + event.hashes.length <= limits.stalledRequests),
    isRootRepeatable: ({ context, event }) =>
      event.type === 'root.failed' && !event.isFinal && context.stalled < limits.stalledRequests,
    mayAskRootAgain: ({ context }) => context.answers > context.answersAtRestart,
    /** Asked for before the walk turned to a newer root; what it needs of that again it will ask for again. */
    isOfFormerTree: ({ context, event }) =>
      (event.type === 'nodes.absent' || event.type === 'nodes.failed') &&
      !event.hashes.some((hash) => hasHash(context.seen, hash)),
    isBusy: ({ context }) => context.inFlight > 0 || context.lookUps > 0,
    hasFailed: ({ context }) => context.failure !== undefined,
    isAdopted: ({ event }) => event.type === 'tree.adopted' && event.adoption.status === 'adopted',
    /** The announced tree lacks messages of the current one. */
    isWithdrawing: ({ event }) => event.type === 'tree.adopted' && event.adoption.status === 'withdraws',
    isIncomplete: ({ event }) => event.type === 'tree.adopted' && event.adoption.status === 'incomplete',
  },
});

/** When the event came in, Unix ms; undefined for one that a timer caused: round trips are not measured from then. */
function cameAt({ lastAtMs }: MerkleWalkContext, { type }: MerkleWalkEvent): number | undefined {
  return type === 'nodes.failed' || type === 'root.failed' ? undefined : lastAtMs;
}

function receivedIn(event: MerkleWalkEvent): readonly ReceivedNode[] {
  return event.type === 'nodes.received' ? event.nodes : [];
}

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

/** What so many requests cost that are over. */
function counted(context: MerkleWalkContext, requests: number, cost: Cost): Partial<MerkleWalkContext> {
  return { inFlight: context.inFlight - requests, window: cost.window, ...withSpent(context, cost) };
}

function withSpent({ datagramsSent, retransmissions }: MerkleWalkContext, { sent, repeated }: Spent) {
  return { datagramsSent: datagramsSent + sent, retransmissions: retransmissions + repeated };
}

function answered({ answers }: MerkleWalkContext, count: number, atMs: number): Partial<MerkleWalkContext> {
  return { answers: answers + count, stalled: 0, lastAtMs: atMs };
}

export const merkleWalkSetup = base.extend({
  actions: {
    callForSession: base.sendTo(
      ({ context }) => context.owner,
      ({ context, self }) => ({ type: 'session.wanted', name: context.name, requester: self, atMs: context.lastAtMs }),
    ),

    useSession: base.assign(({ context, event }) => {
      assertEvent(event, 'session.ready');
      return { session: event.session, window: event.window, lastAtMs: event.atMs, ...withSpent(context, event) };
    }),

    useAnnounced: base.assign(({ context }) => ({ root: context.announced, authenticated: true })),

    askRoot: base.sendTo(
      ({ context }) => context.session as RefFor<'merkle-walk', 'outgoing-session'>,
      ({ context, event, self }) => ({ type: 'root.wanted', requester: self, atMs: cameAt(context, event) }),
    ),

    useRoot: base.assign(({ context, event }) => {
      assertEvent(event, 'root.received');
      return {
        root: event.root,
        authenticated: event.authenticated,
        isFresh: true,
        window: event.window,
        lastAtMs: event.atMs,
        ...withSpent(context, event),
        frontier: undefined,
        pending: 0,
        seen: undefined,
        answersAtRestart: context.answers,
      };
    }),

    begin: base.enqueueActions(({ context, enqueue }) => {
      const { name, root, authenticated, quota } = context;
      if (root !== undefined) enqueue({ type: 'beginWalk', params: { name, root, authenticated, quota } });
    }),

    noteBegun: base.assign(({ context, event }) => {
      assertEvent(event, 'walk.begun');
      const quota = event.quota ?? context.quota;
      return { totalMessages: event.totalMessages, quota, lastAtMs: event.atMs };
    }),

    meetRoot: base.enqueueActions((args) => {
      if (args.context.root !== undefined) meet(args, [args.context.root]);
    }),

    meetChildren: base.enqueueActions((args) => {
      // Nodes of a former tree are kept, but lead nowhere.
      const ofThisTree = receivedIn(args.event).filter(({ hash }) => hasHash(args.context.seen, hash));
      meet(args, childrenOf(ofThisTree.map(({ value }) => value)));
    }),

    meetMissing: base.enqueueActions((args) => {
      const { event, enqueue, context } = args;
      assertEvent(event, 'tree.adopted');
      if (event.adoption.status !== 'incomplete') return;
      enqueue.assign({ frontier: pushAll(context.frontier, [event.adoption.missing]), pending: context.pending + 1 });
    }),

    /** What is missing is asked for; what is there in part is gone through without asking anybody. */
    sortFound: base.enqueueActions((args) => {
      const { context, event, enqueue } = args;
      assertEvent(event, 'nodes.lookedUp');
      const missing: Hash[] = [];
      const known: Uint8Array[] = [];
      for (const { hash, status, value } of event.found) {
        if (status === 'missing') missing.push(hash);
        else if (status === 'partial' && value !== undefined) known.push(value);
      }
      const lookUps = context.lookUps - 1;
      enqueue.assign({
        frontier: pushAll(context.frontier, missing),
        pending: context.pending + missing.length,
        lookUps,
      });
      meet({ ...args, context: { ...context, lookUps } }, childrenOf(known));
    }),

    /** Fills the window once a good part of it is free: asking in batches costs events per batch, not per node. Tells how far it is. */
    askMore: base.enqueueActions(({ context, event, enqueue, self }) => {
      const { session, window, inFlight, answers, lastAtMs, toldAtMs, owner, name, nodesFetched } = context;
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
      enqueue.assign({ frontier, pending, inFlight: inFlight + hashes.length });
      enqueue.sendTo(session, {
        type: 'nodes.wanted',
        hashes,
        requester: self,
        ticket: answers,
        atMs: cameAt(context, event),
      });
      if (lastAtMs - toldAtMs < PROGRESS_INTERVAL) return;
      const nodesWanted = pending + inFlight + hashes.length;
      enqueue.sendTo(owner, { type: 'sync.progressed', peer: name, nodesFetched, nodesWanted });
      enqueue.assign({ toldAtMs: lastAtMs });
    }),

    countAnswers: base.assign(({ context, event }): Partial<MerkleWalkContext> => {
      if (event.type === 'nodes.absent') {
        const { hashes, atMs } = event;
        return { ...counted(context, hashes.length, event), ...answered(context, hashes.length, atMs) };
      }
      assertEvent(event, 'nodes.received');
      const { nodes, atMs } = event;
      return {
        ...counted(context, nodes.length, event),
        ...answered(context, nodes.length, atMs),
        nodesFetched: context.nodesFetched + nodes.length,
        bytesFetched: nodes.reduce((sum, { value }) => sum + value.length, context.bytesFetched),
      };
    }),

    countFailed: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.failed');
      return { ...counted(context, event.hashes.length, event), stalled: context.stalled + event.hashes.length };
    }),

    countRootFailed: base.assign(({ context, event }) => {
      assertEvent(event, 'root.failed');
      return { ...counted(context, 1, event), inFlight: context.inFlight, stalled: context.stalled + 1 };
    }),

    putBack: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.failed');
      return {
        frontier: pushAll(context.frontier, event.hashes),
        pending: context.pending + event.hashes.length,
      };
    }),

    keep: base.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'nodes.received');
      enqueue({ type: 'keepNodes', params: { nodes: event.nodes } });
    }),

    /** Of several nodes that came together one may be invalid. */
    keepValid: base.enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'nodes.received');
      const invalid = invalidIn(event.nodes);
      enqueue({ type: 'keepNodes', params: { nodes: event.nodes.filter((node) => !invalid.includes(node)) } });
    }),

    adopt: base.enqueueActions(({ context, enqueue }) => {
      const { name, root, authenticated, quota, isFresh: mayWithdraw } = context;
      if (root !== undefined) enqueue({ type: 'adoptTree', params: { name, root, authenticated, quota, mayWithdraw } });
    }),

    noteAdopted: base.assign(({ event }): Partial<MerkleWalkContext> => {
      assertEvent(event, 'tree.adopted');
      const { adoption, atMs } = event;
      return adoption.status === 'adopted'
        ? { adopted: adoption, totalMessages: adoption.totalMessages, lastAtMs: atMs }
        : { lastAtMs: atMs };
    }),

    noteFailure: base.assign(({ context, event }) => ({
      failure: failureIn(context, event),
      ...(event.type === 'session.failed' ? withSpent(context, event) : {}),
    })),
    /** The store does not answer those that are open. */
    forgetLookUps: base.assign({ lookUps: 0 }),
    countLookUp: base.assign(({ context }) => ({ lookUps: Math.max(0, context.lookUps - 1) })),
  },
});
