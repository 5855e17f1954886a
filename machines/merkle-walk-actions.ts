/** What a download of a tree asks itself before it acts, and what it does then. */

import { assertEvent, setup } from 'xstate';
import { hasHash, withHash } from '../src/merkle/hash-set.ts';
import { type Hash, isEmptyRoot } from '../src/wire/hash.ts';
import { hashesIn } from './bulk-answer.ts';
import { effect } from './effects.ts';
import type { Cost, ReceivedNode, Spent } from './events.ts';
import {
  failureIn,
  invalidIn,
  type MerkleWalkContext,
  type MerkleWalkEvent,
  type MerkleWalkInput,
  type MerkleWalkOutput,
} from './merkle-walk-context.ts';
import type { RefFor } from './messages.ts';
import { limits } from './timing.ts';
import { expand, without } from './walk-expansion.ts';
import {
  countIn,
  type Group,
  groupOf,
  planRequests,
  pushGroups,
  queueGroups,
  turned,
  withSizes,
} from './walk-frontier.ts';

/**
 * Free places in the window from which on more is asked for: a quarter; of a small window half, so that batches are worth their events.
 * An eighth in bulk, where each place is several nodes.
 */
function refillFrom({ window, isBulk }: Pick<Cost, 'window' | 'isBulk'>): number {
  if (isBulk) return Math.max(1, window / 8);
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
    hasRoom: ({ context, event }) => {
      const { window, isBulk } = 'freed' in event ? event : context;
      const freed = 'freed' in event ? event.freed : 0;
      return window - context.inFlight + freed >= refillFrom({ window, isBulk });
    },
    isWhole: ({ context }) => context.pending === 0 && context.inFlight === 0 && context.lookUps.length === 0,
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
    isBusy: ({ context }) => context.inFlight > 0 || context.lookUps.length > 0,
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

/**
 * The first download of a feed looks in the store for whole branches that another feed has, as when a peer has changed its name.
 * It does so down to this depth; below, it would hardly ever find any.
 */
const SHARED_DEPTH = 2;

/**
 * A first tree is made current from the left while it comes: once the newest messages are there, which somebody may be waiting for, the
 * others are asked for in that order. What is added to a feed is made current when all of it is there: its newest messages come first.
 */
function isOldestFirst({ isNew, tip }: Pick<MerkleWalkContext, 'isNew' | 'tip'>): boolean {
  return isNew && tip === undefined;
}

/** What these nodes of the tree lead to is looked up in the store, but for what is under way already; each hash once (protocol §9). */
function meet({ context, enqueue }: Enqueueing, nodes: readonly ReceivedNode[]): void {
  const { groups, ...met } = expand(context, nodes);
  const hasTurned = isOldestFirst({ ...context, ...met }) && !isOldestFirst(context);
  const after = { ...context, ...met, frontier: hasTurned ? turned(context.frontier) : context.frontier };
  // In one step, so that what is wanted first stays on top.
  if (context.isNew && groups.every(({ depth = 0 }) => depth > SHARED_DEPTH)) {
    enqueue.assign({ ...met, ...withMet(after, groups) });
    return;
  }
  const lookUps = groups.length > 0 ? [...context.lookUps, groups] : context.lookUps;
  enqueue.assign({ ...met, frontier: after.frontier, lookUps });
  if (groups.length > 0) enqueue({ type: 'lookUp', params: { hashes: groups.flatMap(hashesIn) } });
}

/** What requests cost. */
function counted(context: MerkleWalkContext, cost: Cost): Partial<MerkleWalkContext> {
  const { window, isBulk } = cost;
  return { inFlight: context.inFlight - cost.freed, window, isBulk, ...withSpent(context, cost) };
}

function withSpent({ datagramsSent, retransmissions }: MerkleWalkContext, { sent, repeated }: Spent) {
  return { datagramsSent: datagramsSent + sent, retransmissions: retransmissions + repeated };
}

function answered({ answers, stalled }: MerkleWalkContext, count: number, atMs: number): Partial<MerkleWalkContext> {
  return { answers: answers + count, stalled: count > 0 ? 0 : stalled, lastAtMs: atMs };
}

/** What was met just now, from old to new. */
function withMet(context: MerkleWalkContext, groups: readonly Group[]) {
  const { frontier, pending } = context;
  const add = isOldestFirst(context) ? queueGroups : pushGroups;
  return { frontier: add(frontier, groups), pending: pending + countIn(groups) };
}

function putBack({ frontier, pending }: MerkleWalkContext, groups: readonly Group[]) {
  return { frontier: pushGroups(frontier, groups), pending: pending + countIn(groups) };
}

export const merkleWalkSetup = base.extend({
  actions: {
    callForSession: base.sendTo(
      ({ context }) => context.owner,
      ({ context, self }) => ({ type: 'session.wanted', name: context.name, requester: self, atMs: context.lastAtMs }),
    ),

    useSession: base.assign(({ context, event }) => {
      assertEvent(event, 'session.ready');
      const { session, window, isBulk, atMs } = event;
      return { session, window, isBulk, lastAtMs: atMs, ...withSpent(context, event) };
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
        isBulk: event.isBulk,
        lastAtMs: event.atMs,
        ...withSpent(context, event),
        frontier: undefined,
        pending: 0,
        seen: undefined,
        lookUps: [],
        tip: undefined,
        suspected: undefined,
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
      return { totalMessages: event.totalMessages, isNew: event.isNew ?? false, quota, lastAtMs: event.atMs };
    }),

    /** In a cold start, the newest messages are the first that anybody wants to see. */
    meetRoot: base.enqueueActions(({ context, enqueue }) => {
      const { root, seen, totalMessages } = context;
      if (root === undefined) return;
      const tip = totalMessages === 0 ? root : undefined;
      enqueue.assign({ seen: withHash(seen, root), tip, lookUps: [...context.lookUps, [groupOf(root, 0)]] });
      enqueue({ type: 'lookUp', params: { hashes: [root] } });
    }),

    meetChildren: base.enqueueActions((args) => meet(args, receivedIn(args.event))),

    meetMissing: base.enqueueActions((args) => {
      const { event, enqueue, context } = args;
      assertEvent(event, 'tree.adopted');
      if (event.adoption.status !== 'incomplete') return;
      const group = groupOf(event.adoption.missing);
      enqueue.assign({ frontier: pushGroups(context.frontier, [group]), pending: context.pending + 1 });
    }),

    /** What is missing is asked for; what is there in part is gone through without asking anybody. */
    sortFound: base.enqueueActions((args) => {
      const { context, event, enqueue } = args;
      assertEvent(event, 'nodes.lookedUp');
      const [lookedUp = [], ...lookUps] = context.lookUps;
      const found = new Map(event.found.map((known) => [known.hash, known]));
      const missing = found.size === 0 ? lookedUp : lookedUp.map((group) => without(group, found));
      const changed = { ...withMet(context, missing), lookUps };
      enqueue.assign(changed);
      const partial = lookedUp.flatMap(({ children, depth }) =>
        children.flatMap((hash) => {
          const value = found.get(hash)?.value;
          return value === undefined ? [] : [{ hash, value, depth }];
        }),
      );
      if (partial.length > 0) meet({ ...args, context: { ...context, ...changed } }, partial);
    }),

    /** Fills the window once a good part of it is free: asking in batches costs events per batch, not per node. Tells how far it is. */
    askMore: base.enqueueActions(({ context, event, enqueue, self }) => {
      const { session, window, isBulk, inFlight, answers, lastAtMs, toldAtMs, owner, name, nodesFetched } = context;
      // What is being looked up may be newer than what is known.
      if (session === undefined || context.lookUps.length > 0) return;
      const { frontier, sizes, tip } = context;
      const room = window - inFlight;
      const plan = planRequests({ frontier, room, window, isBulk, sizes, tip, isOldestFirst: isOldestFirst(context) });
      if (plan.taken === 0) return;
      const pending = context.pending - plan.taken;
      enqueue.assign({
        frontier: plan.frontier,
        pending,
        inFlight: inFlight + plan.grants,
        suspected: plan.suspected ?? context.suspected,
      });
      const { hashes, requests } = plan;
      const atMs = cameAt(context, event);
      if (hashes.length > 0) {
        enqueue.sendTo(session, { type: 'nodes.wanted', hashes, requester: self, ticket: answers, atMs });
      }
      if (requests.length > 0) enqueue.sendTo(session, { type: 'bulk.wanted', requests, requester: self, atMs });
      if (lastAtMs - toldAtMs < PROGRESS_INTERVAL) return;
      const nodesWanted = pending + inFlight + plan.grants;
      enqueue.sendTo(owner, { type: 'sync.progressed', peer: name, nodesFetched, nodesWanted });
      enqueue.assign({ toldAtMs: lastAtMs });
    }),

    countAnswers: base.assign(({ context, event }): Partial<MerkleWalkContext> => {
      if (event.type === 'nodes.absent') {
        const { hashes, atMs } = event;
        return { ...counted(context, event), ...answered(context, hashes.length, atMs) };
      }
      assertEvent(event, 'nodes.received');
      const { nodes, atMs } = event;
      return {
        ...counted(context, event),
        ...answered(context, nodes.length, atMs),
        sizes: withSizes(context.sizes, nodes),
        nodesFetched: context.nodesFetched + nodes.length,
        bytesFetched: nodes.reduce((sum, { value }) => sum + value.length, context.bytesFetched),
      };
    }),

    countFailed: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.failed');
      return { ...counted(context, event), stalled: context.stalled + event.hashes.length };
    }),

    countRootFailed: base.assign(({ context, event }) => {
      assertEvent(event, 'root.failed');
      return { ...counted(context, event), inFlight: context.inFlight, stalled: context.stalled + 1 };
    }),

    putBack: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.failed');
      return putBack(
        context,
        event.hashes.map((hash) => ({ ...groupOf(hash), isSingle: true })),
      );
    }),

    /** Of this tree: what a former one still lacks is of no use. */
    putBackUnserved: base.assign(({ context, event }): Partial<MerkleWalkContext> => {
      assertEvent(event, 'nodes.received');
      const { seen } = context;
      const single = event.single.map((hash) => ({ ...groupOf(hash), isSingle: true }));
      const unserved = event.unserved.flatMap(({ children, ...wanted }) => (children ? [{ ...wanted, children }] : []));
      const groups = [...single, ...unserved].filter((group) => hashesIn(group).some((hash) => hasHash(seen, hash)));
      const isSuspected = ({ children }: Group) =>
        context.suspected !== undefined && children.includes(context.suspected.parent);
      return groups.length === 0
        ? {}
        : { ...putBack(context, groups), suspected: single.some(isSuspected) ? undefined : context.suspected };
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
    forgetLookUps: base.assign({ lookUps: [] }),
    countLookUp: base.assign(({ context }) => ({ lookUps: context.lookUps.slice(1) })),
  },
});
