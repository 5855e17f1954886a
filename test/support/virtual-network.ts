/**
 * A network on the virtual clock: delay, loss, duplication, reordering (by unequal delays), partitions and NATs, all by seed.
 * It implements the same interface as real UDP.
 */
import type { DatagramSocket, Network } from '../../src/runtime/network.ts';
import type { Arrival } from '../../src/wire/datagram.ts';
import { MurmureError } from '../../src/wire/murmure-error.ts';
import { formatAddress, type SocketAddress } from '../../src/wire/socket-address.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Weather {
  /** Shares between 0 and 1. */
  readonly loss: number;
  readonly duplication: number;
  /** One way, in ms; unequal delays reorder. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export const calm: Weather = { loss: 0, duplication: 0, minDelayMs: 5, maxDelayMs: 15 };

export interface SentDatagram {
  readonly atMs: number;
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
  readonly isLost: boolean;
}

interface Host {
  readonly address: SocketAddress;
  readonly receive: (arrivals: readonly Arrival[]) => void;
  /** What has arrived at this instant, and is not handed over yet. */
  readonly arrived: Arrival[];
}

interface Nat {
  /** Addresses that something was sent to: only from there may anything come in. */
  readonly opened: Set<string>;
}

export class VirtualNetwork implements Network {
  weather: Weather;
  /** Every datagram sent, in order. */
  readonly log: SentDatagram[] = [];
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #hosts = new Map<string, Host>();
  readonly #nats = new Map<string, Nat>();
  readonly #cut = new Set<string>();

  constructor(clock: VirtualClock, random: SeededRandom, weather: Weather = calm) {
    this.#clock = clock;
    this.#random = random;
    this.weather = weather;
  }

  /** Sockets that are open: for leak tests. */
  get openSockets(): number {
    return this.#hosts.size;
  }

  async open(bind: SocketAddress, onArrivals: (arrivals: readonly Arrival[]) => void): Promise<DatagramSocket> {
    const address = { ip: bind.ip, port: bind.port === 0 ? this.#freePort(bind.ip) : bind.port };
    const key = formatAddress(address);
    if (this.#hosts.has(key)) throw new MurmureError('unexpected', `UDP ${key} is in use by another program`);
    this.#hosts.set(key, { address, receive: onArrivals, arrived: [] });
    return {
      address,
      send: (bytes, to) => this.#send(bytes, address, to),
      close: () => this.#hosts.delete(key),
    };
  }

  /** Nothing passes between these two hosts from now on. */
  cut(ipA: string, ipB: string): void {
    this.#cut.add(pair(ipA, ipB));
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Delivers under a source address that the sender does not have. */
  forge(from: SocketAddress, to: SocketAddress, bytes: Uint8Array): void {
    this.#deliver(bytes.slice(), from, to);
  }

  /** Puts a host behind an address- and port-restricted NAT, which keeps its public address. */
  putBehindNat(ip: string): void {
    this.#nats.set(ip, { opened: new Set() });
  }

  #freePort(ip: string): number {
    let port = 40_000;
    while (this.#hosts.has(formatAddress({ ip, port }))) port += 1;
    return port;
  }

  #send(bytes: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    this.#nats.get(from.ip)?.opened.add(formatAddress(to));
    const isLost = this.#cut.has(pair(from.ip, to.ip)) || this.#random.fraction() < this.weather.loss;
    this.log.push({ atMs: this.#clock.elapsedMs, from, to, bytes: bytes.slice(), isLost });
    if (isLost) return;
    this.#deliver(bytes.slice(), from, to);
    if (this.#random.fraction() < this.weather.duplication) this.#deliver(bytes.slice(), from, to);
  }

  #deliver(bytes: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    const { minDelayMs, maxDelayMs } = this.weather;
    const delay = minDelayMs + this.#random.fraction() * (maxDelayMs - minDelayMs);
    this.#clock.setTimeout(() => {
      const nat = this.#nats.get(to.ip);
      if (nat !== undefined && !nat.opened.has(formatAddress(from))) return;
      const host = this.#hosts.get(formatAddress(to));
      if (host === undefined) return;
      if (host.arrived.length === 0) this.#clock.setTimeout(() => this.#handOver(host), 0);
      host.arrived.push({ bytes, from });
    }, delay);
  }

  /** What arrives at the same instant is handed over together. */
  #handOver(host: Host): void {
    const arrivals = host.arrived.splice(0);
    if (this.#hosts.get(formatAddress(host.address)) === host) host.receive(arrivals);
  }
}

function pair(ipA: string, ipB: string): string {
  return ipA < ipB ? `${ipA} ${ipB}` : `${ipB} ${ipA}`;
}
