/** Who is registered (protocol §3, §5): names bound to keys, and the addresses that were proven for them. */
import type { ListedAddress } from '../../machines/directory-context.ts';
import type { PublicKey } from '../identity/public-key.ts';
import type { SocketAddress } from '../wire/socket-address.ts';

const MINUTE_MS = 60_000;
export const ADDRESS_LIFETIME_MS = 60 * MINUTE_MS;
export const PENDING_LIFETIME_MS = 2 * MINUTE_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

export interface RegistryOptions {
  /** Days for which a name stays bound to its key after the last proof. Default 90. */
  readonly bindingDays?: number | undefined;
  /** Tells the cursors of this run from those of others; without a dot. Default: random. */
  readonly run?: string | undefined;
}

export const registryLimits = {
  addressesPerName: 8,
  pendingPerName: 4,
  pendingInAll: 10_000,
} as const;

/** A name stays bound at least as long as it is listed. */
export function bindingLifetimeMs({ bindingDays = 90 }: RegistryOptions): number {
  return Math.max(bindingDays * DAY_MS, ADDRESS_LIFETIME_MS);
}

/** What the name is bound to has the last word: `bad-key` to whoever has another key. */
export type Registered = 'accepted' | 'bad-key' | 'away';
/**
 * `others`: if the address is new to the name, those that it has had before, which may be left over; undefined if it is not new.
 * `away`: the engine that keeps bindings cannot be reached, and this name may not be bound without it.
 */
export type Proven = { readonly others: readonly SocketAddress[] | undefined } | 'bad-key' | 'away';

/**
 * Times are Unix ms, passed in: those of a clock that does not jump while the directory runs (`steadyClock`). Addresses age by them,
 * from one start to the next as well; bindings age by the directory's running time (protocol §3).
 *
 * This is a registry in this process. One that several instances share answers what is read from memory as well, but what is written
 * only once its engine has it: see `Registry`.
 */
export interface LocalRegistry {
  /**
   * Takes a registration down, until it is proven or two minutes have passed. A name that is bound to a key takes no other;
   * a name that is not bound takes several, and who proves an address first binds it. A name bound without a key may
   * get one: who registers with a key and proves an address has it from then on. `source`: who asks, as far as that is known.
   */
  register(name: string, key: PublicKey | undefined, nowMs: number, source?: string): Registered;
  /** Keys under which a Hello of this name may be signed; `undefined` among them: it need not be. Empty: not registered. */
  candidateKeys(name: string, nowMs: number): (PublicKey | undefined)[];
  /**
   * The owner of this name said Hello from this address, and proved it under this key: binds the name, unless it is bound to another
   * key, and lists the address first, for an hour.
   */
  prove(name: string, key: PublicKey | undefined, address: SocketAddress, nowMs: number): Proven;
  /** Our own Hello was answered from a listed address: it stays for another hour, at its place in the list (protocol §3). */
  confirm(name: string, address: SocketAddress, nowMs: number): void;
  /** Nobody answers there under this name any more. */
  drop(name: string, address: SocketAddress, nowMs: number): void;
  /**
   * The addresses whose proof lies in the future, so that nobody knows how old it is: from now on they are listed last, for an hour.
   * They are to be asked whether they still answer.
   */
  takeUndated(nowMs: number): readonly ListedAddress[];
  /** Names with at least one address, in byte order; the same array as long as they are the same. */
  peers(nowMs: number): readonly string[];
  /** Undefined also for a bound name without an address: nobody is there now. IPv4 first, and within a family newest proof first (protocol §3). */
  lookup(name: string, nowMs: number): RegisteredPeer | undefined;
  /** Under this name, or under any. */
  isListed(address: SocketAddress, nowMs: number, name?: string): boolean;
  /** Names a moment; what changed in the list after it is asked of `changesSince`. */
  cursor(): string;
  /** Names, or those of `among`, that were proven, or whose addresses changed, since; undefined: it does not remember that far back. */
  changesSince(cursor: string, among?: readonly string[]): readonly string[] | undefined;
  /** Forgets what has expired, some of it at a time, since others wait meanwhile. Is there more? No answer depends on it. */
  expire(nowMs: number): boolean;
  close(): void;
}

/** Whether what keeps bindings – an engine, or a file – can be written to. */
export interface RegistryStatus {
  /** Why no name can be bound now; undefined: all is well. */
  readonly whyAway: string | undefined;
  /** Renewals that wait for it. */
  readonly waiting: number;
}

type Written = 'register' | 'prove' | 'confirm' | 'drop' | 'expire' | 'close';

/** As `LocalRegistry`; what is written may take its time. What is read never does. */
export type Registry = {
  readonly [Method in keyof LocalRegistry]: Method extends Written
    ? (...args: Parameters<LocalRegistry[Method]>) => Eventually<ReturnType<LocalRegistry[Method]>>
    : LocalRegistry[Method];
};

type Eventually<T> = T | Promise<T>;

export interface RegisteredPeer {
  readonly name: string;
  readonly addresses: SocketAddress[];
  readonly key?: PublicKey;
}
