/**
 * Whom a datagram is for (protocol §4). Answers go by id *and* source to whoever waits for them; requests go by source to their
 * session; whatever belongs to nobody goes to the owner of the socket. Requests for nodes go together, in one event for each
 * session, and so do Nodes that answer one request; after the answers, each session that they belong to hears that all of them were
 * handed over.
 */
import type { EventObject } from 'xstate';
import { entryOf, type Table } from '../src/merkle/hash-table.ts';
import {
  type Arrival,
  codeIn,
  type Datagram,
  decodeDatagram,
  isRequest,
  type ReceivedDatagram,
  typeCode,
} from '../src/wire/datagram.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import type { AnswersDelivered, BulkRequest, Delivery, NodeRequest, NodesDatagram } from './events.ts';
import type { Ref, RefFor, SocketRef } from './messages.ts';
import { decide, type StrangerBudget } from './stranger-budget.ts';

const HELLO = 0;

/** Answers that come from `address` go to the actor `to`. */
export type Route = RequestRoute | CheckRoute;

/** `owner` hears when all that came in one turn were handed over. */
export interface RequestRoute {
  readonly address: SocketAddress;
  readonly to: RefFor<'socket', 'request'>;
  readonly owner: Ref<AnswersDelivered>;
}

export interface CheckRoute {
  readonly address: SocketAddress;
  readonly to: RefFor<'socket', 'path-checks'>;
  readonly owner?: undefined;
}

export interface Routing {
  readonly owner: RefFor<'socket', 'peer'>;
  /** By the id of the request that is answered. */
  readonly routes: Table<Route>;
  /** Sessions by the address of whoever asks. */
  readonly sources: Table<Source>;
  /** Addresses beside those that were proven; whoever owns the socket changes them in place. */
  readonly proven?: ReadonlyMap<string, unknown> | undefined;
  /** What is left for requests of everybody else. */
  readonly strangers: StrangerBudget;
  /** And for what they say unasked: keep-alives take nothing from whoever asks. */
  readonly unasked: StrangerBudget;
}

export interface Source {
  readonly to: RefFor<'socket', 'incoming-session'>;
  /** Somebody is there. */
  readonly isProven: boolean;
}

/** To be handed to an actor; that it accepts the event was checked when this was made. */
export interface Letter {
  readonly to: Ref<EventObject>;
  readonly event: EventObject;
}

function letter<TEvent extends EventObject>(to: Ref<TEvent>, event: NoInfer<TEvent>): Letter {
  return { to: to as Ref<EventObject>, event };
}

export interface Sorted {
  readonly deliveries: readonly Letter[];
  readonly malformed: number;
  /** Answers that nobody waits for. */
  readonly unexpected: number;
  /** Of strangers: requests, and what nobody asked for, that were too many. */
  readonly crowd: number;
  /** What is left for strangers. */
  readonly strangers: StrangerBudget;
  readonly unasked: StrangerBudget;
}

/** Sorts what has come to `socket` in one turn of the event loop. */
export function sortArrivals(
  arrivals: readonly Arrival[],
  atMs: number,
  socket: SocketRef,
  { owner, routes, sources, proven, strangers, unasked }: Routing,
): Sorted {
  const single: Letter[] = [];
  const answered = new Set<Ref<AnswersDelivered>>();
  const requests = new Map<RefFor<'socket', 'incoming-session'>, { requests: NodeRequest[]; size: number }>();
  const bulk = new Map<RefFor<'socket', 'incoming-session'>, { requests: BulkRequest[]; size: number }>();
  const nodes = new Map<RequestRoute['to'], { answers: NodesDatagram[] }>();
  let malformed = 0;
  let unexpected = 0;
  let crowd = 0;
  const budgets = { strangers, unasked };
  /** Whoever has not proven to be there pays, as long as there is something left. */
  const isTooMany = (of: keyof typeof budgets, from: SocketAddress, source: string, code: number | undefined) => {
    if ((proven?.has(source) ?? false) || !mustPay(entryOf(sources, source), code)) return false;
    const { isAdmitted, left } = decide(budgets[of], from, atMs);
    budgets[of] = left;
    if (!isAdmitted) crowd += 1;
    return !isAdmitted;
  };
  for (const arrival of arrivals) {
    const { bytes, from } = arrival;
    const code = codeIn(bytes);
    const source = code !== undefined && isRequest(code) ? formatAddress(from) : '';
    const session = source === '' ? undefined : entryOf(sources, source);
    if (source !== '' && isTooMany('strangers', from, source, code)) continue;
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) {
      malformed += 1;
      continue;
    }
    const { datagram } = decoded.value;
    if (isRequest(typeCode(datagram))) {
      if (session === undefined) {
        single.push(letter(owner, { type: 'stranger.asked', ...deliver(decoded.value, arrival, socket, atMs) }));
      } else if (datagram.type === 'GetDatum') {
        const batch = grouped(requests, session.to, () => ({ requests: [], size: 0 }));
        batch.requests.push(datagram);
        batch.size += bytes.length;
      } else if (datagram.type === 'GetNodes') {
        const batch = grouped(bulk, session.to, () => ({ requests: [], size: 0 }));
        batch.requests.push(datagram);
        batch.size += bytes.length;
      } else {
        single.push(letter(session.to, { type: 'request.received', ...deliver(decoded.value, arrival, socket, atMs) }));
      }
      continue;
    }
    const route = datagram.id === 0 ? undefined : entryOf(routes, datagram.id);
    if (route !== undefined && sameAddress(route.address, from)) {
      if (route.owner === undefined) {
        single.push(letter(route.to, { type: 'answer.received', answer: decoded.value, from, atMs }));
        continue;
      }
      if (datagram.type === 'Nodes') {
        grouped(nodes, route.to, () => ({ answers: [] })).answers.push(datagram);
        answered.add(route.owner);
        continue;
      }
      single.push(letter(route.to, { type: 'answer.received', answer: decoded.value, from, atMs }));
      if (datagram.type === 'Datum' || datagram.type === 'NoDatum') answered.add(route.owner);
    } else if (mayComeUnasked(datagram)) {
      if (isTooMany('unasked', from, formatAddress(from), code)) continue;
      single.push(letter(owner, { type: 'datagram.unsolicited', ...deliver(decoded.value, arrival, socket, atMs) }));
    } else {
      unexpected += 1;
    }
  }
  const batches = [
    ...Array.from(nodes, ([to, batch]) => letter(to, { type: 'answers.received', ...batch, atMs })),
    ...Array.from(answered, (to) => letter(to, { type: 'answers.delivered', atMs })),
    ...Array.from(requests, ([to, batch]) => letter(to, { type: 'nodes.requested', ...batch, atMs })),
    ...Array.from(bulk, ([to, batch]) => letter(to, { type: 'bulk.requested', ...batch, atMs })),
  ];
  return { deliveries: [...single, ...batches], malformed, unexpected, crowd, ...budgets };
}

/** Whoever has not proven to be there: for everything without a session, and in a session for Hello, which costs most. */
function mustPay(session: Source | undefined, code: number | undefined): boolean {
  return session === undefined || (!session.isProven && code === HELLO);
}

function deliver(received: ReceivedDatagram, { bytes, from }: Arrival, socket: SocketRef, atMs: number): Delivery {
  return { received, from, size: bytes.length, atMs, socket };
}

/** What is gathered for an actor. */
function grouped<K, T>(groups: Map<K, T>, to: K, begin: () => T): T {
  const begun = groups.get(to);
  if (begun !== undefined) return begun;
  const group = begin();
  groups.set(to, group);
  return group;
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
