/** A computer on the virtual network, with its addresses, sockets and clock, and with what can happen to it. It is a peer's `Network`. */
import type { DatagramSocket, Network, OnError } from '../runtime/network.ts';
import type { Arrival } from '../wire/datagram.ts';
import { MurmureError } from '../wire/murmure-error.ts';
import { formatAddress, isIPv6, type SocketAddress } from '../wire/socket-address.ts';
import type { HostClock } from './host-clock.ts';
import type { Link } from './link.ts';
import type { Nat } from './nat.ts';

/** An address of a host: in the open, or behind a NAT. */
export interface HostAddress {
  readonly ip: string;
  readonly nat?: Nat | undefined;
}

/** A datagram that leaves a host. */
export interface Departure {
  readonly bytes: Uint8Array;
  /** As the host sees it, before any NAT. */
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly nat: Nat | undefined;
  readonly uplink: Link | undefined;
  /** ICMP says that nobody listens there. */
  readonly onRefused: () => void;
}

/** The network as its hosts see it. */
export interface Wire {
  /** Plugs the host in at this address. @throws Error if another host has it */
  attach(host: VirtualHost, address: HostAddress): void;
  detach(host: VirtualHost, address: HostAddress): void;
  carry(departure: Departure): void;
}

type OnArrivals = (arrivals: readonly Arrival[]) => void;

interface Socket {
  readonly bind: SocketAddress;
  readonly receive: OnArrivals;
  readonly onError: OnError;
  /** Datagrams that have arrived at this instant and are not handed over yet. */
  readonly arrived: Arrival[];
  isOpen: boolean;
}

export class VirtualHost implements Network {
  readonly clock: HostClock;
  /** Port 0 means the first free one from here on: set it higher, and a restarted program gets another port. */
  firstPort = 40_000;
  /** What happens to a datagram for a port that is not open: nothing, or its sender is told (ICMP port unreachable). */
  closedPorts: 'silent' | 'refusing' = 'silent';
  /** The line to the network and back; undefined: its speed is not limited. */
  uplink: Link | undefined;
  downlink: Link | undefined;
  readonly #wire: Wire;
  readonly #sockets = new Set<Socket>();
  #addresses: readonly HostAddress[] = [];
  #isPluggedIn = true;

  constructor(wire: Wire, clock: HostClock, addresses: readonly HostAddress[]) {
    this.#wire = wire;
    this.clock = clock;
    this.moveTo(...addresses);
  }

  /** The first one of a family is the one that datagrams leave by, unless their destination is on the same side of a NAT. */
  localIps = (): readonly string[] => this.#addresses.map(({ ip }) => ip);

  get addresses(): readonly HostAddress[] {
    return this.#addresses;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Awake, and plugged in. */
  get isReachable(): boolean {
    return this.#isPluggedIn && !this.clock.isAsleep;
  }

  /** Gives the host these addresses. Sockets stay open, but those bound to an address that is gone no longer send or receive. */
  moveTo(...addresses: readonly HostAddress[]): void {
    for (const address of this.#addresses) this.#wire.detach(this, address);
    this.#addresses = addresses;
    for (const address of addresses) this.#wire.attach(this, address);
  }

  /** Unplugs the cable: nothing arrives, and sending fails with an error. */
  unplug(): void {
    this.#isPluggedIn = false;
  }

  plugIn(): void {
    this.#isPluggedIn = true;
  }

  /** Closes the lid: timers stop, and what arrives is lost. */
  sleep(): void {
    this.clock.sleep();
  }

  wake(): void {
    this.clock.wake();
  }

  /** Kills its program: the sockets close without a last datagram, and no timer fires any more. */
  killProgram(): void {
    for (const socket of this.#sockets) socket.isOpen = false;
    this.#sockets.clear();
    this.clock.forgetTimers();
  }

  open = async (bind: SocketAddress, receive: OnArrivals, onError: OnError = () => {}) => {
    const address = { ip: bind.ip, port: bind.port === 0 ? this.#freePort(bind.ip) : bind.port };
    if (this.#isTaken(address)) {
      throw new MurmureError('unexpected', `UDP ${formatAddress(address)} is in use by another program`);
    }
    if (!isWildcard(address.ip) && !this.#addresses.some(({ ip }) => ip === address.ip)) {
      throw new MurmureError('usage', `this host does not have the address ${address.ip}`);
    }
    const socket: Socket = { bind: address, receive, onError, arrived: [], isOpen: true };
    this.#sockets.add(socket);
    return {
      address,
      send: (bytes, to) => this.#send(socket, bytes, to),
      close: () => {
        socket.isOpen = false;
        this.#sockets.delete(socket);
      },
    } satisfies DatagramSocket;
  };

  /** False: the port is closed, and the sender is to be told. */
  receive(bytes: Uint8Array, from: SocketAddress, to: SocketAddress): boolean {
    if (!this.isReachable) return true;
    const socket = this.#socketAt(to);
    if (socket === undefined) return this.closedPorts === 'silent';
    if (socket.arrived.length === 0) this.clock.setTimeout(() => this.#handOver(socket), 0);
    socket.arrived.push({ bytes, from });
    return true;
  }

  /** What arrives at the same instant is handed over together. */
  #handOver(socket: Socket): void {
    const arrivals = socket.arrived.splice(0);
    if (socket.isOpen) socket.receive(arrivals);
  }

  #send(socket: Socket, bytes: Uint8Array, to: SocketAddress): void {
    if (!socket.isOpen) return;
    const source = this.#isPluggedIn ? this.#sourceFor(socket, to) : undefined;
    if (source === undefined) {
      socket.onError('there is no way to that network (ENETUNREACH)', to);
      return;
    }
    const onRefused = () => socket.isOpen && socket.onError('nobody listens there (ECONNREFUSED)', to);
    const from = { ip: source.ip, port: socket.bind.port };
    this.#wire.carry({ bytes, from, to, nat: source.nat, uplink: this.uplink, onRefused });
  }

  #sourceFor({ bind }: Socket, to: SocketAddress): HostAddress | undefined {
    if (!isWildcard(bind.ip)) return this.#addresses.find(({ ip }) => ip === bind.ip);
    const fitting = this.#addresses.filter(({ ip }) => isIPv6Text(ip) === isIPv6(to));
    return fitting.find(({ nat }) => nat?.hosts.has(to.ip)) ?? fitting[0];
  }

  #socketAt(to: SocketAddress): Socket | undefined {
    const onPort = [...this.#sockets].filter(({ bind }) => bind.port === to.port);
    const wildcard = isIPv6(to) ? '::' : '0.0.0.0';
    return onPort.find(({ bind }) => bind.ip === to.ip) ?? onPort.find(({ bind }) => bind.ip === wildcard);
  }

  #freePort(ip: string): number {
    let port = this.firstPort;
    while (this.#isTaken({ ip, port })) port += 1;
    return port;
  }

  #isTaken({ ip, port }: SocketAddress): boolean {
    // As on real systems, a wildcard takes the port on every address of its family.
    const isSame = (other: string) =>
      other === ip || (isIPv6Text(other) === isIPv6Text(ip) && (isWildcard(other) || isWildcard(ip)));
    return [...this.#sockets].some(({ bind }) => bind.port === port && isSame(bind.ip));
  }
}

function isIPv6Text(ip: string): boolean {
  return isIPv6({ ip, port: 0 });
}

function isWildcard(ip: string): boolean {
  return ip === '0.0.0.0' || ip === '::';
}
