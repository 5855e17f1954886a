/** A network that is looked at: how long answers take, and whether the directory was asked to open a NAT. */
import type { Network } from '../../runtime/network.ts';
import { decodeDatagram } from '../../wire/datagram.ts';
import type { SocketAddress } from '../../wire/socket-address.ts';

export interface RoundTrip {
  readonly from: SocketAddress;
  readonly ms: number;
}

export interface ObservedNetwork {
  readonly network: Network;
  /** Of requests for a root, in the order of their answers. One that was repeated says nothing: which of them was answered? */
  readonly roundTrips: readonly RoundTrip[];
  /** Whether the directory was asked to have the other side open its NAT (protocol §8). */
  readonly traversed: boolean;
}

export function observeNetwork(
  network: Network,
  now: () => number = performance.now.bind(performance),
): ObservedNetwork {
  const sentAt = new Map<number, number | 'repeated'>();
  const roundTrips: RoundTrip[] = [];
  let traversed = false;

  const noteSent = (bytes: Uint8Array) => {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) return;
    const { datagram } = decoded.value;
    if (datagram.type === 'NatTraversalClient') traversed = true;
    if (datagram.type === 'RootRequest') sentAt.set(datagram.id, sentAt.has(datagram.id) ? 'repeated' : now());
  };
  const noteReceived = (bytes: Uint8Array, from: SocketAddress) => {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok || decoded.value.datagram.type !== 'Root') return;
    const { id } = decoded.value.datagram;
    const sent = sentAt.get(id);
    sentAt.delete(id);
    if (typeof sent === 'number') roundTrips.push({ from, ms: now() - sent });
  };

  return {
    network: {
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
      return traversed;
    },
  };
}
