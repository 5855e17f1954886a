/** A router that translates addresses and ports, described as in RFC 4787: how it maps, whom it lets in, and for how long. */
import { formatAddress, type SocketAddress } from '../wire/socket-address.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { VirtualHost } from './virtual-host.ts';

type Dependence = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

export interface NatKind {
  /** RFC 4787 §4.1: whether another destination gets another outer port. */
  readonly mapping: Dependence;
  /** RFC 4787 §5: who may send in through a mapping. */
  readonly filtering: Dependence;
}

export const natKinds = {
  /** Anybody may send to a port that was opened. */
  fullCone: { mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
  /** An address to which something was sent may answer from any of its ports. */
  addressRestricted: { mapping: 'endpoint-independent', filtering: 'address-dependent' },
  /** Only the address and port that something was sent to may answer. */
  portRestricted: { mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' },
  /** Each destination sees a different port, so nobody else can use the one that the directory sees. */
  symmetric: { mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent' },
} as const satisfies Record<string, NatKind>;

/** As in Linux: nf_conntrack_udp_timeout, and nf_conntrack_udp_timeout_stream once an answer has come back. */
const UNANSWERED_MS = 30_000;
const ANSWERED_MS = 120_000;
const FIRST_PORT = 20_000;

export interface NatOptions {
  /** The outer address. */
  readonly ip: string;
  readonly kind: NatKind;
  /** The outer port is the inner one while that is free (RFC 4787 §4.2.1). Default false: ports are given in order. */
  readonly keepsPorts?: boolean | undefined;
}

interface Flow {
  readonly remote: SocketAddress;
  lastMs: number;
  isAnswered: boolean;
}

interface Mapping {
  readonly inner: SocketAddress;
  readonly outer: SocketAddress;
  /** By the remote address and port. A mapping lives as long as one of its flows. */
  readonly flows: Map<string, Flow>;
}

export class Nat {
  ip: string;
  readonly kind: NatKind;
  /** Who is behind it, by inner address. */
  readonly hosts = new Map<string, VirtualHost>();
  readonly #clock: VirtualClock;
  readonly #keepsPorts: boolean;
  readonly #byInner = new Map<string, Mapping>();
  readonly #byOuterPort = new Map<number, Mapping>();
  #nextPort = FIRST_PORT;

  constructor(clock: VirtualClock, { ip, kind, keepsPorts = false }: NatOptions) {
    this.#clock = clock;
    this.ip = ip;
    this.kind = kind;
    this.#keepsPorts = keepsPorts;
  }

  /** What the world sees as the source of a datagram that goes out. */
  outbound(from: SocketAddress, to: SocketAddress): SocketAddress {
    const sender = `${formatAddress(from)} ${scope(this.kind.mapping, to)}`;
    const mapping = this.#alive(this.#byInner.get(sender)) ?? this.#map(sender, from);
    const key = formatAddress(to);
    const isAnswered = this.#aliveFlow(mapping, key)?.isAnswered ?? false;
    mapping.flows.set(key, { remote: to, lastMs: this.#clock.elapsedMs, isAnswered });
    return mapping.outer;
  }

  /** Who gets a datagram that comes in; undefined: it is dropped. */
  inbound(from: SocketAddress, to: SocketAddress): SocketAddress | undefined {
    const mapping = this.#alive(this.#byOuterPort.get(to.port));
    if (mapping === undefined || !this.#isLetIn(mapping, from)) return undefined;
    const flow = this.#aliveFlow(mapping, formatAddress(from));
    if (flow !== undefined) Object.assign(flow, { lastMs: this.#clock.elapsedMs, isAnswered: true });
    return mapping.inner;
  }

  /** Switches it off and on, which closes all mappings. */
  restart(): void {
    this.#byInner.clear();
    this.#byOuterPort.clear();
  }

  #isLetIn(mapping: Mapping, from: SocketAddress): boolean {
    const { filtering } = this.kind;
    if (filtering === 'endpoint-independent') return true;
    if (filtering === 'address-and-port-dependent') return mapping.flows.has(formatAddress(from));
    return mapping.flows.values().some(({ remote }) => remote.ip === from.ip);
  }

  #map(key: string, inner: SocketAddress): Mapping {
    const mapping = { inner, outer: { ip: this.ip, port: this.#freePort(inner.port) }, flows: new Map() };
    this.#byInner.set(key, mapping);
    this.#byOuterPort.set(mapping.outer.port, mapping);
    return mapping;
  }

  #freePort(wanted: number): number {
    if (this.#keepsPorts && this.#isFree(wanted)) return wanted;
    while (!this.#isFree(this.#nextPort)) this.#nextPort += 1;
    return this.#nextPort++;
  }

  #isFree(port: number): boolean {
    return this.#alive(this.#byOuterPort.get(port)) === undefined;
  }

  /** The mapping without the flows that have expired, unless all have. */
  #alive(mapping: Mapping | undefined): Mapping | undefined {
    for (const remote of mapping?.flows.keys() ?? []) this.#aliveFlow(mapping as Mapping, remote);
    return mapping === undefined || mapping.flows.size === 0 ? undefined : mapping;
  }

  #aliveFlow({ flows }: Mapping, remote: string): Flow | undefined {
    const flow = flows.get(remote);
    if (flow === undefined) return undefined;
    if (this.#clock.elapsedMs - flow.lastMs < (flow.isAnswered ? ANSWERED_MS : UNANSWERED_MS)) return flow;
    flows.delete(remote);
    return undefined;
  }
}

function scope(mapping: Dependence, to: SocketAddress): string {
  if (mapping === 'endpoint-independent') return '';
  return mapping === 'address-dependent' ? to.ip : formatAddress(to);
}
