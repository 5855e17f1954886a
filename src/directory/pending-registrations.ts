/** Registrations that nobody has proven yet: forgotten after two minutes, and bounded, those of whoever has most of them first. */
import type { PublicKey } from '../identity/public-key.ts';
import { isYounger } from '../wire/age.ts';
import { PENDING_LIFETIME_MS, registryLimits } from './registry.ts';

interface Pending {
  readonly key: PublicKey | undefined;
  readonly atMs: number;
  readonly source: string;
}

export class PendingRegistrations {
  /** BOUNDED by `registryLimits`: so many a name, and in all. */
  readonly #byName = new Map<string, Pending[]>();
  #size = 0;

  add(name: string, key: PublicKey | undefined, nowMs: number, source: string): void {
    const others = this.#live(name, nowMs).filter((pending) => pending.key !== key);
    this.remove(name);
    const kept = withinLimit([...others, { key, atMs: nowMs, source }]);
    this.#byName.set(name, kept);
    this.#size += kept.length;
    while (this.#size > registryLimits.pendingInAll) this.remove(this.#byName.keys().next().value as string);
  }

  keys(name: string, nowMs: number): (PublicKey | undefined)[] {
    return this.#live(name, nowMs).map(({ key }) => key);
  }

  remove(name: string): void {
    this.#size -= this.#byName.get(name)?.length ?? 0;
    this.#byName.delete(name);
  }

  expire(nowMs: number): void {
    for (const name of this.#byName.keys()) if (this.#live(name, nowMs).length === 0) this.remove(name);
  }

  #live(name: string, nowMs: number): Pending[] {
    return (this.#byName.get(name) ?? []).filter(({ atMs }) => isYounger(atMs, PENDING_LIFETIME_MS, nowMs));
  }
}

/** One source, however much it registers, takes the place of no other (protocol §3: the name is not blocked for its key's owner). */
function withinLimit(all: readonly Pending[]): Pending[] {
  if (all.length <= registryLimits.pendingPerName) return [...all];
  const shares = Map.groupBy(all, ({ source }) => source);
  const most = Math.max(...shares.values().map(({ length }) => length));
  const first = all.findIndex(({ source }) => shares.get(source)?.length === most);
  return all.toSpliced(first, 1);
}
