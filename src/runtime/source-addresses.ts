/**
 * Source addresses as the operating system writes them → canonical ones. The same source gives the same object for as
 * long as it keeps sending, so that a busy socket neither parses nor allocates addresses.
 *
 * A link-local IPv6 source carries a zone ("fe80::1%eth0"), which means nothing to others and has no place on the wire;
 * but without it no answer finds its way. So it is cut off here, remembered, and put back on sending.
 */
import { canonicalIp, type SocketAddress } from '../wire/socket-address.ts';

/** Half of what is kept at most: forged sources push out each other, not those that keep sending. */
const GENERATION_SIZE = 2_048;

export class SourceAddresses {
  readonly #sources = new RecentMap<SocketAddress>(GENERATION_SIZE);
  readonly #zoned = new RecentMap<string>(GENERATION_SIZE);

  /** Undefined for what is no IP address. */
  canonical(address: string, port: number): SocketAddress | undefined {
    const key = `${address} ${port}`;
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const ip = canonicalIp(address);
    if (ip === undefined) return undefined;
    const source = { ip, port };
    this.#sources.set(key, source);
    if (address.includes('%')) this.#zoned.set(ip, address);
    return source;
  }

  /** What to call this IP when sending to it. */
  destination(ip: string): string {
    return ip.startsWith('fe80:') ? (this.#zoned.get(ip) ?? ip) : ip;
  }
}

/** A map of bounded size that forgets what was not asked for lately: two generations, the older one dropped as a whole. */
class RecentMap<V> {
  readonly #generationSize: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(generationSize: number) {
    this.#generationSize = generationSize;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
