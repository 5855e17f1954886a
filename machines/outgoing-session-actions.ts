/** What an outgoing session asks itself before it acts, and what it does then. */

import { assertEvent, setup } from 'xstate';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { afterRequests } from './congestion.ts';
import { effect } from './effects.ts';
import { type SessionReadiness, socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import { type NodesOrder, nodeRequestsMachine } from './node-requests.machine.ts';
import {
  answersIn,
  currentAddress,
  failureOf,
  helloOrder,
  isEnded,
  isHello,
  isRefusal,
  isUnanswered,
  mayTraverse,
  type NodesWanted,
  nodesAnswers,
  nodesOrder,
  type OutgoingSessionContext,
  type OutgoingSessionEvent,
  type OutgoingSessionInput,
  type RootWanted,
  rootAnswer,
  rootOrder,
  usable,
  wantedAgain,
  windowOf,
} from './outgoing-session-context.ts';
import { type RequestOrder, requestMachine } from './request.machine.ts';
import { areAllFree, giveBack, takeSlot } from './slots.ts';
import { limits, timing } from './timing.ts';

const base = setup({
  types: {
    context: {} as OutgoingSessionContext,
    events: {} as OutgoingSessionEvent,
    input: {} as OutgoingSessionInput,
  },
  actors: { request: requestMachine, nodeRequests: nodeRequestsMachine },
  actions: { locatePeer: effect<{ name: string }>('locatePeer') },
  guards: {
    isElsewhere: ({ context, event }) => {
      const address = currentAddress(context);
      return event.type === 'session.adopt' && (address === undefined || !sameAddress(address, event.address));
    },
    isLocated: ({ context }) => context.located !== undefined,
    /** Where it is, is known; but no socket of ours speaks that family. */
    isOutOfReach: ({ context: { located }, context }) =>
      located !== undefined && usable(context, located.addresses).length === 0,
    hasNoSocket: ({ context, event }) => event.type === 'peer.located' && usable(context, event.addresses).length === 0,
    isHelloAnswered: ({ event }) => isHello(event) && isEnded(event) && event.outcome.kind === 'answered',
    isHello: ({ event }) => isHello(event),
    isDataAnswered: ({ event }) => isEnded(event) && !isHello(event) && event.outcome.kind === 'answered',
    hasNextAddress: ({ context, event }) => isHello(event) && context.attempt + 1 < context.addresses.length,
    canTraverse: ({ context, event }) => isHello(event) && mayTraverse(context),
    isFirstRefusal: ({ context, event }) => isRefusal(event) && context.regreetings < limits.regreetings,
    isRefusal: ({ event }) => isRefusal(event),
    isUnanswered: ({ event }) => isUnanswered(event),
    /** The other side may have moved: the directory knows where it is now. Nobody knows better of an address given by hand. */
    isFirstSilence: ({ context, event }) =>
      isUnanswered(event) && context.located === undefined && context.regreetings < limits.regreetings,
    isIdle: ({ context }) =>
      context.waiters.length === 0 &&
      context.heldBack.length === 0 &&
      areAllFree(context.requests) &&
      areAllFree(context.nodeRequests),
    isExpired: ({ context, event }) =>
      event.type === 'sweep' && event.atMs - context.openedAtMs >= timing.sessionLifetime,
    isDueForRenewal: ({ context, event }) =>
      event.type === 'sweep' &&
      !context.renewing &&
      event.atMs - context.openedAtMs >= timing.sessionRenewal &&
      (context.located !== undefined || context.usedAtMs > context.openedAtMs),
  },
  delays: { traversalPause: timing.traversalPause },
});

type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

function openRequest({ context, enqueue, self }: Enqueueing, order: RequestOrder): void {
  const socket = socketFor(context.sockets, order.to);
  if (socket === undefined) return;
  const { slot, isNew, slots } = takeSlot(context.requests);
  const id = actorId.request(slot);
  if (isNew) enqueue.spawnChild('request', { id, input: { slot, owner: self, random: context.random } });
  enqueue.assign({ requests: slots });
  enqueue.sendTo<RefFor<'outgoing-session', 'request'>>(id, {
    type: 'request.open',
    order,
    socket,
    atMs: context.atMs,
  });
}

function openNodeRequests({ context, enqueue, self }: Enqueueing, order: NodesOrder): void {
  const socket = socketFor(context.sockets, order.to);
  if (socket === undefined) return;
  const { slot, isNew, slots } = takeSlot(context.nodeRequests);
  const id = actorId.nodeRequests(slot);
  if (isNew) enqueue.spawnChild('nodeRequests', { id, input: { slot, owner: self, random: context.random } });
  enqueue.assign({ nodeRequests: slots });
  enqueue.sendTo<RefFor<'outgoing-session', 'node-requests'>>(id, {
    type: 'nodes.request',
    order,
    socket,
    atMs: context.atMs,
  });
}

/** Asks at the address and under the key that the session has now. */
function ask(args: Enqueueing, wanted: RootWanted | NodesWanted): void {
  const to = currentAddress(args.context);
  if (to === undefined) return;
  if (wanted.type === 'root.wanted') openRequest(args, rootOrder(args.context, to, wanted.requester));
  else openNodeRequests(args, nodesOrder(args.context, to, wanted));
}

export const outgoingSessionSetup = base.extend({
  actions: {
    greet: base.enqueueActions((args) => {
      const to = currentAddress(args.context);
      if (to !== undefined) openRequest(args, helloOrder(args.context, to));
    }),

    askWanted: base.enqueueActions((args) => {
      const { event } = args;
      assertEvent(event, ['root.wanted', 'nodes.wanted']);
      ask(args, event);
    }),

    /** Does the address in use still answer? */
    challenge: base.enqueueActions((args) => {
      const to = currentAddress(args.context);
      if (to === undefined) return;
      openRequest(args, { ...rootOrder(args.context, to, undefined), maxSends: limits.challengeSends });
    }),

    /** In the new session, what was held back is wanted as if it came now. */
    wantHeldBack: base.enqueueActions(({ context, enqueue }) => {
      for (const wanted of context.heldBack) enqueue.raise({ ...wanted, atMs: context.atMs });
      enqueue.assign({ heldBack: [] });
    }),

    noteTime: base.assign(({ event }) => ({ atMs: 'atMs' in event ? event.atMs : undefined })),

    noteUse: base.assign(({ context, event }) => {
      const atMs = 'atMs' in event ? event.atMs : undefined;
      return { atMs, usedAtMs: Math.max(context.usedAtMs, atMs ?? 0) };
    }),

    addWaiter: base.assign(({ context, event }) => {
      assertEvent(event, 'session.open');
      return event.waiter === undefined ? {} : { waiters: [...context.waiters, event.waiter], atMs: event.atMs };
    }),

    useLocated: base.assign(({ context, event }) => {
      const located = event.type === 'peer.located' ? event : context.located;
      if (located === undefined) return {};
      const { alternative } = context;
      const others = located.addresses.filter(
        (address) => alternative === undefined || !sameAddress(address, alternative),
      );
      const candidates = alternative === undefined ? others : [alternative, ...others];
      return {
        addresses: usable(context, candidates),
        key: located.key,
        attempt: 0,
        traversed: false,
        alternative: undefined,
      };
    }),

    useNextAddress: base.assign(({ context }) => ({ attempt: context.attempt + 1 })),
    useFirstAddressAgain: base.assign({ attempt: 0, traversed: true }),

    adopt: base.assign(({ event }) => {
      assertEvent(event, 'session.adopt');
      return {
        addresses: [event.address],
        attempt: 0,
        key: event.key,
        openedAtMs: event.atMs,
        atMs: event.atMs,
        failure: undefined,
      };
    }),

    /** What is over frees its slot and teaches the congestion window; Hello teaches the round trip only. */
    settle: base.assign(({ context, event }): Partial<OutgoingSessionContext> => {
      assertEvent(event, ['request.ended', 'nodes.ended']);
      const { slot, order, outcome, sends, openedAtMs, atMs } = event;
      const { firstTimeoutMs } = order;
      const learned = afterRequests(context.congestion, {
        answers: answersIn(event),
        sends,
        firstTimeoutMs,
        openedAtMs,
        atMs,
      });
      if (isHello(event)) {
        const congestion = sends === 1 ? { ...learned, window: context.congestion.window } : context.congestion;
        return { atMs, requests: giveBack(context.requests, slot), congestion };
      }
      const regreetings = outcome.kind === 'answered' ? 0 : context.regreetings;
      const taught = { atMs, congestion: learned, regreetings };
      if (event.type === 'request.ended') return { ...taught, requests: giveBack(context.requests, slot) };
      return event.isLast ? { ...taught, nodeRequests: giveBack(context.nodeRequests, slot) } : taught;
    }),

    noteOpened: base.assign(({ context, event }) => {
      assertEvent(event, 'request.ended');
      if (event.outcome.kind !== 'answered') return {};
      return {
        openedAtMs: event.atMs ?? context.openedAtMs,
        renewing: false,
        zeroEndingIds: context.zeroEndingIds || (event.outcome.zeroEndingId && event.sends === limits.helloSends),
        failure: undefined,
      };
    }),

    noteAlternative: base.assign(({ event }) => {
      assertEvent(event, 'session.adopt');
      return { alternative: event.address };
    }),

    holdBackUnserved: base.assign(({ context, event }) => {
      assertEvent(event, ['request.ended', 'nodes.ended']);
      const wanted = wantedAgain(event);
      return wanted === undefined ? {} : { heldBack: [...context.heldBack, wanted] };
    }),

    holdBackWanted: base.assign(({ context, event }) => {
      assertEvent(event, ['root.wanted', 'nodes.wanted']);
      return { heldBack: [...context.heldBack, event], atMs: event.atMs };
    }),

    countRegreeting: base.assign(({ context }) => ({ regreetings: context.regreetings + 1 })),
    noteRenewing: base.assign({ renewing: true }),
    noteRenewalEnded: base.assign({ renewing: false }),

    useSockets: base.assign(({ event }) => {
      assertEvent(event, 'sockets.changed');
      return { sockets: event.sockets };
    }),

    noteFailure: base.assign(({ context, event }): Partial<OutgoingSessionContext> => {
      if (event.type === 'peer.notLocated') return { failure: event.failure };
      if (isEnded(event)) return { failure: failureOf(event, context.name) };
      if (event.type === 'session.open') {
        const where = context.located?.addresses.map(formatAddress).join(', ');
        const message = `no local address of ours can reach ${where}: listen on one of that family, too`;
        return { failure: { code: 'peer-unreachable', message } };
      }
      assertEvent(event, 'peer.located');
      const message = `${context.name} has no address that this machine can reach; it may be offline`;
      return { failure: { code: 'peer-unreachable', message } };
    }),

    tellWaitersReady: base.enqueueActions(({ context, enqueue, self }) => {
      const ready: SessionReadiness = {
        type: 'session.ready',
        session: self,
        window: windowOf(context),
        atMs: context.atMs ?? context.openedAtMs,
      };
      for (const waiter of context.waiters) enqueue.sendTo(waiter, ready);
      enqueue.assign({ waiters: [] });
    }),

    tellWaitersFailed: base.enqueueActions(({ context, enqueue }) => {
      const { failure } = context;
      if (failure === undefined) return;
      for (const waiter of context.waiters) enqueue.sendTo(waiter, { type: 'session.failed', failure });
      for (const wanted of context.heldBack) {
        const cost = { failure, refused: true, sends: 1, window: windowOf(context) };
        if (wanted.type === 'root.wanted') enqueue.sendTo(wanted.requester, { type: 'root.failed', ...cost });
        else {
          const { hashes, ticket, requester } = wanted;
          enqueue.sendTo(requester, { type: 'nodes.failed', hashes, ticket, ...cost });
        }
      }
      enqueue.assign({ waiters: [], heldBack: [] });
    }),

    passOn: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['request.ended', 'nodes.ended']);
      if (event.type === 'nodes.ended') {
        for (const answer of nodesAnswers(context, event)) enqueue.sendTo(event.order.requester, answer);
        return;
      }
      const answer = rootAnswer(context, event);
      if (event.order.requester !== undefined && answer !== undefined) enqueue.sendTo(event.order.requester, answer);
    }),

    /** An Error is always shown to the user (protocol §4). */
    reportError: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['request.ended', 'nodes.ended']);
      if (event.outcome.kind !== 'refused') return;
      const { order, outcome } = event;
      enqueue.sendTo(context.owner, { type: 'error.answered', from: order.to, name: context.name, text: outcome.text });
    }),

    reportEstablished: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({
        type: 'session.established',
        session: context.id,
        name: context.name,
        address: currentAddress(context) as SocketAddress,
        key: context.key,
        atMs: context.openedAtMs,
      }),
    ),

    reportLost: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'session.lost', session: context.id, name: context.name, failure: context.failure }),
    ),

    askForTraversal: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => ({ type: 'traversal.wanted', address: currentAddress(context) as SocketAddress }),
    ),
  },
});
