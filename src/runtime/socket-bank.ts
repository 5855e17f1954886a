/**
 * The operating system's sockets behind the socket actors. They are kept here, outside the actors: an actor that is stopped,
 * or whose parent fails, runs no exit action, and its port would stay bound.
 */
import type { Arrival } from '../wire/datagram.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import type { DatagramSocket, Network } from './network.ts';

type SocketCallbacks = [onArrivals: Parameters<Network['open']>[1], onError: Parameters<Network['open']>[2]];

export interface SocketHandlers {
  onOpen(address: SocketAddress, receiveBufferBytes: number | undefined): void;
  onFailure(why: string): void;
  /** A datagram was lost on the way out, or the system complained about one; the socket goes on. */
  onTrouble(why: string, refused?: SocketAddress): void;
  onArrivals(arrivals: readonly Arrival[]): void;
}

export class SocketBank {
  readonly #network: Network;
  readonly #preferredPorts: readonly number[];
  readonly #open = new Map<string, DatagramSocket>();
  #received = 0;
  #sent = 0;
  #closed = false;

  constructor(network: Network, preferredPorts: readonly number[] = []) {
    this.#network = network;
    this.#preferredPorts = preferredPorts;
  }

  /** Opens a socket for the actor `id`; what happens is told to the handlers. */
  async open(id: string, bind: SocketAddress, handlers: SocketHandlers): Promise<void> {
    try {
      const onArrivals: SocketHandlers['onArrivals'] = (arrivals) => {
        this.#received += arrivals.length;
        handlers.onArrivals(arrivals);
      };
      const socket = await this.#bind(bind, onArrivals, handlers.onTrouble);
      if (this.#closed) {
        socket.close();
        return;
      }
      this.close(id);
      this.#open.set(id, socket);
      handlers.onOpen(socket.address, socket.receiveBufferBytes);
    } catch (error) {
      handlers.onFailure(error instanceof Error ? error.message : String(error));
    }
  }

  /** Where any port will do, one that is preferred is taken if it is free. */
  async #bind(bind: SocketAddress, ...handlers: SocketCallbacks): Promise<DatagramSocket> {
    const ports = bind.port === 0 ? this.#preferredPorts : [];
    for (const port of ports) {
      try {
        return await this.#network.open({ ...bind, port }, ...handlers);
      } catch {
        // In use; what else is wrong, the last try says.
      }
    }
    return this.#network.open(bind, ...handlers);
  }

  send(id: string, bytes: Uint8Array, to: SocketAddress): void {
    this.#sent += 1;
    this.#open.get(id)?.send(bytes, to);
  }

  close(id: string): void {
    this.#open.get(id)?.close();
    this.#open.delete(id);
  }

  closeAll(): void {
    this.#closed = true;
    for (const id of [...this.#open.keys()]) this.close(id);
  }

  /** Datagrams, over all sockets. */
  get counts(): { readonly received: number; readonly sent: number } {
    return { received: this.#received, sent: this.#sent };
  }

  /** Those on which datagrams come in. */
  get ports(): readonly number[] {
    return [...this.#open.values()].map(({ address }) => address.port);
  }

  get size(): number {
    return this.#open.size;
  }
}
