/**
 * One local UDP address: hands every datagram that comes in to the actor it is meant for (protocol §4), and sends what actors
 * want sent.
 */
import { type AnyActorRef, setup } from 'xstate';
import {
  emptyTable,
  entriesOf,
  type Table,
  withEntries,
  withEntry,
  withoutEntries,
  withoutEntry,
} from '../src/merkle/hash-table.ts';
import type { Arrival } from '../src/wire/datagram.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { type Route, sortArrivals } from './datagram-sorting.ts';
import { effect } from './effects.ts';
import { nameActions } from './named.ts';
import { timing } from './timing.ts';

/** Answers under one of `ids` go to the actor `to`, until `routes.dropped`. */
export interface AnswerRoute {
  readonly ids: readonly number[];
  readonly to: AnyActorRef;
}

/** To be sent, in this order. */
export interface DatagramsSend {
  readonly type: 'datagrams.send';
  readonly datagrams: readonly Uint8Array[];
  readonly to: SocketAddress;
  readonly route?: AnswerRoute;
}

export type SocketEvent =
  | { readonly type: 'socket.opened'; readonly address: SocketAddress }
  | { readonly type: 'socket.failed'; readonly why: string }
  /** What came in one turn of the event loop. */
  | { readonly type: 'datagrams.received'; readonly arrivals: readonly Arrival[]; readonly atMs: number }
  | DatagramsSend
  | { readonly type: 'datagrams.dropped'; readonly why: string; readonly count: number }
  | { readonly type: 'source.routed'; readonly source: SocketAddress; readonly to: AnyActorRef }
  /** `isCutOff`: whoever asked there, too, was stopped in the middle; answers to that are nobody's any more. */
  | { readonly type: 'source.unrouted'; readonly source: SocketAddress; readonly isCutOff: boolean }
  | { readonly type: 'routes.dropped'; readonly ids: readonly number[] };

export interface SocketInput {
  readonly index: number;
  readonly bind: SocketAddress;
  readonly owner: AnyActorRef;
}

export interface SocketContext extends SocketInput {
  readonly address: SocketAddress | undefined;
  readonly routes: Table<Route>;
  readonly sources: Table<AnyActorRef>;
  /** How many, by why. */
  readonly dropped: Drops;
}

type Drops = Readonly<Record<string, number>>;

function counted(dropped: Drops, why: string, count: number): Drops {
  return count === 0 ? dropped : { ...dropped, [why]: (dropped[why] ?? 0) + count };
}

const base = setup({
  types: { context: {} as SocketContext, events: {} as SocketEvent, input: {} as SocketInput },
  actions: {
    openSocket: effect<{ bind: SocketAddress }>('openSocket'),
    closeSocket: effect<undefined>('closeSocket'),
    transmit: effect<{ datagrams: readonly Uint8Array[]; to: SocketAddress }>('transmit'),
  },
  delays: { reopenPause: timing.socketReopen },
});

const sort = base.enqueueActions(({ context, event, enqueue, self }) => {
  if (event.type !== 'datagrams.received') return;
  const { deliveries, malformed, unexpected } = sortArrivals(event.arrivals, event.atMs, self, context);
  for (const { to, event: delivery } of deliveries) enqueue.sendTo(to, delivery);
  if (malformed + unexpected === 0) return;
  const dropped = counted(context.dropped, 'malformed', malformed);
  enqueue.assign({ dropped: counted(dropped, 'answer to no request', unexpected) });
});

const countDropped = base.assign(({ context, event }) =>
  event.type === 'datagrams.dropped' ? { dropped: counted(context.dropped, event.why, event.count) } : {},
);

const routeAnswers = base.assign(({ context, event }) => {
  if (event.type !== 'datagrams.send' || event.route === undefined) return {};
  const { route, to } = event;
  const entry: Route = { address: to, to: route.to };
  return {
    routes: withEntries(
      context.routes,
      route.ids.map((id) => [id, entry]),
    ),
  };
});

const transmitDatagrams = {
  type: 'transmit' as const,
  params: ({ event }: { event: SocketEvent }) => event as DatagramsSend,
};

const routeSource = base.assign(({ context, event }) =>
  event.type === 'source.routed' ? { sources: withEntry(context.sources, formatAddress(event.source), event.to) } : {},
);
/** A session that is put away says nothing about what it has asked; whoever else asks there routes its answers with the next send. */
function idsAt(routes: Table<Route>, source: SocketAddress): number[] {
  return [...entriesOf(routes)].flatMap(([id, { address }]) => (sameAddress(address, source) ? [id as number] : []));
}

const unrouteSource = base.assign(({ context, event }) =>
  event.type === 'source.unrouted'
    ? {
        sources: withoutEntry(context.sources, formatAddress(event.source)),
        routes: event.isCutOff ? withoutEntries(context.routes, idsAt(context.routes, event.source)) : context.routes,
      }
    : {},
);
const dropRoutes = base.assign(({ context, event }) =>
  event.type === 'routes.dropped' ? { routes: withoutEntries(context.routes, event.ids) } : {},
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
  sort,
  countDropped,
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
    'datagrams.dropped': { actions: countDropped },
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
        'datagrams.received': {
          description:
            'Answers go by id and source to whoever waits for them, requests by source to their session; strangers’ requests and what came unasked go to the owner; the rest is counted and dropped.',
          actions: sort,
        },
        'datagrams.send': { actions: [routeAnswers, transmitDatagrams] },
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
