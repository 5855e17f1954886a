/** The whole registry, as this instance knows it: everything that is read is read here. BOUNDED by what the engine keeps. */
import { isYounger } from '../../wire/age.ts';
import { byFamily, parseAddress, type SocketAddress } from '../../wire/socket-address.ts';
import { ADDRESS_LIFETIME_MS } from '../registry.ts';
import type { AddressRecord, NameRecord } from './name-record.ts';
import { SHARES, shareOf } from './shares.ts';

export interface KnownName extends NameRecord {
  /** Of the change that made it so. */
  readonly version: string;
}

export class NamesInMemory {
  readonly #shares = Array.from({ length: SHARES }, () => new Map<string, KnownName>());
  /** Address → the names that have it: nearly always one. */
  readonly #byAddress = new Map<string, string | Set<string>>();

  get(name: string): KnownName | undefined {
    return this.#share(name).get(name);
  }

  inShare(share: number): ReadonlyMap<string, KnownName> {
    return this.#shares[share] as Map<string, KnownName>;
  }

  set(name: string, known: KnownName): void {
    this.delete(name);
    this.#share(name).set(name, known);
    for (const { address } of known.addresses) this.#index(address, name);
  }

  delete(name: string): void {
    const share = this.#share(name);
    for (const { address } of share.get(name)?.addresses ?? []) this.#unindex(address, name);
    share.delete(name);
  }

  namesAt(address: string): Iterable<string> {
    const names = this.#byAddress.get(address) ?? [];
    return typeof names === 'string' ? [names] : names;
  }

  #share(name: string): Map<string, KnownName> {
    return this.#shares[shareOf(name)] as Map<string, KnownName>;
  }

  #index(address: string, name: string): void {
    const others = this.#byAddress.get(address);
    if (others === undefined) this.#byAddress.set(address, name);
    else this.#byAddress.set(address, (typeof others === 'string' ? new Set([others]) : others).add(name));
  }

  #unindex(address: string, name: string): void {
    const others = this.#byAddress.get(address);
    if (others instanceof Set) others.delete(name);
    if (others === name || (others instanceof Set && others.size === 0)) this.#byAddress.delete(address);
  }
}

/** Those under which it is listed at this time of the registry's clock, the newest proof first. */
export function listedAt({ addresses }: NameRecord, steadyMs: number): AddressRecord[] {
  return addresses.filter(({ answeredMs }) => isListedAt(answeredMs, steadyMs));
}

/** An instance may read a time that is a little before that of the engine: such a proof is fresh. */
function isListedAt(answeredMs: number, steadyMs: number): boolean {
  return isYounger(Math.min(answeredMs, steadyMs), ADDRESS_LIFETIME_MS, steadyMs);
}

/** IPv4 first, and within a family newest proof first (protocol §3). */
export function inOrder(addresses: readonly AddressRecord[]): SocketAddress[] {
  return addresses
    .flatMap(({ address }) => {
      const parsed = parseAddress(address);
      return parsed.ok ? [parsed.value] : [];
    })
    .sort(byFamily);
}
