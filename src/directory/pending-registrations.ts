/** Registrations that nobody has proven yet: forgotten after two minutes, and bounded, oldest first. */
import type { PublicKey } from '../identity/public-key.ts';
import { PENDING_LIFETIME_MS, registryLimits } from './registry.ts';

interface Pending {
  readonly key: PublicKey | undefined;
  readonly atMs: number;
}

export class PendingRegistrations {
  readonly #byName = new Map<string, Pending[]>();
  #size = 0;

  add(name: string, key: PublicKey | undefined, nowMs: number): void {
    const others = this.#live(name, nowMs).filter((pending) => pending.key !== key);
    this.remove(name);
    const kept = [...others, { key, atMs: nowMs }].slice(-registryLimits.pendingPerName);
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
    return (this.#byName.get(name) ?? []).filter(({ atMs }) => nowMs - atMs < PENDING_LIFETIME_MS);
  }
}
