/** What an outgoing session asks itself before it acts, and what it does then. */
import { type AnyActorRef, assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { effect } from './effects.ts';
import { type SessionReadiness, type Spent, socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import {
  costOf,
  distinct,
  failureOf,
  gather,
  isHello,
  isInUse,
  mayTraverse,
  type NodesWanted,
  type OutgoingSessionContext,
  type OutgoingSessionEvent,
  type OutgoingSessionInput,
  openedPath,
  orderFor,
  type RootWanted,
  stallFailure,
  usable,
  wantedAgain,
  windowOf,
} from './outgoing-session-context.ts';
import { afterRequest, isSilent, openPath } from './path.ts';
import { requestMachine } from './request.machine.ts';
import type { RequestContext, RequestEnded, Requester, RequestOrder } from './request-context.ts';
import { areAllFree, busySlots, giveBack, takeSlot } from './slots.ts';
import { limits, timing } from './timing.ts';

const base = setup({
  types: {
    context: {} as OutgoingSessionContext,
    events: {} as OutgoingSessionEvent,
    input: {} as OutgoingSessionInput,
  },
  actors: { request: requestMachine },
  actions: {
    /** Asks the directory: `peer.located` or `peer.notLocated`. */
    locatePeer: effect<{ name: string }>('locatePeer'),
    /** Keeps that whoever is at this address, under this key, answers only ids that end in zero. */
    rememberHabit: effect<{ address: SocketAddress; key: PublicKey | undefined }>('rememberHabit'),
    /** Whether the user believes its Roots without a signature: `trust.recalled` if so. */
    recallTrust: effect<{ name: string; key: PublicKey | undefined }>('recallTrust'),
  },
  guards: {
    isHelloAnswered: ({ event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event) && event.outcome.kind === 'answered';
    },
    isHello: ({ event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event);
    },
    /** It ended without an answer, and no Hello is left whose answer could still come. */
    isLastHello: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return (
        isHello(event) && event.outcome.kind !== 'answered' && context.hellos.every(({ slot }) => slot === event.slot)
      );
    },
    isUnheard: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isUnheard(context, event);
    },
    isHelloAnsweredByPath: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event) && event.outcome.kind === 'answered' && isInUse(context, event.order.to);
    },
    isHelloAnsweredElsewhere: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return isHello(event) && event.outcome.kind === 'answered' && !isInUse(context, event.order.to);
    },
    /** Neither answered nor refused. */
    isUnserved: ({ event }) => {
      assertEvent(event, 'request.ended');
      return event.outcome.kind === 'unanswered' || event.outcome.kind === 'unsendable';
    },
    isNodeAnswered: ({ event }) => {
      assertEvent(event, 'request.ended');
      return event.order.question.type === 'GetDatum' && event.outcome.kind === 'answered';
    },
    isAnswered: ({ event }) => {
      assertEvent(event, 'request.ended');
      return event.outcome.kind === 'answered';
    },
    isRefusal: ({ event }) => {
      assertEvent(event, 'request.ended');
      return !isHello(event) && event.outcome.kind === 'refused';
    },
    /** The other side forgot the session: Hello is said once more. A directory that did so wants a new registration as well. */
    isFirstRefusal: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      const isDirectory = context.located !== undefined && context.nameKnown;
      const isRefused = !isHello(event) && event.outcome.kind === 'refused';
      return isRefused && !isDirectory && context.regreetings < limits.regreetings;
    },
    /** Nothing came over the path in use for as long as a path that works would take. */
    isPathSilent: ({ context, event }) => {
      assertEvent(event, 'request.stalled');
      const { path, located } = context;
      const { order, waitedMs } = event;
      if (path === undefined || located !== undefined || !sameAddress(path.address, order.to)) return false;
      return isSilent(path, order.heard, waitedMs);
    },
    mayBeElsewhere: ({ context, event }) => {
      assertEvent(event, 'request.ended');
      return context.located === undefined && isUnheard(context, event);
    },
    isInUse: ({ context, event }) => {
      assertEvent(event, 'session.adopt');
      return isInUse(context, event.address);
    },
    /** A further address counts for a peer with a key only: without one, anybody could be there. */
    isUnderSameKey: ({ context, event }) => {
      assertEvent(event, 'session.adopt');
      return event.key !== undefined && event.key === context.key;
    },
    isAdoptedUnderKey: ({ event }) => {
      assertEvent(event, 'session.adopt');
      return event.key !== undefined;
    },
    /** Under the key of the session, and not at the path in use. */
    isListedElsewhere: ({ context, event }) => {
      assertEvent(event, 'peer.located');
      const isSameKey = event.key !== undefined && event.key === context.key;
      return isSameKey && !event.addresses.some((address) => isInUse(context, address));
    },
    hasCandidate: ({ context }) => context.candidates.length > 0,
    mayRaceMore: ({ context }) => context.candidates.length > 0 && context.raced < limits.racingHellos,
    isLocated: ({ context }) => context.located !== undefined,
    hasSocket: ({ context }) => usable(context, context.located?.addresses ?? []).length > 0,
    isReachable: ({ context, event }) => {
      assertEvent(event, 'peer.located');
      return usable(context, event.addresses).length > 0 || context.candidates.length > 0;
    },
    mayTraverse: ({ context }) => mayTraverse(context),
    isIdle: ({ context }) =>
      context.waiters.length === 0 && context.heldBack.length === 0 && areAllFree(context.requests),
    isExpired: ({ context, event }) => {
      assertEvent(event, 'sweep');
      return event.atMs - (context.path?.openedAtMs ?? 0) >= timing.sessionLifetime;
    },
    isDueForRenewal: ({ context, event }) => {
      assertEvent(event, 'sweep');
      const openedAtMs = context.path?.openedAtMs ?? 0;
      const isWanted = context.located !== undefined || context.usedAtMs > openedAtMs;
      return context.hellos.length === 0 && isWanted && event.atMs - openedAtMs >= timing.sessionRenewal;
    },
    isPushDue: ({ context }) => context.push !== undefined && context.push.sends < limits.pushSends,
  },
  delays: {
    greetingPatience: timing.greetingPatience,
    attemptDelay: timing.connectionAttemptDelay,
    traversalDelay: timing.traversalDelay,
  },
});

/** Nothing has come over the path in use since this request was opened, or nothing can go out. */
function isUnheard(context: OutgoingSessionContext, { order, outcome }: RequestEnded): boolean {
  if (!isInUse(context, order.to)) return false;
  return outcome.kind === 'unsendable' || context.path?.heard === order.heard;
}

type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

/** Hands an order to a free slot; gives its number and what the slots are then. */
function send({ context, enqueue, self }: Enqueueing, slots: OutgoingSessionContext['requests'], order: RequestOrder) {
  const taken = takeSlot(slots);
  const id = actorId.request(taken.slot);
  if (taken.isNew) {
    enqueue.spawnChild('request', { id, input: { slot: taken.slot, owner: self, random: context.random } });
  }
  enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(id, { type: 'request.open', order, atMs: context.atMs });
  return taken;
}

/** Says Hello to each of these addresses that no Hello is under way to. */
function greet(args: Enqueueing, addresses: readonly SocketAddress[]): void {
  const { context, enqueue } = args;
  let { requests, hellos } = context;
  for (const to of addresses) {
    const socket = socketFor(context.sockets, to);
    if (socket === undefined || hellos.some((hello) => sameAddress(hello.to, to))) continue;
    const question = { type: 'Hello', flags: 0, name: context.ownName } as const;
    const { slot, slots } = send(args, requests, orderFor(context, { question, to, socket }));
    requests = slots;
    hellos = [...hellos, { slot, to }];
  }
  enqueue.assign({ requests, hellos });
}

/** With what the Hellos have cost that are still under way. */
function withHellos(greeted: Spent, { context, self }: Enqueueing): Spent {
  const { children = {} } = self.getSnapshot() as {
    readonly children?: Readonly<Record<string, AnyActorRef | undefined>>;
  };
  const sends = context.hellos.map(({ slot }) => {
    const request = children[actorId.request(slot)]?.getSnapshot().context as RequestContext | undefined;
    return request?.current?.sends ?? 0;
  });
  return sends.reduce(withHello, greeted);
}

function withHello({ sent, repeated }: Spent, sends: number): Spent {
  return { sent: sent + sends, repeated: repeated + Math.max(0, sends - 1) };
}

const NOTHING_SPENT: Spent = { sent: 0, repeated: 0 };

function cancelHellos(args: Enqueueing): void {
  const { context, enqueue } = args;
  enqueue.assign({ greeted: withHellos(context.greeted, args) });
  let { requests } = context;
  for (const { slot } of context.hellos) {
    enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), { type: 'request.cancelled' });
    requests = giveBack(requests, slot);
  }
  enqueue.assign({ requests, hellos: [] });
}

/** Asks over the path in use. */
function ask(args: Enqueueing, wanted: RootWanted | NodesWanted): void {
  const { context, enqueue } = args;
  const to = context.path?.address;
  const socket = to && socketFor(context.sockets, to);
  if (to === undefined || socket === undefined) return;
  // It accepts what comes of this question.
  const requester = wanted.requester as Requester;
  if (wanted.type === 'root.wanted') {
    const { slots } = send(
      args,
      context.requests,
      orderFor(context, { question: { type: 'RootRequest' }, to, socket, requester, sentBefore: wanted.sentBefore }),
    );
    enqueue.assign({ requests: slots });
    return;
  }
  let { requests } = context;
  for (const hash of wanted.hashes) {
    const order = orderFor(context, {
      question: { type: 'GetDatum', hash },
      to,
      socket,
      requester,
      ticket: wanted.ticket,
      sentBefore: wanted.sentBefore,
    });
    requests = send(args, requests, order).slots;
  }
  enqueue.assign({ requests });
}

/** One send of what is to be pushed. */
function sendPush(
  { context, enqueue }: Enqueueing,
  push: { readonly bytes: Uint8Array; readonly sends: number },
): void {
  const to = context.path?.address;
  const socket = to && socketFor(context.sockets, to);
  enqueue.assign({ push });
  if (to === undefined || socket === undefined) return;
  enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [push.bytes], to });
  enqueue.assign({ push: { ...push, sends: push.sends + 1 } });
  enqueue.cancel('push');
  enqueue.raise({ type: 'push.due' }, { id: 'push', delay: timing.pushTimeout * 2 ** push.sends });
}

const withRequests = base.extend({
  actions: {
    greetNext: base.enqueueActions((args) => {
      const [next, ...rest] = args.context.candidates;
      if (next === undefined) return;
      greet(args, [next]);
      args.enqueue.assign({ candidates: rest, raced: args.context.raced + 1 });
    }),

    greetListed: base.enqueueActions((args) => {
      assertEvent(args.event, 'peer.located');
      greet(args, usable(args.context, args.event.addresses).slice(0, limits.racingHellos));
    }),

    greetPath: base.enqueueActions((args) => {
      const { path } = args.context;
      if (path !== undefined) greet(args, [path.address]);
    }),

    cancelHellos: base.enqueueActions(cancelHellos),

    /** A path has been found. */
    endRace: base.assign({ candidates: [], raced: 0 }),

    /** The other side forgot the session. */
    greetAgain: base.assign(({ context: { path } }) => ({
      candidates: path === undefined ? [] : [path.address],
      raced: 0,
    })),

    askWanted: base.enqueueActions((args) => {
      assertEvent(args.event, ['root.wanted', 'nodes.wanted']);
      ask(args, args.event);
    }),

    /** Does the path in use still answer? */
    challengePath: base.enqueueActions((args) => {
      const { context, enqueue } = args;
      const to = context.path?.address;
      const socket = to && socketFor(context.sockets, to);
      if (to === undefined || socket === undefined) return;
      const question = { type: 'RootRequest' } as const;
      const order = orderFor(context, { question, to, socket, maxSends: limits.challengeSends });
      enqueue.assign({ requests: send(args, context.requests, order).slots });
    }),

    /** In the new session, what was held back is wanted as if it came now. */
    wantHeldBack: base.enqueueActions(({ context, enqueue }) => {
      for (const wanted of context.heldBack) enqueue.raise({ ...wanted, atMs: context.atMs });
      enqueue.assign({ heldBack: [] });
    }),

    /** Requests that are under way are repeated over the path that has just been opened. */
    moveRequests: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.ended');
      const to = event.order.to;
      const socket = socketFor(context.sockets, to);
      const from = context.path?.address;
      if (socket === undefined || from === undefined) return;
      const { congestion, heard } = openedPath(context, event);
      const { timeoutMs: firstTimeoutMs } = congestion;
      for (const slot of busySlots(context.requests)) {
        const redirected = { type: 'request.redirected', from, to, socket, firstTimeoutMs, heard } as const;
        enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), redirected);
      }
    }),

    /** Nobody answers over the path in use: what waits for that is over. */
    abandonRequests: base.enqueueActions(({ context, enqueue }) => {
      for (const slot of busySlots(context.requests)) {
        enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), { type: 'request.abandoned' });
      }
    }),

    closeRequests: base.enqueueActions(({ context, enqueue }) => {
      for (let slot = 0; slot < context.requests.count; slot++) {
        enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(actorId.request(slot), { type: 'request.cancelled' });
      }
    }),

    push: base.enqueueActions((args) => {
      assertEvent(args.event, 'push.wanted');
      sendPush(args, { bytes: args.event.bytes, sends: 0 });
    }),

    repeatPush: base.enqueueActions((args) => {
      if (args.context.push !== undefined) sendPush(args, args.context.push);
    }),

    forgetPush: base.enqueueActions(({ enqueue }) => {
      enqueue.assign({ push: undefined });
      enqueue.cancel('push');
    }),
  },
});

const withNotes = withRequests.extend({
  actions: {
    noteTime: base.assign(({ event }) => ({ atMs: 'atMs' in event ? event.atMs : undefined })),

    noteUse: base.assign(({ context, event }) => {
      const atMs = 'atMs' in event ? event.atMs : undefined;
      return { atMs, usedAtMs: Math.max(context.usedAtMs, atMs ?? 0) };
    }),

    addWaiter: base.assign(({ context, event }) => {
      assertEvent(event, 'session.open');
      return {
        waiters: event.waiter === undefined ? context.waiters : [...context.waiters, event.waiter],
        greeted: context.waiters.length === 0 ? NOTHING_SPENT : context.greeted,
        atMs: event.atMs,
      };
    }),

    /** Where a directory is, is known beforehand. */
    useGiven: base.assign(({ context }) => ({
      candidates: usable(context, context.located?.addresses ?? []),
      raced: 0,
    })),

    /** Addresses at which the peer was heard go before those that are only listed. */
    useLocated: base.assign(({ context, event }) => {
      assertEvent(event, 'peer.located');
      const known = distinct([...context.candidates, ...usable(context, event.addresses)]);
      // The one in use, which has fallen silent, comes last: it may answer again.
      const inUse = context.path === undefined ? [] : [context.path.address];
      const candidates = [...known.filter((address) => !isInUse(context, address)), ...inUse];
      return {
        candidates,
        key: event.key,
        zeroEndingIds: context.zeroEndingIds || event.zeroEndingIds === true,
        trustsUnsigned: event.trustsUnsigned === true,
        raced: 0,
        atMs: event.atMs,
      };
    }),

    /** The directory could not be asked: the path in use may answer after all. */
    useKnown: base.assign(({ context, event }) => {
      assertEvent(event, 'peer.notLocated');
      const inUse = context.path === undefined ? [] : [context.path.address];
      return { candidates: distinct([...context.candidates, ...inUse]), raced: 0 };
    }),

    noteAlternative: base.assign(({ context, event }) => {
      assertEvent(event, 'session.adopt');
      const candidates = distinct([event.address, ...context.candidates]).slice(0, limits.alternatives);
      return { candidates, atMs: event.atMs };
    }),

    adopt: base.assign(({ context, event }) => {
      assertEvent(event, 'session.adopt');
      const { address, key, atMs } = event;
      const path =
        context.path !== undefined && isInUse(context, address)
          ? { ...context.path, openedAtMs: atMs }
          : openPath(address, atMs);
      const trustsUnsigned = context.trustsUnsigned && key === context.key;
      return { path, key, trustsUnsigned, atMs, regreetings: 0 };
    }),

    /** The address at which the Hello was answered is the path in use from now on. */
    usePath: base.assign(({ context, event }): Partial<OutgoingSessionContext> => {
      assertEvent(event, 'request.ended');
      const { outcome } = event;
      const path = openedPath(context, event);
      const isHabit = outcome.kind === 'answered' && outcome.form !== 'plain';
      return { path, zeroEndingIds: context.zeroEndingIds || isHabit, atMs: path.openedAtMs };
    }),

    losePath: base.assign({ path: undefined }),

    /** It is told, or over: later failures have reasons of their own. */
    forgetFailure: base.assign({ failure: undefined }),

    /** What is over frees its slot and teaches what the path is like. */
    settle: base.assign(({ context, event }): Partial<OutgoingSessionContext> => {
      assertEvent(event, 'request.ended');
      const { slot, order, outcome, atMs } = event;
      const { path } = context;
      const settled = {
        atMs,
        requests: giveBack(context.requests, slot),
        hellos: context.hellos.filter((hello) => hello.slot !== slot),
        greeted: isHello(event) ? withHello(context.greeted, event.sends) : context.greeted,
      };
      if (path === undefined || !isInUse(context, order.to)) return settled;
      const regreetings = !isHello(event) && outcome.kind === 'answered' ? 0 : context.regreetings;
      return { ...settled, path: afterRequest(path, event), regreetings };
    }),

    gatherAnswer: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      return { gathered: gather(context.gathered, event) };
    }),

    holdBackUnserved: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      const wanted = wantedAgain(event);
      return wanted === undefined ? {} : { heldBack: [...context.heldBack, wanted] };
    }),

    holdBackWanted: base.assign(({ context, event }) => {
      assertEvent(event, ['root.wanted', 'nodes.wanted']);
      return { heldBack: [...context.heldBack, event], atMs: event.atMs };
    }),

    countRegreeting: base.assign(({ context }) => ({ regreetings: context.regreetings + 1 })),

    useSockets: base.assign(({ event }) => {
      assertEvent(event, 'sockets.changed');
      return { sockets: event.sockets };
    }),

    /** Unless the key has changed meanwhile. */
    believeUnsigned: base.assign(({ context, event }) => {
      assertEvent(event, 'trust.recalled');
      return event.key === context.key ? { trustsUnsigned: true } : {};
    }),

    noteTrustChanged: base.assign(({ context: { name } }) => {
      const message = `what you trust of ${name} has just changed; it is asked again`;
      return { failure: { code: 'authentication' as const, message } };
    }),

    noteNotLocated: base.assign(({ event }) => {
      assertEvent(event, 'peer.notLocated');
      return { failure: event.failure };
    }),

    noteEnded: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      return { failure: failureOf(event, context.name) };
    }),

    noteStall: base.assign(({ context, event }) => {
      assertEvent(event, 'request.stalled');
      return { failure: stallFailure(event, context.name) };
    }),

    /** What a request that stalled was about tells more than that no other address answers, either. */
    noteSilence: base.assign(({ context: { name, hellos, failure } }) => {
      if (failure !== undefined) return {};
      const where = hellos.map(({ to }) => formatAddress(to)).join(', ');
      const seconds = timing.greetingPatience / 1000;
      const who = name === '' ? where : `${name} (${where})`;
      const message = `${who} did not answer Hello within ${seconds} s; it may be offline, and is tried again later`;
      return { failure: { code: 'peer-unreachable' as const, message } };
    }),

    noteOutOfReach: base.assign(({ context, event }) => {
      const addresses = event.type === 'peer.located' ? event.addresses : (context.located?.addresses ?? []);
      const message =
        addresses.length === 0
          ? `${context.name} has no address; it may be offline`
          : `no local address of ours can reach ${addresses.map(formatAddress).join(', ')}: listen on one of that family, too`;
      return { failure: { code: 'peer-unreachable' as const, message } };
    }),
  },
});

export const sessionSetup = withNotes.extend({
  actions: {
    tellWaitersReady: base.enqueueActions(({ context, enqueue, self }) => {
      const { path, atMs } = context;
      const ready: SessionReadiness = {
        type: 'session.ready',
        session: self,
        window: windowOf(context),
        atMs: atMs ?? path?.openedAtMs ?? 0,
        ...context.greeted,
      };
      for (const waiter of context.waiters) enqueue.sendTo(waiter, ready);
      enqueue.assign({ waiters: [] });
    }),

    tellWaitersFailed: base.enqueueActions((args) => {
      const { context, enqueue } = args;
      const { failure } = context;
      if (failure === undefined) return;
      const spent = withHellos(context.greeted, args);
      for (const waiter of context.waiters) enqueue.sendTo(waiter, { type: 'session.failed', failure, ...spent });
      for (const wanted of context.heldBack) {
        const sent = wanted.sentBefore ?? 0;
        const cost = { failure, isFinal: true, ...costOf(context, sent, Math.min(sent, 1)) };
        if (wanted.type === 'root.wanted') enqueue.sendTo(wanted.requester, { type: 'root.failed', ...cost });
        else {
          const { hashes, ticket } = wanted;
          enqueue.sendTo(wanted.requester, { type: 'nodes.failed', hashes, ticket, ...cost });
        }
      }
      enqueue.assign({ waiters: [], heldBack: [] });
    }),

    passOnGathered: base.enqueueActions(({ context, enqueue }) => {
      for (const { requester, nodes, absent, sent, atMs } of context.gathered) {
        // What was sent for both is counted with the nodes, if there are any.
        const cost = costOf(context, sent, nodes.length + absent.length);
        const free = costOf(context, 0, 0);
        if (nodes.length > 0) enqueue.sendTo(requester, { type: 'nodes.received', nodes, ...cost, atMs });
        if (absent.length > 0) {
          enqueue.sendTo(requester, {
            type: 'nodes.absent',
            hashes: absent,
            ...(nodes.length > 0 ? free : cost),
            atMs,
          });
        }
      }
      if (context.gathered.length > 0) enqueue.assign({ gathered: [] });
    }),

    /** A root, or what failed. */
    passOn: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.ended');
      const { order, outcome, sends } = event;
      const { requester, question, ticket } = order;
      if (requester === undefined) return;
      const cost = costOf(context, order.sentBefore + sends, 1);
      if (outcome.kind === 'answered') {
        if (outcome.answer.type !== 'Root') return;
        const atMs = event.atMs ?? context.path?.openedAtMs ?? 0;
        const authenticated = context.key !== undefined && !context.trustsUnsigned;
        enqueue.sendTo(requester, { type: 'root.received', root: outcome.answer.hash, authenticated, ...cost, atMs });
        return;
      }
      const failure = failureOf(event, context.name);
      const isFinal =
        outcome.kind !== 'unanswered' || failure.code !== 'peer-unreachable' || context.path === undefined;
      if (question.type === 'RootRequest')
        enqueue.sendTo(requester, { type: 'root.failed', failure, isFinal, ...cost });
      if (question.type === 'GetDatum') {
        enqueue.sendTo(requester, { type: 'nodes.failed', hashes: [question.hash], ticket, failure, isFinal, ...cost });
      }
    }),

    keepHabit: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.ended');
      const { order, outcome } = event;
      if (outcome.kind !== 'answered' || outcome.form === 'plain') return;
      enqueue({ type: 'rememberHabit', params: { address: order.to, key: context.key } });
    }),

    /** An Error is always shown to the user (protocol §4). */
    reportError: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'request.ended');
      const { order, outcome } = event;
      if (outcome.kind !== 'refused') return;
      enqueue.sendTo(context.owner, { type: 'error.answered', from: order.to, name: context.name, text: outcome.text });
    }),

    reportEstablished: base.enqueueActions(({ context, enqueue }) => {
      const { id: session, name, path, key, owner } = context;
      if (path === undefined) return;
      const { address, openedAtMs: atMs } = path;
      enqueue.sendTo(owner, { type: 'session.established', session, name, address, key, atMs });
    }),

    reportLost: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'session.lost', session: context.id, name: context.name, failure: context.failure }),
    ),

    /** The end of an actor would do as well, but XState keeps something for ever for each id of an actor that has ended. */
    reportEnded: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'session.ended', session: context.id }),
    ),

    askForTraversal: base.enqueueActions(({ context, enqueue }) => {
      for (const { to } of context.hellos) enqueue.sendTo(context.owner, { type: 'traversal.wanted', address: to });
    }),
  },
});
