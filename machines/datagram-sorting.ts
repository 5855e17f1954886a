/**
 * Whom a datagram is for (protocol §4). Answers go by id *and* source to whoever waits for them; requests go by source to their
 * session; whatever belongs to nobody goes to the owner of the socket. Requests for nodes and their answers, by far the most
 * there is, go together, in one event for each receiver.
 */
import type { AnyActorRef } from 'xstate';
import { entryOf, type Table } from '../src/merkle/hash-table.ts';
import { type Arrival, type Datagram, decodeDatagram, type ReceivedDatagram } from '../src/wire/datagram.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import type {
  AnswerReceived,
  Delivery,
  NodeAnswer,
  NodeRequest,
  NodesAnswered,
  NodesRequested,
  RequestReceived,
  StrangerAsked,
  UnsolicitedReceived,
} from './events.ts';

/** Answers that come from `address` go to the actor `to`. */
export interface Route {
  readonly address: SocketAddress;
  readonly to: AnyActorRef;
}

export interface Routing {
  readonly owner: AnyActorRef;
  /** By the id of the request that is answered. */
  readonly routes: Table<Route>;
  /** Sessions by the address of whoever asks. */
  readonly sources: Table<AnyActorRef>;
}

export interface Sorted {
  readonly deliveries: readonly {
    readonly to: AnyActorRef;
    readonly event:
      | AnswerReceived
      | NodesAnswered
      | NodesRequested
      | RequestReceived
      | StrangerAsked
      | UnsolicitedReceived;
  }[];
  readonly malformed: number;
  /** Answers that nobody waits for. */
  readonly unexpected: number;
}

/** Sorts what has come to `socket` in one turn of the event loop. */
export function sortArrivals(
  arrivals: readonly Arrival[],
  atMs: number,
  socket: AnyActorRef,
  { owner, routes, sources }: Routing,
): Sorted {
  const single: Sorted['deliveries'][number][] = [];
  const answers = new Map<AnyActorRef, NodeAnswer[]>();
  const requests = new Map<AnyActorRef, { requests: NodeRequest[]; size: number }>();
  let malformed = 0;
  let unexpected = 0;
  for (const arrival of arrivals) {
    const { bytes, from } = arrival;
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) {
      malformed += 1;
      continue;
    }
    const { datagram } = decoded.value;
    if (isRequest(datagram)) {
      const session = entryOf(sources, formatAddress(from));
      if (session === undefined) {
        single.push({ to: owner, event: { type: 'stranger.asked', ...deliver(decoded.value, arrival, socket, atMs) } });
      } else if (datagram.type === 'GetDatum') {
        const batch = grouped(requests, session, () => ({ requests: [], size: 0 }));
        batch.requests.push(datagram);
        batch.size += bytes.length;
      } else {
        single.push({
          to: session,
          event: { type: 'request.received', ...deliver(decoded.value, arrival, socket, atMs) },
        });
      }
      continue;
    }
    const route = datagram.id === 0 ? undefined : entryOf(routes, datagram.id);
    if (route !== undefined && sameAddress(route.address, from)) {
      if (datagram.type === 'Datum' || datagram.type === 'NoDatum') {
        grouped(answers, route.to, () => []).push(datagram);
      } else {
        single.push({ to: route.to, event: { type: 'answer.received', answer: decoded.value, from, atMs } });
      }
    } else if (mayComeUnasked(datagram)) {
      single.push({
        to: owner,
        event: { type: 'datagram.unsolicited', ...deliver(decoded.value, arrival, socket, atMs) },
      });
    } else {
      unexpected += 1;
    }
  }
  const batches = [
    ...Array.from(answers, ([to, batch]) => ({ to, event: { type: 'nodes.answered', answers: batch, atMs } as const })),
    ...Array.from(requests, ([to, batch]) => ({ to, event: { type: 'nodes.requested', ...batch, atMs } as const })),
  ];
  return { deliveries: [...single, ...batches], malformed, unexpected };
}

function deliver(received: ReceivedDatagram, { bytes, from }: Arrival, socket: AnyActorRef, atMs: number): Delivery {
  return { received, from, size: bytes.length, atMs, socket };
}

/** What is gathered for an actor. */
function grouped<T>(groups: Map<AnyActorRef, T>, to: AnyActorRef, begin: () => T): T {
  const begun = groups.get(to);
  if (begun !== undefined) return begun;
  const group = begin();
  groups.set(to, group);
  return group;
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
