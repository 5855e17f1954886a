/** The registry in memory: gone with the process. */
import type { PublicKey } from '../identity/public-key.ts';
import { formatAddress, isIPv6, type SocketAddress } from '../wire/socket-address.ts';
import { Listing } from './listing.ts';
import { PendingRegistrations } from './pending-registrations.ts';
import {
  ADDRESS_LIFETIME_MS,
  bindingLifetimeMs,
  byBytes,
  type RegisteredPeer,
  type Registry,
  type RegistryOptions,
  registryLimits,
} from './registry.ts';

interface Binding {
  readonly key: PublicKey | undefined;
  readonly provenAtMs: number;
  /** By text, oldest proof first. */
  readonly addresses: Map<string, { readonly address: SocketAddress; readonly provenAtMs: number }>;
}

export function createMemoryRegistry(options: RegistryOptions = {}): Registry {
  const lifetimeMs = bindingLifetimeMs(options);
  const bindings = new Map<string, Binding>();
  const pending = new PendingRegistrations();

  const bindingOf = (name: string, nowMs: number): Binding | undefined => {
    const binding = bindings.get(name);
    return binding !== undefined && nowMs - binding.provenAtMs < lifetimeMs ? binding : undefined;
  };
  const addressesOf = (name: string, nowMs: number): SocketAddress[] =>
    [...(bindingOf(name, nowMs)?.addresses.values() ?? [])]
      .filter(({ provenAtMs }) => nowMs - provenAtMs < ADDRESS_LIFETIME_MS)
      .map(({ address }) => address)
      .reverse()
      .sort((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));

  const listing = new Listing((nowMs) => {
    const names: string[] = [];
    let oldestProofMs: number | undefined;
    for (const [name, { addresses }] of bindings) {
      const proofs = [...addresses.values()].map(({ provenAtMs }) => provenAtMs);
      const live = bindingOf(name, nowMs) ? proofs.filter((atMs) => nowMs - atMs < ADDRESS_LIFETIME_MS) : [];
      if (live.length > 0) names.push(name);
      oldestProofMs = Math.min(oldestProofMs ?? Number.POSITIVE_INFINITY, ...live);
    }
    return { names: names.sort(byBytes), oldestProofMs };
  });

  return {
    register(name, key, nowMs, source = '') {
      const bound = bindingOf(name, nowMs)?.key;
      if (bound !== undefined) return bound === key ? 'accepted' : 'bad-key';
      pending.add(name, key, nowMs, source);
      return 'accepted';
    },
    candidateKeys(name, nowMs) {
      const binding = bindingOf(name, nowMs);
      if (binding?.key !== undefined) return [binding.key];
      // Keyed candidates first: a signature that verifies says more than none.
      const keys = [...pending.keys(name, nowMs), ...(binding === undefined ? [] : [undefined])];
      return [...new Set(keys)].sort((a, b) => Number(a === undefined) - Number(b === undefined));
    },
    prove(name, key, address, nowMs) {
      const binding = bindingOf(name, nowMs);
      const addresses = binding?.key === key && binding ? binding.addresses : new Map();
      addresses.delete(formatAddress(address));
      addresses.set(formatAddress(address), { address, provenAtMs: nowMs });
      if (addresses.size > registryLimits.addressesPerName) addresses.delete(addresses.keys().next().value as string);
      bindings.set(name, { key, provenAtMs: nowMs, addresses });
      listing.noteProven(name);
      if (key !== undefined) pending.remove(name);
    },
    peers: (nowMs) => listing.names(nowMs),
    lookup(name, nowMs): RegisteredPeer | undefined {
      const addresses = addressesOf(name, nowMs);
      const key = bindingOf(name, nowMs)?.key;
      if (addresses.length === 0) return undefined;
      return key === undefined ? { name, addresses } : { name, addresses, key };
    },
    isListed(address, nowMs) {
      const text = formatAddress(address);
      return bindings.values().some(({ addresses }) => {
        const proof = addresses.get(text);
        return proof !== undefined && nowMs - proof.provenAtMs < ADDRESS_LIFETIME_MS;
      });
    },
    expire(nowMs) {
      pending.expire(nowMs);
      for (const [name, { provenAtMs, addresses }] of bindings) {
        for (const [text, proof] of addresses)
          if (nowMs - proof.provenAtMs >= ADDRESS_LIFETIME_MS) addresses.delete(text);
        if (nowMs - provenAtMs >= lifetimeMs) bindings.delete(name);
      }
    },
    close() {},
  };
}
