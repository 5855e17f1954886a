/** The operating system's UDP, IPv4 and IPv6, behind the interface of `network.ts`. */

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Arrival } from '../wire/datagram.ts';
import { type ErrorCode, MurmureError } from '../wire/murmure-error.ts';
import { canonicalIp, formatAddress, isIPv6, type SocketAddress } from '../wire/socket-address.ts';
import type { DatagramSocket, Network, OnError } from './network.ts';
import { SourceAddresses } from './source-addresses.ts';

/** Room for the burst that a full congestion window of large answers makes, while this process is busy. */
const BUFFER_BYTES = 4 * 1024 * 1024;
/** libuv reads so many datagrams in one turn of the event loop. */
const FULL_TURN = 32;
/** What is handed over together, about. */
const MOST_ARRIVALS = 256;

export function createUdpNetwork(): Network {
  return {
    localIps: () =>
      Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []),
    open: async (bind, onArrivals, onError) => {
      if (!isPort(bind.port)) {
        throw new MurmureError('usage', `UDP ${formatAddress(bind)} cannot be listened on: ports are 0 to 65535`);
      }
      return new UdpSocket(bind, onArrivals, onError).whenBound();
    },
  };
}

/** Checked here, because Node binds what remains of a larger number in 16 bits. */
function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
}

class UdpSocket implements DatagramSocket {
  readonly #bind: SocketAddress;
  readonly #isIPv6: boolean;
  readonly #onArrivals: (arrivals: readonly Arrival[]) => void;
  readonly #onError: OnError;
  readonly #socket: Socket;
  readonly #sources = new SourceAddresses();
  #address: SocketAddress;
  #arrivals: Arrival[] = [];
  /** How many of them came in earlier turns. */
  #earlier = 0;
  #isClosed = false;

  constructor(bind: SocketAddress, onArrivals: (arrivals: readonly Arrival[]) => void, onError: OnError) {
    this.#bind = bind;
    this.#address = bind;
    this.#isIPv6 = isIPv6(bind);
    this.#onArrivals = onArrivals;
    this.#onError = onError;
    this.#socket = createSocket({
      type: this.#isIPv6 ? 'udp6' : 'udp4',
      // One socket, one family: else an IPv6 socket on [::] takes the port of the IPv4 one beside it.
      ipv6Only: this.#isIPv6,
      // Only literals come here; Node's own lookup costs a tick for each datagram.
      lookup: (ip, family, done) => done(null, ip, family as unknown as number),
    });
  }

  get address(): SocketAddress {
    return this.#address;
  }

  /** Asked for is one thing, given another: Linux cuts it to net.core.rmem_max and says twice what one may use. */
  get receiveBufferBytes(): number | undefined {
    try {
      return this.#socket.getRecvBufferSize();
    } catch {
      return undefined;
    }
  }

  whenBound(): Promise<DatagramSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<DatagramSocket>();
    const fail = (error: unknown) => {
      this.close();
      reject(bindError(this.#bind, error));
    };
    this.#socket.once('error', fail);
    this.#socket.once('listening', () => {
      const bound = this.#socket.address();
      this.#address = { ip: canonicalIp(bound.address) ?? bound.address, port: bound.port };
      this.#enlargeBuffers();
      this.#socket.off('error', fail);
      this.#socket.on('error', (error) => this.#report(`receiving on ${formatAddress(this.#address)} failed`, error));
      this.#socket.on('message', this.#received);
      resolve(this);
    });
    const { ip: address, port } = this.#bind;
    try {
      // `exclusive`: in a cluster's worker, too, this socket is this process's own.
      this.#socket.bind({ address, port, exclusive: true });
    } catch (error) {
      fail(error);
    }
    return promise;
  }

  send(bytes: Uint8Array, to: SocketAddress): void {
    if (this.#isClosed) return;
    const why = this.#whyNoDestination(to);
    if (why !== undefined) {
      this.#onError(why, to);
      return;
    }
    this.#socket.send(bytes, to.port, this.#sources.destination(to.ip), this.#sent);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  readonly #received = (bytes: Uint8Array, { address, port }: RemoteInfo): void => {
    const from = this.#sources.canonical(address, port);
    if (from === undefined || this.#isClosed) return;
    // The system hands over one by one what it has; after that, in the same turn, comes the immediate.
    if (this.#arrivals.length === 0) setImmediate(this.#handOver);
    this.#arrivals.push({ bytes, from });
  };

  readonly #handOver = (): void => {
    const arrivals = this.#arrivals;
    // After a full turn the system has more: what is handed over together costs less than what comes one by one.
    if (arrivals.length - this.#earlier >= FULL_TURN && arrivals.length < MOST_ARRIVALS) {
      this.#earlier = arrivals.length;
      setImmediate(this.#handOver);
      return;
    }
    this.#earlier = 0;
    this.#arrivals = [];
    if (!this.#isClosed) this.#onArrivals(arrivals);
  };

  /** One function for all: without a callback dgram keeps errors to itself, with a new one each it allocates. */
  readonly #sent = (error: Error | null): void => {
    if (error === null) return;
    if (this.#isClosed) return;
    const { address, port } = error as { address?: string; port?: number };
    const ip = canonicalIp(address ?? '');
    const to = ip === undefined || port === undefined ? undefined : { ip, port };
    const why = sayWhy(error);
    if (to !== undefined && REFUSALS.has(codeOf(error))) this.#onError(why, to);
    else this.#onError(`a datagram${to === undefined ? '' : ` to ${formatAddress(to)}`} could not be sent: ${why}`);
  };

  #whyNoDestination(to: SocketAddress): string | undefined {
    if (isIPv6(to) !== this.#isIPv6) {
      return `this socket, ${formatAddress(this.#address)}, speaks ${this.#isIPv6 ? 'IPv6' : 'IPv4'} only`;
    }
    if (to.port === 0 || !isPort(to.port)) return `${to.port} is not a port to send to`;
    return undefined;
  }

  #report(what: string, error?: Error): void {
    if (this.#isClosed) return;
    this.#onError(error === undefined ? what : `${what}: ${sayWhy(error)}`);
  }

  /** An operating system that refuses is slower under load, no more. */
  #enlargeBuffers(): void {
    try {
      this.#socket.setRecvBufferSize(BUFFER_BYTES);
    } catch {}
    try {
      this.#socket.setSendBufferSize(BUFFER_BYTES);
    } catch {}
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'not permitted',
  EPERM: 'not permitted, maybe by a firewall',
  ECONNREFUSED: 'nobody listens there',
  EADDRNOTAVAIL: 'there is no way to that address from this socket',
  EINVAL: 'there is no way to that address from this socket',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  EMSGSIZE: 'it is too large',
  ENOBUFS: 'the system has no buffer left',
};

/** What the system says of an address rather than of one datagram. */
const REFUSALS = new Set(['EACCES', 'EPERM', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'EINVAL']);

function sayWhy(error: Error): string {
  const code = codeOf(error);
  const reason = REASONS[code];
  return reason === undefined ? error.message : `${reason} (${code})`;
}

const BIND_ERRORS: Readonly<Record<string, readonly [ErrorCode, (bind: SocketAddress) => string]>> = {
  EADDRINUSE: [
    'unexpected',
    () => 'the port is in use; stop the program that has it, or choose another port, or 0 for any free one',
  ],
  EACCES: [
    'usage',
    ({ port }) =>
      port > 0 && port < 1_024
        ? 'ports below 1024 need special rights; choose a higher one, or 0 for any free one'
        : 'the system does not permit it; choose another port, or 0 for any free one',
  ],
  EADDRNOTAVAIL: [
    'usage',
    () => 'this computer does not have that address; choose one of its own, 0.0.0.0 or [::] for all',
  ],
  EAFNOSUPPORT: [
    'usage',
    (bind) => `this computer has no ${isIPv6(bind) ? 'IPv6' : 'IPv4'}; choose an address of the other kind`,
  ],
  EINVAL: ['usage', () => 'that is not an address to listen on; write for example 127.0.0.1:0 or [::1]:0'],
};

function bindError(bind: SocketAddress, error: unknown): MurmureError {
  const [code, explain] = BIND_ERRORS[codeOf(error)] ?? ['unexpected', () => (error as Error).message];
  return new MurmureError(code, `UDP ${formatAddress(bind)} cannot be listened on: ${explain(bind)}`, { cause: error });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
