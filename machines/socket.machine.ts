/**
 * One local UDP address: hands every datagram that comes in to the actor it is meant for (protocol §4).
 * Answers go by id *and* source to the request that waits for them; requests go by source to their session;
 * whatever belongs to nobody goes to the owner.
 */
import { type AnyActorRef, setup } from 'xstate';
import { emptyTable, entryOf, type Table, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import { type Datagram, decodeDatagram, type ReceivedDatagram } from '../src/wire/datagram.ts';
import type { Decoded } from '../src/wire/decoded.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { effect } from './effects.ts';
import type { Delivery } from './events.ts';
import { nameActions } from './named.ts';
import { timing } from './timing.ts';

/** Answers that come from `to` under one of `ids` go to the actor `to` of the route. */
export interface AnswerRoute {
  readonly ids: readonly number[];
  readonly staleIds: readonly number[];
  readonly to: AnyActorRef;
}

export type SocketEvent =
  | { readonly type: 'socket.opened'; readonly address: SocketAddress }
  | { readonly type: 'socket.failed'; readonly why: string }
  | {
      readonly type: 'datagram.received';
      readonly bytes: Uint8Array;
      readonly from: SocketAddress;
      readonly atMs: number;
    }
  | {
      readonly type: 'datagram.send';
      readonly bytes: Uint8Array;
      readonly to: SocketAddress;
      readonly route?: AnswerRoute;
    }
  | { readonly type: 'datagram.dropped'; readonly why: string }
  | { readonly type: 'source.routed'; readonly source: SocketAddress; readonly to: AnyActorRef }
  | { readonly type: 'source.unrouted'; readonly source: SocketAddress }
  | { readonly type: 'routes.dropped'; readonly ids: readonly number[] };

export interface SocketInput {
  readonly index: number;
  readonly bind: SocketAddress;
  readonly owner: AnyActorRef;
}

interface Route {
  readonly address: SocketAddress;
  readonly to: AnyActorRef;
}

export interface SocketContext extends SocketInput {
  readonly address: SocketAddress | undefined;
  readonly routes: Table<Route>;
  readonly sources: Table<AnyActorRef>;
  readonly dropped: Readonly<Record<string, number>>;
}

type Received = Extract<SocketEvent, { type: 'datagram.received' }>;

/** Guards and actions of one event look at the same datagram: it is decoded once. */
let lastBytes: Uint8Array | undefined;
let lastDecoded: Decoded<ReceivedDatagram> = { ok: false, why: 'nothing decoded' };
function decoded(event: SocketEvent): Decoded<ReceivedDatagram> {
  const { bytes } = event as Received;
  if (bytes !== lastBytes) {
    lastDecoded = decodeDatagram(bytes);
    lastBytes = bytes;
  }
  return lastDecoded;
}

function datagramOf(event: SocketEvent): Datagram | undefined {
  const result = decoded(event);
  return result.ok ? result.value.datagram : undefined;
}

function delivery(event: SocketEvent, socket: AnyActorRef): Delivery {
  const { bytes, from, atMs } = event as Received;
  const result = decoded(event) as { value: ReceivedDatagram };
  return { received: result.value, from, size: bytes.length, atMs, socket };
}

function routeOf(context: SocketContext, event: SocketEvent): Route | undefined {
  const datagram = datagramOf(event);
  if (datagram === undefined || datagram.id === 0 || isRequest(datagram)) return undefined;
  const route = entryOf(context.routes, datagram.id);
  return route !== undefined && sameAddress(route.address, (event as Received).from) ? route : undefined;
}

function isRequest(datagram: Datagram): boolean {
  switch (datagram.type) {
    case 'Hello':
    case 'RootRequest':
    case 'GetDatum':
      return true;
    case 'Unknown':
      return datagram.code < 128;
    default:
      return false;
  }
}

/** What may come without having been asked for (protocol §4, §5, §8). */
function mayComeUnasked(datagram: Datagram): boolean {
  switch (datagram.type) {
    case 'HelloReply':
    case 'Root':
      return datagram.id === 0;
    case 'NatTraversalClient':
    case 'NatTraversalServer':
    case 'Error':
      return true;
    default:
      return false;
  }
}

function counted(dropped: Readonly<Record<string, number>>, why: string): Readonly<Record<string, number>> {
  return { ...dropped, [why]: (dropped[why] ?? 0) + 1 };
}

const base = setup({
  types: { context: {} as SocketContext, events: {} as SocketEvent, input: {} as SocketInput },
  actions: {
    openSocket: effect<{ bind: SocketAddress }>('openSocket'),
    closeSocket: effect<undefined>('closeSocket'),
    transmit: effect<{ bytes: Uint8Array; to: SocketAddress }>('transmit'),
  },
  guards: {
    isMalformed: ({ event }) => !decoded(event).ok,
    isExpectedAnswer: ({ context, event }) => routeOf(context, event) !== undefined,
    isFromSession: ({ context, event }) => {
      const datagram = datagramOf(event);
      return (
        datagram !== undefined &&
        isRequest(datagram) &&
        entryOf(context.sources, formatAddress((event as Received).from)) !== undefined
      );
    },
    isRequest: ({ event }) => {
      const datagram = datagramOf(event);
      return datagram !== undefined && isRequest(datagram);
    },
    isUnsolicited: ({ event }) => {
      const datagram = datagramOf(event);
      return datagram !== undefined && mayComeUnasked(datagram);
    },
  },
  delays: { reopenPause: timing.socketReopen },
});

const countMalformed = base.assign(({ context }) => ({ dropped: counted(context.dropped, 'malformed') }));
const countUnexpected = base.assign(({ context }) => ({ dropped: counted(context.dropped, 'answer to no request') }));
const countDropped = base.assign(({ context, event }) =>
  event.type === 'datagram.dropped' ? { dropped: counted(context.dropped, event.why) } : {},
);

const forwardAnswer = base.sendTo(
  ({ context, event }) => (routeOf(context, event) as Route).to,
  ({ event, self }) => {
    const { received, from, atMs } = delivery(event, self);
    return { type: 'answer.received', answer: received, from, atMs };
  },
);
const forwardRequest = base.sendTo(
  ({ context, event }) => entryOf(context.sources, formatAddress((event as Received).from)) as AnyActorRef,
  ({ event, self }) => ({ type: 'request.received', ...delivery(event, self) }),
);
const forwardStranger = base.sendTo(
  ({ context }) => context.owner,
  ({ event, self }) => ({ type: 'stranger.asked', ...delivery(event, self) }),
);
const forwardUnsolicited = base.sendTo(
  ({ context }) => context.owner,
  ({ event, self }) => ({ type: 'datagram.unsolicited', ...delivery(event, self) }),
);

/** Routes live until their slot's next request: one event a request less. */
const routeAnswers = base.assign(({ context, event }) => {
  if (event.type !== 'datagram.send') return {};
  const { route, to } = event;
  if (route === undefined) return {};
  let { routes } = context;
  for (const id of route.staleIds) routes = withoutEntry(routes, id);
  for (const id of route.ids) {
    if (entryOf(routes, id)?.to !== route.to) routes = withEntry(routes, id, { address: to, to: route.to });
  }
  return { routes };
});

const transmitDatagram = {
  type: 'transmit' as const,
  params: ({ event }: { event: SocketEvent }) => event as Extract<SocketEvent, { type: 'datagram.send' }>,
};

const routeSource = base.assign(({ context, event }) =>
  event.type === 'source.routed' ? { sources: withEntry(context.sources, formatAddress(event.source), event.to) } : {},
);
const unrouteSource = base.assign(({ context, event }) =>
  event.type === 'source.unrouted' ? { sources: withoutEntry(context.sources, formatAddress(event.source)) } : {},
);
const dropRoutes = base.assign(({ context, event }) =>
  event.type === 'routes.dropped' ? { routes: event.ids.reduce(withoutEntry, context.routes) } : {},
);

const rememberAddress = base.assign(({ event }) => (event.type === 'socket.opened' ? { address: event.address } : {}));
const reportReady = base.sendTo(
  ({ context }) => context.owner,
  ({ context, self }) => ({ type: 'socket.ready', index: context.index, address: context.address, socket: self }),
);
const reportLost = base.sendTo(
  ({ context }) => context.owner,
  ({ context, event }) => ({
    type: 'socket.lost',
    index: context.index,
    why: event.type === 'socket.failed' ? event.why : '',
  }),
);

nameActions({
  countMalformed,
  countUnexpected,
  countDropped,
  forwardAnswer,
  forwardRequest,
  forwardStranger,
  forwardUnsolicited,
  routeAnswers,
  routeSource,
  unrouteSource,
  dropRoutes,
  rememberAddress,
  reportReady,
  reportLost,
});

export const socketMachine = base.createMachine({
  id: 'socket',
  description: 'One local UDP address; routes answers by id and source, requests by source (protocol §4).',
  context: ({ input }) => ({
    ...input,
    address: undefined,
    routes: emptyTable<Route>(),
    sources: emptyTable<AnyActorRef>(),
    dropped: {},
  }),
  initial: 'opening',
  on: {
    'source.routed': { actions: routeSource },
    'source.unrouted': { actions: unrouteSource },
    'routes.dropped': { actions: dropRoutes },
    'datagram.dropped': { actions: countDropped },
  },
  states: {
    opening: {
      description: 'Binding the local address.',
      entry: { type: 'openSocket', params: ({ context }) => ({ bind: context.address ?? context.bind }) },
      on: {
        'socket.opened': { target: 'open', actions: [rememberAddress, reportReady] },
        'socket.failed': { target: 'broken', actions: reportLost },
      },
    },
    open: {
      description: 'Datagrams go in and out.',
      exit: { type: 'closeSocket' },
      on: {
        'datagram.received': [
          { guard: 'isMalformed', actions: countMalformed },
          { guard: 'isExpectedAnswer', actions: forwardAnswer },
          { guard: 'isFromSession', actions: forwardRequest },
          { guard: 'isRequest', actions: forwardStranger },
          { guard: 'isUnsolicited', actions: forwardUnsolicited },
          { actions: countUnexpected },
        ],
        'datagram.send': { actions: [routeAnswers, transmitDatagram] },
        'socket.failed': { target: 'broken', actions: reportLost },
      },
    },
    broken: {
      description:
        'Could not be bound, or failed; tried again after a pause. What is sent meanwhile is lost, as on any network.',
      after: { reopenPause: 'opening' },
    },
  },
});
