/** Whose key is it? For Hellos from strangers: pinned keys first, then the directory, bounded in number, in time and per source (protocol §5). */
import type { PublicKey } from '../identity/public-key.ts';
import { TokenBuckets } from '../runtime/token-buckets.ts';
import { hostOf, type SocketAddress, sameAddress } from '../wire/socket-address.ts';

export interface FoundKey {
  /** Undefined: the name is not known, or has no key. */
  readonly key: PublicKey | undefined;
  /** False: this Hello must be ignored. */
  readonly trusted: boolean;
}

export interface KeyFinderOptions {
  readonly pinnedKey: (name: string) => PublicKey | undefined;
  readonly pinKey: (name: string, key: PublicKey) => void;
  readonly lookUp: (name: string) => Promise<{ readonly key?: PublicKey } | undefined>;
  readonly directory: () => { readonly addresses: readonly SocketAddress[]; readonly key: PublicKey | undefined };
  readonly isValidName: (name: string) => boolean;
  /** Milliseconds since an arbitrary start. */
  readonly monotonicNow: () => number;
}

const UNTRUSTED: FoundKey = { key: undefined, trusted: false };
const MAX_PER_SOURCE = 4;
const MAX_PENDING = 256;
/**
 * Forged Hellos come from any source, and newcomers have to get in among them. Names that are asked for together cost one request
 * (directory-look-ups.ts); a directory that takes one at a time is asked for its list first, so that made-up names cost nothing.
 */
const LOOK_UPS = { perSecond: 64, burst: 256 };
/** A key that the directory has told, and no signature has confirmed yet, is not asked for again so soon. */
const FOUND_MS = 60_000;
const MAX_FOUND = 256;

export class KeyFinder {
  readonly #options: KeyFinderOptions;
  /** Look-ups under way, by name. BOUNDED by MAX_PENDING. */
  readonly #pending = new Map<string, Promise<FoundKey>>();
  /** How many of them each host has caused. BOUNDED by MAX_PENDING. */
  readonly #perSource = new Map<string, number>();
  readonly #inTime = new TokenBuckets(LOOK_UPS);
  /** BOUNDED by MAX_FOUND. */
  readonly #found = new Map<string, { readonly key: PublicKey; readonly atMs: number }>();

  constructor(options: KeyFinderOptions) {
    this.#options = options;
  }

  /** Synchronous where nobody needs asking, which is the common case. */
  find(name: string, from: SocketAddress): FoundKey | Promise<FoundKey> {
    if (name === '') {
      const { addresses, key } = this.#options.directory();
      return addresses.some((address) => sameAddress(address, from)) ? { key, trusted: true } : UNTRUSTED;
    }
    if (!this.#options.isValidName(name)) return UNTRUSTED;
    const pinned = this.#options.pinnedKey(name);
    if (pinned !== undefined) return { key: pinned, trusted: true };
    const found = this.#found.get(name);
    if (found !== undefined && this.#options.monotonicNow() - found.atMs < FOUND_MS)
      return { key: found.key, trusted: true };
    return this.#pending.get(name) ?? this.#ask(name, from);
  }

  /** Whoever said Hello under this name has the key: only then is it pinned, since anybody can say somebody's name. */
  confirm(name: string, key: PublicKey): void {
    if (this.#options.pinnedKey(name) === undefined) this.#options.pinKey(name, key);
    this.#found.delete(name);
  }

  #ask(name: string, from: SocketAddress): FoundKey | Promise<FoundKey> {
    const host = hostOf(from);
    const asking = this.#perSource.get(host) ?? 0;
    if (asking >= MAX_PER_SOURCE || this.#pending.size >= MAX_PENDING) return UNTRUSTED;
    if (this.#inTime.take('', this.#options.monotonicNow()) > 0) return UNTRUSTED;
    this.#perSource.set(host, asking + 1);
    const answer = this.#lookUp(name).finally(() => {
      this.#pending.delete(name);
      const left = (this.#perSource.get(host) ?? 1) - 1;
      if (left > 0) this.#perSource.set(host, left);
      else this.#perSource.delete(host);
    });
    this.#pending.set(name, answer);
    return answer;
  }

  async #lookUp(name: string): Promise<FoundKey> {
    try {
      const key = (await this.#options.lookUp(name))?.key;
      if (key !== undefined) this.#remember(name, key);
      return { key, trusted: true };
    } catch {
      // The directory cannot say whose name this is: ignored, and the other side repeats its Hello.
      return UNTRUSTED;
    }
  }

  #remember(name: string, key: PublicKey): void {
    this.#found.delete(name);
    this.#found.set(name, { key, atMs: this.#options.monotonicNow() });
    if (this.#found.size > MAX_FOUND) this.#found.delete(this.#found.keys().next().value as string);
  }
}
