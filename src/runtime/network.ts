/** What a peer needs of a network: the operating system's (`udp-network.ts`), or a virtual one in tests. */
import type { Arrival } from '../wire/datagram.ts';
import type { SocketAddress } from '../wire/socket-address.ts';

/**
 * A datagram was lost on the way out, or the system complained about one. `refused`: it refuses to send to this address at
 * all, and says why.
 */
export type OnError = (why: string, refused?: SocketAddress) => void;

export interface DatagramSocket {
  /** The local address, with the port that was bound. */
  readonly address: SocketAddress;
  /** What the system keeps of datagrams that this process has not read yet, in bytes; undefined if it does not say. */
  readonly receiveBufferBytes?: number | undefined;
  /**
   * Sends and forgets: what is lost is lost, and what is known to have failed goes to `onError`. Never throws.
   * The bytes must not be changed afterwards.
   */
  send(bytes: Uint8Array, to: SocketAddress): void;
  /** From now on nothing is sent, received or reported. Closing twice is harmless. */
  close(): void;
}

export interface Network {
  /** The IP addresses of this machine, where they can be told. */
  localIps?(): readonly string[];
  /**
   * Binds a socket; port 0 means any free one. Nothing is received before this resolves. What arrives together, in one
   * turn of the event loop or in a few full ones, is handed over together.
   * @throws MurmureError if the address cannot be bound
   */
  open(
    bind: SocketAddress,
    onArrivals: (arrivals: readonly Arrival[]) => void,
    onError: OnError,
  ): Promise<DatagramSocket>;
}
