/**
 * Our one-way session towards a peer or a directory (protocol §5): finds it, says Hello, keeps the session alive, and asks
 * for others – the Merkle walk above all – through its request slots under a congestion window (§6).
 */
import { type AnyActorRef, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import type { Hash } from '../src/wire/hash.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { afterRequest, type Congestion, initialCongestion } from './congestion.ts';
import { effect, type Random } from './effects.ts';
import { type Failure, type Located, type SessionAnswer, type Sockets, socketFor } from './events.ts';
import { nameActions } from './named.ts';
import { type Question, type RequestEnded, type RequestOrder, requestMachine } from './request.machine.ts';
import { limits, timing } from './timing.ts';

export type OutgoingSessionEvent =
  | { readonly type: 'session.open'; readonly waiter: AnyActorRef | undefined; readonly atMs: number }
  /** Hello now, whether or not there is a session: a directory lists us for an hour after each. */
  | { readonly type: 'session.greet'; readonly atMs: number }
  | {
      readonly type: 'session.adopt';
      readonly address: SocketAddress;
      readonly key: PublicKey | undefined;
      readonly atMs: number;
    }
  | ({ readonly type: 'peer.located'; readonly atMs: number } & Located)
  | { readonly type: 'peer.notLocated'; readonly failure: Failure }
  | { readonly type: 'root.wanted'; readonly requester: AnyActorRef; readonly atMs: number }
  | {
      readonly type: 'nodes.wanted';
      readonly hashes: readonly Hash[];
      readonly requester: AnyActorRef;
      readonly ticket: number;
      readonly atMs: number | undefined;
    }
  | { readonly type: 'sockets.changed'; readonly sockets: Sockets }
  | { readonly type: 'sweep'; readonly atMs: number }
  | RequestEnded;

export interface OutgoingSessionInput {
  readonly id: string;
  /** The peer's name; empty for a directory or an address given by hand. */
  readonly name: string;
  readonly ownName: string;
  readonly owner: AnyActorRef;
  readonly random: Random;
  readonly sockets: Sockets;
  /** Where the other side is, if that needs no asking: a directory, or an address given by hand. */
  readonly located: Located | undefined;
  /** HelloReply must carry `name`; not so for an address given by hand. */
  readonly nameKnown: boolean;
}

interface SlotStack {
  readonly slot: number;
  /** Under which its last request was sent: the socket still routes answers by them. */
  readonly ids: readonly number[];
  readonly rest: SlotStack | undefined;
}

type HeldBack = Pick<RequestOrder, 'question' | 'requester' | 'ticket'>;

export interface OutgoingSessionContext extends OutgoingSessionInput {
  readonly key: PublicKey | undefined;
  readonly addresses: readonly SocketAddress[];
  /** Index of the address in use. */
  readonly attempt: number;
  readonly traversed: boolean;
  readonly waiters: readonly AnyActorRef[];
  /** When the event that is being handled came in; undefined while a timer's is. Unix ms. */
  readonly atMs: number | undefined;
  readonly openedAtMs: number;
  readonly usedAtMs: number;
  readonly renewing: boolean;
  readonly zeroEndingIds: boolean;
  readonly congestion: Congestion;
  readonly freeSlots: SlotStack | undefined;
  readonly slots: number;
  /** Requests that wait for the next HelloReply: refused ones, and those wanted while there is no session. */
  readonly heldBack: readonly HeldBack[];
  readonly regreetings: number;
  readonly failure: Failure | undefined;
}

const base = setup({
  types: {
    context: {} as OutgoingSessionContext,
    events: {} as OutgoingSessionEvent,
    input: {} as OutgoingSessionInput,
  },
  actors: { request: requestMachine },
  actions: { locatePeer: effect<{ name: string }>('locatePeer') },
  guards: {
    isElsewhere: ({ context, event }) => {
      const address = currentAddress(context);
      return event.type === 'session.adopt' && (address === undefined || !sameAddress(address, event.address));
    },
    isLocated: ({ context }) => context.located !== undefined,
    hasNoSocket: ({ context, event }) => event.type === 'peer.located' && usable(context, event.addresses).length === 0,
    isHelloAnswered: ({ event }) => isHello(event) && event.outcome.kind === 'answered',
    isHello: ({ event }) => isHello(event),
    isDataAnswered: ({ event }) =>
      event.type === 'request.ended' && event.outcome.kind === 'answered' && event.order.question.type !== 'Hello',
    hasNextAddress: ({ context, event }) => isHello(event) && context.attempt + 1 < context.addresses.length,
    canTraverse: ({ context, event }) => isHello(event) && mayTraverse(context),
    isFirstRefusal: ({ context, event }) => isRefusal(event) && context.regreetings < limits.regreetings,
    isRefusal: ({ event }) => isRefusal(event),
    isIdle: ({ context }) =>
      context.waiters.length === 0 && context.heldBack.length === 0 && freeSlotsOf(context).length === context.slots,
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

function isHello(event: OutgoingSessionEvent): event is RequestEnded {
  return event.type === 'request.ended' && event.order.question.type === 'Hello';
}

function isRefusal(event: OutgoingSessionEvent): event is RequestEnded {
  return event.type === 'request.ended' && event.order.question.type !== 'Hello' && event.outcome.kind === 'refused';
}

function mayTraverse(context: OutgoingSessionContext): boolean {
  return context.located === undefined && !context.traversed && !context.zeroEndingIds;
}

function usable(context: OutgoingSessionContext, addresses: readonly SocketAddress[]): SocketAddress[] {
  return addresses.filter((address) => socketFor(context.sockets, address) !== undefined);
}

function currentAddress(context: OutgoingSessionContext): SocketAddress | undefined {
  return context.addresses[context.attempt];
}

function freeSlotsOf({ freeSlots }: OutgoingSessionContext): SlotStack[] {
  const all: SlotStack[] = [];
  for (let top = freeSlots; top !== undefined; top = top.rest) all.push(top);
  return all;
}

function windowOf(congestion: Congestion): number {
  return Math.max(1, Math.floor(congestion.window));
}

function helloOrder(context: OutgoingSessionContext, to: SocketAddress): RequestOrder {
  return {
    question: { type: 'Hello', flags: 0, name: context.ownName },
    to,
    signed: true,
    answerKey: context.key,
    answerName: context.nameKnown ? context.name : undefined,
    firstTimeoutMs: timing.helloTimeout,
    maxSends: mayTraverse(context) ? limits.helloSendsBeforeTraversal : limits.helloSends,
    zeroEndingId: context.zeroEndingIds,
    requester: undefined,
    ticket: 0,
  };
}

function dataOrder(
  context: OutgoingSessionContext,
  question: Question,
  requester: AnyActorRef,
  ticket: number,
): RequestOrder | undefined {
  const to = currentAddress(context);
  if (to === undefined) return undefined;
  return {
    question,
    to,
    signed: question.type === 'RootRequest',
    answerKey: context.key,
    answerName: undefined,
    firstTimeoutMs: context.congestion.timeoutMs,
    maxSends: limits.requestSends,
    zeroEndingId: context.zeroEndingIds,
    requester,
    ticket,
  };
}

type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

/** Hands orders to free slots, spawning what lacks. */
function openRequests({ context, enqueue, self }: Enqueueing, orders: readonly RequestOrder[]): void {
  let { freeSlots, slots } = context;
  for (const order of orders) {
    const socket = socketFor(context.sockets, order.to);
    if (socket === undefined) continue;
    let slot = slots;
    if (freeSlots !== undefined) {
      slot = freeSlots.slot;
      freeSlots = freeSlots.rest;
    } else {
      slots += 1;
      enqueue.spawnChild('request', {
        id: actorId.request(slot),
        input: { slot, owner: self, random: context.random },
      });
    }
    enqueue.sendTo(actorId.request(slot), { type: 'request.open', order, socket, atMs: context.atMs });
  }
  enqueue.assign({ freeSlots, slots });
}

const greet = base.enqueueActions((args) => {
  const to = currentAddress(args.context);
  if (to !== undefined) openRequests(args, [helloOrder(args.context, to)]);
});

const askRoot = base.enqueueActions((args) => {
  if (args.event.type !== 'root.wanted') return;
  const order = dataOrder(args.context, { type: 'RootRequest' }, args.event.requester, 0);
  if (order !== undefined) openRequests(args, [order]);
});

const askNodes = base.enqueueActions((args) => {
  if (args.event.type !== 'nodes.wanted') return;
  const orders: RequestOrder[] = [];
  for (const hash of args.event.hashes) {
    const order = dataOrder(args.context, { type: 'GetDatum', hash }, args.event.requester, args.event.ticket);
    if (order !== undefined) orders.push(order);
  }
  openRequests(args, orders);
});

/** Asks what was held back, at the address and under the key that the session has now. */
const askHeldBack = base.enqueueActions((args) => {
  const orders: RequestOrder[] = [];
  for (const { question, requester, ticket } of args.context.heldBack) {
    const order = requester && dataOrder(args.context, question, requester, ticket);
    if (order !== undefined) orders.push(order);
  }
  openRequests(args, orders);
  args.enqueue.assign({ heldBack: [] });
});

const noteTime = base.assign(({ event }) => ({ atMs: 'atMs' in event ? event.atMs : undefined }));

const noteUse = base.assign(({ context, event }) => {
  const atMs = 'atMs' in event ? event.atMs : undefined;
  return { atMs, usedAtMs: Math.max(context.usedAtMs, atMs ?? 0) };
});

const addWaiter = base.assign(({ context, event }) =>
  event.type === 'session.open' && event.waiter !== undefined
    ? { waiters: [...context.waiters, event.waiter], atMs: event.atMs }
    : {},
);

const useLocated = base.assign(({ context, event }) => {
  const located = event.type === 'peer.located' ? event : context.located;
  if (located === undefined) return {};
  return { addresses: usable(context, located.addresses), key: located.key, attempt: 0, traversed: false };
});

const useNextAddress = base.assign(({ context }) => ({ attempt: context.attempt + 1 }));
const useFirstAddressAgain = base.assign({ attempt: 0, traversed: true });

const adopt = base.assign(({ event }) =>
  event.type === 'session.adopt'
    ? {
        addresses: [event.address],
        attempt: 0,
        key: event.key,
        openedAtMs: event.atMs,
        atMs: event.atMs,
        failure: undefined,
      }
    : {},
);

/** A finished request frees its slot and teaches the congestion window; Hello teaches the round trip only. */
const settle = base.assign(({ context, event }) => {
  if (event.type !== 'request.ended') return {};
  const learned = afterRequest(context.congestion, event);
  const isGreeting = event.order.question.type === 'Hello';
  return {
    atMs: event.atMs,
    freeSlots: { slot: event.slot, ids: event.ids, rest: context.freeSlots },
    congestion: isGreeting
      ? event.rttMs === undefined
        ? context.congestion
        : { ...learned, window: context.congestion.window }
      : learned,
    regreetings: !isGreeting && event.outcome.kind === 'answered' ? 0 : context.regreetings,
  };
});

const noteOpened = base.assign(({ context, event }) => {
  if (event.type !== 'request.ended' || event.outcome.kind !== 'answered') return {};
  return {
    openedAtMs: event.atMs ?? context.openedAtMs,
    renewing: false,
    zeroEndingIds: context.zeroEndingIds || (event.outcome.zeroEndingId && event.sends === limits.helloSends),
    failure: undefined,
  };
});

const holdBackRefused = base.assign(({ context, event }) =>
  isRefusal(event) ? { heldBack: [...context.heldBack, event.order] } : {},
);
const holdBackWanted = base.assign(({ context, event }) => {
  if (event.type === 'root.wanted') {
    const wanted: HeldBack = { question: { type: 'RootRequest' }, requester: event.requester, ticket: 0 };
    return { heldBack: [...context.heldBack, wanted], atMs: event.atMs };
  }
  if (event.type === 'nodes.wanted') {
    const { requester, ticket, atMs } = event;
    const wanted = event.hashes.map((hash): HeldBack => ({ question: { type: 'GetDatum', hash }, requester, ticket }));
    return { heldBack: [...context.heldBack, ...wanted], atMs };
  }
  return {};
});
const countRegreeting = base.assign(({ context }) => ({ regreetings: context.regreetings + 1 }));
const noteRenewing = base.assign({ renewing: true });
const noteRenewalEnded = base.assign({ renewing: false });
const useSockets = base.assign(({ event }) => (event.type === 'sockets.changed' ? { sockets: event.sockets } : {}));

function refusal(text: string, to: SocketAddress, name: string): Failure {
  const who = name === '' ? formatAddress(to) : `${name} (${formatAddress(to)})`;
  return { code: 'peer-unreachable', message: `${who} refused our request: ${text}` };
}

function silence(ended: RequestEnded, name: string): Failure {
  const { order, sends, outcome } = ended;
  const waited = outcome.kind === 'unanswered' ? Math.round(outcome.waitedMs / 1000) : 0;
  const who = name === '' ? formatAddress(order.to) : `${name} (${formatAddress(order.to)})`;
  const times = sends === 1 ? 'once' : `${sends} times`;
  return {
    code: 'peer-unreachable',
    message: `${who} did not answer ${order.question.type}, sent ${times} in ${waited} s; try again later`,
  };
}

function failureOf(event: RequestEnded, name: string): Failure {
  return event.outcome.kind === 'refused' ? refusal(event.outcome.text, event.order.to, name) : silence(event, name);
}

const noteFailure = base.assign(({ context, event }): Partial<OutgoingSessionContext> => {
  if (event.type === 'peer.notLocated') return { failure: event.failure };
  if (event.type === 'request.ended') return { failure: failureOf(event, context.name) };
  if (event.type === 'peer.located') {
    const message = `${context.name} has no address that this machine can reach; it may be offline`;
    return { failure: { code: 'peer-unreachable', message } };
  }
  return {};
});

const tellWaitersReady = base.enqueueActions(({ context, enqueue, self }) => {
  const ready: SessionAnswer = {
    type: 'session.ready',
    session: self,
    window: windowOf(context.congestion),
    atMs: context.atMs ?? context.openedAtMs,
  };
  for (const waiter of context.waiters) enqueue.sendTo(waiter, ready);
  enqueue.assign({ waiters: [] });
});

const tellWaitersFailed = base.enqueueActions(({ context, enqueue }) => {
  const { failure } = context;
  if (failure === undefined) return;
  for (const waiter of context.waiters) enqueue.sendTo(waiter, { type: 'session.failed', failure });
  for (const { requester, question, ticket } of context.heldBack) {
    const window = windowOf(context.congestion);
    if (requester !== undefined) {
      enqueue.sendTo(requester, { type: 'request.failed', question, ticket, refused: true, failure, sends: 1, window });
    }
  }
  enqueue.assign({ waiters: [], heldBack: [] });
});

function answerFor(context: OutgoingSessionContext, ended: RequestEnded): SessionAnswer | undefined {
  const { order, outcome, sends } = ended;
  const window = windowOf(context.congestion);
  if (outcome.kind !== 'answered') {
    const failure = failureOf(ended, context.name);
    const refused = outcome.kind === 'refused';
    return { type: 'request.failed', question: order.question, ticket: order.ticket, refused, failure, sends, window };
  }
  const atMs = ended.atMs ?? context.openedAtMs;
  const { answer } = outcome;
  if (answer.type === 'Root') {
    return { type: 'root.received', root: answer.hash, authenticated: context.key !== undefined, sends, window, atMs };
  }
  if (answer.type === 'Datum') {
    return { type: 'node.received', hash: answer.hash, value: answer.value, sends, window, atMs };
  }
  if (answer.type === 'NoDatum') return { type: 'node.absent', hash: answer.hash, sends, window, atMs };
  return undefined;
}

const passOn = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'request.ended' || event.order.requester === undefined) return;
  const answer = answerFor(context, event);
  if (answer !== undefined) enqueue.sendTo(event.order.requester, answer);
});

/** The slots end with this session: nothing that comes late may be routed to them. */
const dropRoutes = base.enqueueActions(({ context, enqueue }) => {
  const ids = freeSlotsOf(context).flatMap((slot) => slot.ids);
  for (const socket of [context.sockets.ipv4, context.sockets.ipv6]) {
    if (socket !== undefined) enqueue.sendTo(socket, { type: 'routes.dropped', ids });
  }
});

const reportEstablished = base.sendTo(
  ({ context }) => context.owner,
  ({ context }) => ({
    type: 'session.established',
    session: context.id,
    name: context.name,
    address: currentAddress(context),
    key: context.key,
    atMs: context.openedAtMs,
  }),
);

const reportLost = base.sendTo(
  ({ context }) => context.owner,
  ({ context }) => ({ type: 'session.lost', session: context.id, name: context.name, failure: context.failure }),
);

const askForTraversal = base.sendTo(
  ({ context }) => context.owner,
  ({ context }) => ({ type: 'traversal.wanted', address: currentAddress(context) }),
);

nameActions({
  greet,
  askRoot,
  askNodes,
  askHeldBack,
  noteTime,
  noteUse,
  addWaiter,
  useLocated,
  useNextAddress,
  useFirstAddressAgain,
  adopt,
  settle,
  noteOpened,
  holdBackRefused,
  holdBackWanted,
  countRegreeting,
  noteRenewing,
  noteRenewalEnded,
  useSockets,
  noteFailure,
  tellWaitersReady,
  tellWaitersFailed,
  passOn,
  dropRoutes,
  reportEstablished,
  reportLost,
  askForTraversal,
});

export const outgoingSessionMachine = base.createMachine({
  id: 'outgoing-session',
  description: 'Our one-way session towards a peer or directory (protocol §5).',
  context: ({ input }) => ({
    ...input,
    key: input.located?.key,
    addresses: [],
    attempt: 0,
    traversed: false,
    waiters: [],
    atMs: undefined,
    openedAtMs: 0,
    usedAtMs: 0,
    renewing: false,
    zeroEndingIds: false,
    congestion: initialCongestion,
    freeSlots: undefined,
    slots: 0,
    heldBack: [],
    regreetings: 0,
    failure: undefined,
  }),
  initial: 'closed',
  on: {
    'sockets.changed': { actions: useSockets },
    'session.open': { actions: addWaiter },
    'root.wanted': { actions: holdBackWanted },
    'nodes.wanted': { actions: holdBackWanted },
    'session.greet': { target: '.greeting', actions: [noteTime, useLocated] },
    'session.adopt': { target: '.established', actions: adopt },
    'request.ended': [
      { guard: 'isHello', actions: settle },
      { guard: 'isRefusal', actions: [settle, holdBackRefused] },
      { actions: [settle, passOn] },
    ],
  },
  states: {
    closed: {
      description: 'No session: never opened, failed, or expired.',
      on: {
        sweep: { guard: 'isIdle', target: 'ended' },
        'session.open': [
          { guard: 'isLocated', target: 'greeting', actions: [addWaiter, useLocated] },
          { target: 'locating', actions: addWaiter },
        ],
        'root.wanted': [
          { guard: 'isLocated', target: 'greeting', actions: [holdBackWanted, useLocated] },
          { target: 'locating', actions: holdBackWanted },
        ],
        'nodes.wanted': [
          { guard: 'isLocated', target: 'greeting', actions: [holdBackWanted, useLocated] },
          { target: 'locating', actions: holdBackWanted },
        ],
      },
    },
    locating: {
      description: 'Asking the directory for addresses and key.',
      entry: { type: 'locatePeer', params: ({ context }) => ({ name: context.name }) },
      on: {
        'peer.located': [
          { guard: 'hasNoSocket', target: 'failing', actions: [noteTime, noteFailure] },
          { target: 'greeting', actions: [noteTime, useLocated] },
        ],
        'peer.notLocated': { target: 'failing', actions: noteFailure },
      },
    },
    greeting: {
      description: 'Hello is on its way, repeated until HelloReply.',
      entry: greet,
      on: {
        'request.ended': [
          { guard: 'isHelloAnswered', target: 'established', actions: [settle, noteOpened] },
          { guard: 'hasNextAddress', target: 'greeting', reenter: true, actions: [settle, useNextAddress] },
          { guard: 'canTraverse', target: 'traversing', actions: settle },
          { guard: 'isHello', target: 'failing', actions: [settle, noteFailure] },
        ],
      },
    },
    traversing: {
      description: 'The directory was asked to have the other side open its NAT (protocol §8).',
      entry: [useFirstAddressAgain, askForTraversal],
      after: { traversalPause: 'greeting' },
    },
    established: {
      description: 'HelloReply has come: we may ask and push for one hour.',
      entry: [reportEstablished, tellWaitersReady, askHeldBack],
      on: {
        'session.open': { actions: [addWaiter, noteUse, tellWaitersReady] },
        'session.adopt': [{ guard: 'isElsewhere', actions: [adopt, reportEstablished] }, { actions: adopt }],
        'root.wanted': { actions: [noteUse, askRoot] },
        'nodes.wanted': { actions: [noteUse, askNodes] },
        'request.ended': [
          { guard: 'isDataAnswered', actions: [settle, passOn] },
          { guard: 'isHelloAnswered', actions: [settle, noteOpened] },
          { guard: 'isHello', actions: [settle, noteRenewalEnded] },
          { guard: 'isFirstRefusal', target: 'greeting', actions: [settle, holdBackRefused, countRegreeting] },
          { actions: [settle, passOn] },
        ],
        sweep: [
          { guard: 'isExpired', target: 'closed', actions: reportLost },
          { guard: 'isDueForRenewal', actions: [noteTime, noteRenewing, greet] },
        ],
      },
    },
    failing: {
      description: 'Whoever waits is told why there is no session.',
      entry: [tellWaitersFailed, reportLost],
      always: 'closed',
    },
    ended: {
      type: 'final',
      description: 'Nobody wants it any more; it is opened anew when somebody does.',
      entry: dropRoutes,
    },
  },
});
