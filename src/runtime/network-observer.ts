/** A network that is looked at: how long answers take, and whether the directory was asked to open a NAT. */

import { codeOf, decodeDatagram } from '../wire/datagram.ts';
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import type { Network } from './network.ts';

export interface RoundTrip {
  readonly from: SocketAddress;
  readonly ms: number;
}

export interface ObservedNetwork {
  readonly network: Network;
  /** Of requests for a root, in the order of their answers, the latest 64. One that was repeated says nothing: which of them was answered? */
  readonly roundTrips: readonly RoundTrip[];
  /** Whether the directory was asked to have somebody open their NAT (protocol §8). */
  readonly traversed: boolean;
  /** Whether it was asked that of whoever is at this address. */
  traversedTo(address: SocketAddress): boolean;
}

/** BOUNDED: round trips, requests without an answer, and addresses that are remembered. */
const MOST_ROUND_TRIPS = 64;
const MOST_REMEMBERED = 1_024;

export function observeNetwork(
  network: Network,
  now: () => number = performance.now.bind(performance),
): ObservedNetwork {
  const sentAt = new Map<number, number | 'repeated'>();
  const roundTrips: RoundTrip[] = [];
  const traversals = new Set<string>();

  // Of each datagram the type alone is looked at: they are many.
  const noteSent = (bytes: Uint8Array) => {
    if (bytes[TYPE_AT] !== ROOT_REQUEST && bytes[TYPE_AT] !== TRAVERSAL) return;
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) return;
    const { datagram } = decoded.value;
    if (datagram.type === 'NatTraversalClient') remember(traversals, formatAddress(datagram.address));
    if (datagram.type !== 'RootRequest') return;
    sentAt.set(datagram.id, sentAt.has(datagram.id) ? 'repeated' : now());
    if (sentAt.size > MOST_REMEMBERED) sentAt.delete(sentAt.keys().next().value ?? 0);
  };
  const noteReceived = (bytes: Uint8Array, from: SocketAddress) => {
    if (bytes[TYPE_AT] !== ROOT) return;
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok || decoded.value.datagram.type !== 'Root') return;
    const { id } = decoded.value.datagram;
    const sent = sentAt.get(id);
    sentAt.delete(id);
    if (typeof sent === 'number') roundTrips.push({ from, ms: now() - sent });
    if (roundTrips.length > MOST_ROUND_TRIPS) roundTrips.shift();
  };

  const localIps = network.localIps?.bind(network);
  return {
    network: {
      ...(localIps && { localIps }),
      open: async (bind, onArrivals, onError) => {
        const socket = await network.open(
          bind,
          (arrivals) => {
            for (const { bytes, from } of arrivals) noteReceived(bytes, from);
            onArrivals(arrivals);
          },
          onError,
        );
        return {
          address: socket.address,
          receiveBufferBytes: socket.receiveBufferBytes,
          send: (bytes, to) => {
            noteSent(bytes);
            socket.send(bytes, to);
          },
          close: () => socket.close(),
        };
      },
    },
    roundTrips,
    get traversed() {
      return traversals.size > 0;
    },
    traversedTo: (address) => traversals.has(formatAddress(address)),
  };
}

/** Where a datagram has its type (protocol §4). */
const TYPE_AT = 4;
const ROOT_REQUEST = codeOf('RootRequest');
const ROOT = codeOf('Root');
const TRAVERSAL = codeOf('NatTraversalClient');

function remember(values: Set<string>, value: string): void {
  values.add(value);
  if (values.size > MOST_REMEMBERED) values.delete(values.values().next().value ?? '');
}
