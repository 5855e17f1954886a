/**
 * A network on the virtual clock: delay, loss, duplication, reordering (by unequal delays), partitions, NATs and lines with a rate,
 * all by seed. Its hosts implement the same interface as real UDP; so does the network itself, for a host that is its address alone.
 */
import type { DatagramSocket, Network } from '../runtime/network.ts';
import type { Arrival } from '../wire/datagram.ts';
import type { SocketAddress } from '../wire/socket-address.ts';
import { HostClock } from './host-clock.ts';
import { Link, type LinkOptions } from './link.ts';
import { Nat, type NatKind, type NatOptions, natKinds } from './nat.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { type Departure, type HostAddress, VirtualHost, type Wire } from './virtual-host.ts';

export interface Weather {
  /** Fractions from 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  /** One way, in ms; unequal delays reorder. */
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export const calm: Weather = { loss: 0, duplication: 0, minDelayMs: 5, maxDelayMs: 15 };

export interface SentDatagram {
  readonly atMs: number;
  /** As the world sees it: after any NAT. */
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
  readonly isLost: boolean;
}

export interface HostOptions {
  /** What its monotonic clock shows at the start of the world. Default 0. */
  readonly monotonicStartMs?: number;
  readonly uplink?: LinkOptions;
  readonly downlink?: LinkOptions;
}

export class VirtualNetwork implements Network {
  weather: Weather;
  /** Every datagram sent, in order, while `isLogging`. */
  readonly log: SentDatagram[] = [];
  isLogging = true;
  /** Loses the datagrams for which it returns true, in addition to those that the weather loses. */
  loses: (datagram: Omit<SentDatagram, 'isLost' | 'atMs'>) => boolean = () => false;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #hosts = new Set<VirtualHost>();
  /** Those in the open, by address; those behind a NAT are with their NAT. */
  readonly #byIp = new Map<string, VirtualHost>();
  readonly #nats = new Map<string, Nat>();
  readonly #cut = new Set<string>();
  readonly #weatherBetween = new Map<string, Weather>();

  constructor(clock: VirtualClock, random: SeededRandom, weather: Weather = calm) {
    this.#clock = clock;
    this.#random = random;
    this.weather = weather;
  }

  /** Sockets that are open: for leak tests. */
  get openSockets(): number {
    return [...this.#hosts].reduce((sum, host) => sum + host.openSockets, 0);
  }

  /** A host with these addresses; an address in the open may be given as text. */
  addHost(addresses: readonly (string | HostAddress)[], options: HostOptions = {}): VirtualHost {
    const { monotonicStartMs, uplink, downlink } = options;
    const given = addresses.map((address) => (typeof address === 'string' ? { ip: address } : address));
    const host = new VirtualHost(this.#wire, new HostClock(this.#clock, monotonicStartMs), given);
    if (uplink !== undefined) host.uplink = new Link(this.#clock, uplink);
    if (downlink !== undefined) host.downlink = new Link(this.#clock, downlink);
    this.#hosts.add(host);
    return host;
  }

  /** A NAT with an outer address of its own; hosts get behind it by an address `{ ip, nat }`. */
  addNat(options: NatOptions): Nat {
    const nat = new Nat(this.#clock, options);
    this.#nats.set(nat.ip, nat);
    return nat;
  }

  /** The NAT gets another outer address, as from a provider that renews it; with the former one all mappings are gone. */
  readdress(nat: Nat, ip: string): void {
    this.#nats.delete(nat.ip);
    nat.ip = ip;
    nat.restart();
    this.#nats.set(ip, nat);
  }

  /** The host that has this address in the open, or is known by it behind a NAT of its own; a new one if there is none. */
  hostAt(ip: string): VirtualHost {
    return this.#byIp.get(ip) ?? this.#nats.get(ip)?.hosts.get(ip) ?? this.addHost([ip]);
  }

  open(
    bind: SocketAddress,
    onArrivals: (arrivals: readonly Arrival[]) => void,
    onError?: (why: string) => void,
  ): Promise<DatagramSocket> {
    return this.hostAt(bind.ip).open(bind, onArrivals, onError);
  }

  /** Nothing passes between these two addresses from now on. */
  cut(ipA: string, ipB: string): void {
    this.#cut.add(pair(ipA, ipB));
  }

  heal(): void {
    this.#cut.clear();
  }

  /** Weather of its own between these two addresses, in both directions. */
  setWeatherBetween(ipA: string, ipB: string, weather: Weather): void {
    this.#weatherBetween.set(pair(ipA, ipB), weather);
  }

  /** Delivers under a source address that the sender does not have. */
  forge(from: SocketAddress, to: SocketAddress, bytes: Uint8Array): void {
    this.#deliver(bytes.slice(), from, to, { waitMs: 0, onRefused: () => {} });
  }

  /** Puts a host behind a NAT of its own, which takes over the host's address and keeps its ports. Only incoming traffic changes. */
  putBehindNat(ip: string, kind: NatKind = natKinds.portRestricted): Nat {
    const host = this.hostAt(ip);
    const others = host.addresses.filter((address) => address.ip !== ip);
    const nat = this.addNat({ ip, kind, keepsPorts: true });
    host.moveTo({ ip, nat }, ...others);
    return nat;
  }

  readonly #wire: Wire = {
    attach: (host, { ip, nat }) => {
      const hosts = nat?.hosts ?? this.#byIp;
      if (hosts.has(ip)) throw new Error(`another host has the address ${ip}`);
      hosts.set(ip, host);
    },
    detach: (host, { ip, nat }) => {
      const hosts = nat?.hosts ?? this.#byIp;
      if (hosts.get(ip) === host) hosts.delete(ip);
    },
    carry: (departure) => this.#carry(departure),
  };

  #carry({ bytes, from: inner, to, nat, uplink, onRefused }: Departure): void {
    const isLocal = nat?.hosts.has(to.ip) ?? false;
    const from = nat === undefined || isLocal ? inner : nat.outbound(inner, to);
    const { loss, duplication } = this.#weatherFor(from, to);
    const waitMs = uplink === undefined ? 0 : uplink.enqueue(bytes.length);
    const isCut = this.#cut.has(pair(from.ip, to.ip));
    const isLost = waitMs === undefined || isCut || this.#random.fraction() < loss || this.loses({ from, to, bytes });
    if (this.isLogging) this.log.push({ atMs: this.#clock.elapsedMs, from, to, bytes: bytes.slice(), isLost });
    if (isLost) return;
    const passage = { waitMs, onRefused, local: isLocal ? nat : undefined };
    this.#deliver(bytes.slice(), from, to, passage);
    if (this.#random.fraction() < duplication) this.#deliver(bytes.slice(), from, to, passage);
  }

  #deliver(bytes: Uint8Array, from: SocketAddress, to: SocketAddress, { waitMs, onRefused, local }: Passage): void {
    const { minDelayMs, maxDelayMs } = this.#weatherFor(from, to);
    const delayMs = Math.round(minDelayMs + this.#random.fraction() * (maxDelayMs - minDelayMs));
    this.#clock.after(waitMs + delayMs, () => {
      const arriving = this.#destination(from, to, local);
      if (arriving === undefined) return;
      const { host, address } = arriving;
      const waitMs = host.downlink === undefined ? 0 : host.downlink.enqueue(bytes.length);
      if (waitMs === undefined) return;
      const arrive = () => {
        if (!host.receive(bytes, from, address)) this.#clock.after(delayMs, onRefused);
      };
      if (waitMs === 0) arrive();
      else this.#clock.after(waitMs, arrive);
    });
  }

  #destination(from: SocketAddress, to: SocketAddress, local: Nat | undefined) {
    const nat = local === undefined ? this.#nats.get(to.ip) : undefined;
    const address = nat === undefined ? to : nat.inbound(from, to);
    if (address === undefined) return undefined;
    const host = ((local ?? nat)?.hosts ?? this.#byIp).get(address.ip);
    return host === undefined ? undefined : { host, address };
  }

  #weatherFor(from: SocketAddress, to: SocketAddress): Weather {
    if (this.#weatherBetween.size === 0) return this.weather;
    return this.#weatherBetween.get(pair(from.ip, to.ip)) ?? this.weather;
  }
}

interface Passage {
  /** Time in the queue of the sender's line. */
  readonly waitMs: number;
  readonly onRefused: () => void;
  /** The NAT behind which both hosts are, so nothing is translated between them. */
  readonly local?: Nat | undefined;
}

function pair(ipA: string, ipB: string): string {
  return ipA < ipB ? `${ipA} ${ipB}` : `${ipB} ${ipA}`;
}
