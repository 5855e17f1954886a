/** The registry of the lab's directory: in memory, and gone with the page. It keeps the promises that any registry keeps (test/unit/directory/registry.test.ts). */
import { ChangeLog } from '../../directory/change-log.ts';
import { byBytes } from '../../directory/name-order.ts';
import { PendingRegistrations } from '../../directory/pending-registrations.ts';
import {
  ADDRESS_LIFETIME_MS,
  bindingLifetimeMs,
  type LocalRegistry,
  type RegistryOptions,
  registryLimits,
} from '../../directory/registry.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import { byFamily, formatAddress, type SocketAddress } from '../../wire/socket-address.ts';

interface Proof {
  readonly address: SocketAddress;
  readonly provenMs: number;
  answeredMs: number;
}

interface Binding {
  key: PublicKey | undefined;
  confirmedMs: number;
  /** Oldest proof first. BOUNDED by `registryLimits`. */
  proofs: readonly Proof[];
}

export function createMemoryRegistry(options: RegistryOptions = {}): LocalRegistry {
  const lifetimeMs = bindingLifetimeMs(options);
  /** BOUNDED by the peers of the lab. */
  const bindings = new Map<string, Binding>();
  const pending = new PendingRegistrations();
  const changes = new ChangeLog(options.run);
  let names: readonly string[] = [];

  const bindingOf = (name: string, nowMs: number): Binding | undefined => {
    const binding = bindings.get(name);
    return binding !== undefined && nowMs - binding.confirmedMs < lifetimeMs ? binding : undefined;
  };
  const liveProofs = (name: string, nowMs: number): readonly Proof[] =>
    bindings.get(name)?.proofs.filter(({ answeredMs }) => nowMs - answeredMs < ADDRESS_LIFETIME_MS) ?? [];
  const addressesOf = (name: string, nowMs: number): SocketAddress[] => {
    const isUndated = ({ provenMs }: Proof) => Number(provenMs > nowMs);
    const newestFirst = liveProofs(name, nowMs)
      .toReversed()
      .sort((a, b) => isUndated(a) - isUndated(b) || b.provenMs - a.provenMs);
    return newestFirst.map(({ address }) => address).sort(byFamily);
  };
  /** Does the work, and notes whether it changed what the list says of this name. */
  const changing = (name: string, nowMs: number, work: (binding: Binding) => void): void => {
    const binding = bindings.get(name);
    if (binding === undefined) return;
    const before = JSON.stringify(addressesOf(name, nowMs));
    work(binding);
    if (JSON.stringify(addressesOf(name, nowMs)) !== before) changes.note(name);
  };

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
      const keys = [...pending.keys(name, nowMs), ...(binding === undefined ? [] : [undefined])];
      return [...new Set(keys)].sort((a, b) => Number(a === undefined) - Number(b === undefined));
    },
    prove(name, key, address, nowMs) {
      const bound = bindingOf(name, nowMs);
      if (bound?.key !== undefined && bound.key !== key) return 'bad-key';
      const owned = bound !== undefined && bound.key === key ? bound.proofs : [];
      const listed = owned.length === 0 ? [] : addressesOf(name, nowMs);
      const text = formatAddress(address);
      const others = owned.filter((proof) => formatAddress(proof.address) !== text);
      const proofs = [...others, { address, provenMs: nowMs, answeredMs: nowMs }].slice(
        -registryLimits.addressesPerName,
      );
      bindings.set(name, { key, confirmedMs: nowMs, proofs });
      changes.note(name);
      if (key !== undefined) pending.remove(name);
      const left = listed.filter((other) => formatAddress(other) !== text);
      return { others: left.length === listed.length ? left : undefined };
    },
    confirm(name, address, nowMs) {
      changing(name, nowMs, (binding) => {
        const proof = binding.proofs.find((known) => formatAddress(known.address) === formatAddress(address));
        if (proof === undefined) return;
        proof.answeredMs = nowMs;
        binding.confirmedMs = nowMs;
      });
    },
    drop(name, address, nowMs) {
      changing(name, nowMs, (binding) => {
        binding.proofs = binding.proofs.filter((known) => formatAddress(known.address) !== formatAddress(address));
      });
    },
    // Its clock never goes back.
    takeUndated: () => [],
    peers(nowMs) {
      const listed = [...bindings.keys()].filter((name) => liveProofs(name, nowMs).length > 0).sort(byBytes);
      if (listed.join('\n') !== names.join('\n')) names = listed;
      return names;
    },
    lookup(name, nowMs) {
      const addresses = addressesOf(name, nowMs);
      const key = bindingOf(name, nowMs)?.key;
      if (addresses.length === 0) return undefined;
      return key === undefined ? { name, addresses } : { name, addresses, key };
    },
    isListed(address, nowMs, name) {
      const text = formatAddress(address);
      const among = name === undefined ? [...bindings.keys()] : [name];
      return among.some((it) => liveProofs(it, nowMs).some((proof) => formatAddress(proof.address) === text));
    },
    cursor: () => changes.cursor,
    changesSince: (cursor, among) => changes.since(cursor, among),
    expire(nowMs) {
      pending.expire(nowMs);
      for (const [name, binding] of bindings) {
        const live = liveProofs(name, nowMs);
        if (live.length < binding.proofs.length) changes.note(name);
        binding.proofs = live;
        if (bindingOf(name, nowMs) === undefined) bindings.delete(name);
      }
      return false;
    },
    close() {},
  };
}
