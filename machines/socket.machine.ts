/**
 * One local UDP address: hands every datagram that comes in to the actor it is meant for (protocol §4), and sends what actors
 * want sent.
 */
import { assertEvent, setup } from 'xstate';
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
import { type CheckRoute, type RequestRoute, type Route, type Source, sortArrivals } from './datagram-sorting.ts';
import { effect } from './effects.ts';
import type { AnswersDelivered } from './events.ts';
import type { Ref, RefFor } from './messages.ts';
import type { ChecksSend } from './path-checks.machine.ts';
import { type StrangerBudget, type StrangerLimit, strangerBudget } from './stranger-budget.ts';
import { timing } from './timing.ts';

/** Answers under one of `ids` go to the actor `to`, until `routes.dropped`; those under one of `formerIds` to nobody. */
export interface AnswerRoute {
  readonly ids: readonly number[];
  readonly formerIds: readonly number[];
  readonly to: RefFor<'socket', 'request'>;
  readonly owner: Ref<AnswersDelivered>;
}

/** To be sent, in this order. */
export interface DatagramsSend {
  readonly type: 'datagrams.send';
  readonly datagrams: readonly Uint8Array[];
  readonly to: SocketAddress;
  readonly route?: AnswerRoute;
}

export type SocketEvent =
  /** `receiveBufferBytes`: of what was not read yet; undefined if the system does not say. */
  | { readonly type: 'socket.opened'; readonly address: SocketAddress; readonly receiveBufferBytes?: number }
  | { readonly type: 'socket.failed'; readonly why: string }
  /** What came in one turn of the event loop. */
  | { readonly type: 'datagrams.received'; readonly arrivals: readonly Arrival[]; readonly atMs: number }
  | DatagramsSend
  | ChecksSend
  /** The operating system refuses to send there: no route, or a closed port. */
  | { readonly type: 'datagrams.refused'; readonly to: SocketAddress; readonly why: string }
  | { readonly type: 'datagrams.dropped'; readonly why: string; readonly count: number }
  | {
      readonly type: 'source.routed';
      readonly source: SocketAddress;
      readonly to: RefFor<'socket', 'incoming-session'>;
      readonly isProven: boolean;
    }
  /** `isCutOff`: whoever asked there, too, was stopped in the middle; answers to that are nobody's any more. */
  | { readonly type: 'source.unrouted'; readonly source: SocketAddress; readonly isCutOff: boolean }
  | { readonly type: 'routes.dropped'; readonly ids: readonly number[] };

export interface SocketInput {
  readonly index: number;
  readonly bind: SocketAddress;
  readonly owner: RefFor<'socket', 'peer'>;
  /** What is handed on of those who have not proven to be there. */
  readonly strangers: StrangerLimit;
  /** Addresses that were proven, if the owner keeps them: it changes the map in place. */
  readonly proven?: ReadonlyMap<string, unknown>;
}

export interface SocketContext extends Omit<SocketInput, 'strangers'> {
  readonly address: SocketAddress | undefined;
  readonly routes: Table<Route>;
  readonly sources: Table<Source>;
  readonly strangers: StrangerBudget;
  readonly unasked: StrangerBudget;
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

/** A session that is put away says nothing about what it has asked; whoever else asks there routes its answers with the next send. */
function idsAt(routes: Table<Route>, source: SocketAddress): number[] {
  return routesAt(routes, source).map(([id]) => id as number);
}

function routesAt(routes: Table<Route>, address: SocketAddress) {
  return [...entriesOf(routes)].filter(([, route]) => sameAddress(route.address, address));
}

const socketSetup = base.extend({
  actions: {
    sort: base.enqueueActions(({ context, event, enqueue, self }) => {
      assertEvent(event, 'datagrams.received');
      const sorted = sortArrivals(event.arrivals, event.atMs, self, context);
      const { deliveries, malformed, unexpected, crowd, strangers, unasked } = sorted;
      for (const { to, event: delivery } of deliveries) enqueue.sendTo(to, delivery);
      if (strangers !== context.strangers) enqueue.assign({ strangers });
      if (unasked !== context.unasked) enqueue.assign({ unasked });
      if (malformed + unexpected + crowd === 0) return;
      let dropped = counted(context.dropped, 'malformed', malformed);
      dropped = counted(dropped, 'answer to no request', unexpected);
      enqueue.assign({ dropped: counted(dropped, 'too many strangers', crowd) });
    }),

    countDropped: base.assign(({ context, event }) => {
      assertEvent(event, 'datagrams.dropped');
      return { dropped: counted(context.dropped, event.why, event.count) };
    }),

    /** Whoever waits for an answer from there hears at once that none will come. */
    tellRefused: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'datagrams.refused');
      // For a check nothing is lost: the session asks again.
      const waiting = new Set(routesAt(context.routes, event.to).flatMap(([, { to, owner }]) => (owner ? [to] : [])));
      for (const to of waiting) enqueue.sendTo(to, { type: 'send.failed', why: event.why });
      enqueue.assign({ dropped: counted(context.dropped, 'could not be sent', 1) });
    }),

    routeAnswers: base.assign(({ context, event }) => {
      assertEvent(event, 'datagrams.send');
      if (event.route === undefined) return {};
      const { route, to } = event;
      const entry: RequestRoute = { address: to, to: route.to, owner: route.owner };
      const routes = withoutEntries(context.routes, route.formerIds);
      return {
        routes: withEntries(
          routes,
          route.ids.map((id) => [id, entry]),
        ),
      };
    }),

    sendChecks: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'checks.send');
      const { checks, by } = event;
      const entries = checks.map(({ id, to: address }): [number, CheckRoute] => [id, { address, to: by }]);
      enqueue.assign({ routes: withEntries<Route>(context.routes, entries) });
      for (const { bytes, to } of checks) enqueue({ type: 'transmit', params: { datagrams: [bytes], to } });
    }),

    routeSource: base.assign(({ context, event }) => {
      assertEvent(event, 'source.routed');
      const { source, to, isProven } = event;
      return { sources: withEntry(context.sources, formatAddress(source), { to, isProven }) };
    }),

    unrouteSource: base.assign(({ context, event }) => {
      assertEvent(event, 'source.unrouted');
      return {
        sources: withoutEntry(context.sources, formatAddress(event.source)),
        routes: event.isCutOff ? withoutEntries(context.routes, idsAt(context.routes, event.source)) : context.routes,
      };
    }),

    dropRoutes: base.assign(({ context, event }) => {
      assertEvent(event, 'routes.dropped');
      return { routes: withoutEntries(context.routes, event.ids) };
    }),

    rememberAddress: base.assign(({ event }) => {
      assertEvent(event, 'socket.opened');
      return { address: event.address };
    }),

    reportReady: base.sendTo(
      ({ context }) => context.owner,
      ({ event, context, self }) => {
        assertEvent(event, 'socket.opened');
        const { address, receiveBufferBytes } = event;
        return { type: 'socket.ready', index: context.index, address, receiveBufferBytes, socket: self };
      },
    ),

    reportLost: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => {
        assertEvent(event, 'socket.failed');
        return { type: 'socket.lost', index: context.index, why: event.why };
      },
    ),
  },
});

export const socketMachine = socketSetup.createMachine({
  id: 'socket',
  description: 'One local UDP address; routes answers by id and source, requests by source (protocol §4).',
  context: ({ input }) => ({
    ...input,
    address: undefined,
    routes: emptyTable<Route>(),
    sources: emptyTable<Source>(),
    strangers: strangerBudget(input.strangers),
    unasked: strangerBudget(input.strangers),
    dropped: {},
  }),
  initial: 'opening',
  on: {
    'source.routed': { actions: 'routeSource' },
    'source.unrouted': { actions: 'unrouteSource' },
    'routes.dropped': { actions: 'dropRoutes' },
    'datagrams.dropped': { actions: 'countDropped' },
  },
  states: {
    opening: {
      description: 'Binding the local address.',
      entry: { type: 'openSocket', params: ({ context }) => ({ bind: context.address ?? context.bind }) },
      on: {
        'socket.opened': { target: 'open', actions: ['rememberAddress', 'reportReady'] },
        'socket.failed': { target: 'broken', actions: 'reportLost' },
      },
    },
    open: {
      description: 'Datagrams go in and out.',
      exit: 'closeSocket',
      on: {
        'datagrams.received': {
          description:
            'Answers go by id and source to whoever waits for them, requests by source to their session; strangers’ requests and what came unasked go to the owner; the rest is counted and dropped.',
          actions: 'sort',
        },
        'datagrams.refused': { actions: 'tellRefused' },
        'datagrams.send': { actions: ['routeAnswers', { type: 'transmit', params: ({ event }) => event }] },
        'checks.send': { actions: 'sendChecks' },
        'socket.failed': { target: 'broken', actions: 'reportLost' },
      },
    },
    broken: {
      description:
        'Could not be bound, or failed; tried again after a pause. What is sent meanwhile is lost, as on any network.',
      after: { reopenPause: 'opening' },
    },
  },
});
