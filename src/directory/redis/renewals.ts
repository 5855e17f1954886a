/** What known owners have proven while the engine was away: it is told when it returns. */

import type { PublicKey } from '../../identity/public-key.ts';
import { dropOldest } from '../../merkle/bounded-map.ts';

export interface Renewal {
  readonly kind: 'prove' | 'confirm';
  readonly name: string;
  readonly key: PublicKey | undefined;
  /** As `formatAddress` writes it. */
  readonly address: string;
}

const MAX_RENEWALS = 65_536;

export class Renewals {
  /** By name and address, the latest last. BOUNDED by `MAX_RENEWALS`: the oldest go, and those peers are listed until their hour ends. */
  readonly #waiting = new Map<string, Renewal>();

  get size(): number {
    return this.#waiting.size;
  }

  add(renewal: Renewal): void {
    const id = `${renewal.name}\n${renewal.address}`;
    const isProven = renewal.kind === 'prove' || this.#waiting.get(id)?.kind === 'prove';
    this.#waiting.delete(id);
    this.#waiting.set(id, isProven ? { ...renewal, kind: 'prove' } : renewal);
    dropOldest(this.#waiting, MAX_RENEWALS);
  }

  /** Hands each over, in the order in which they came; one that fails stays, and so do those after it. */
  async drain(hand: (renewal: Renewal) => Promise<unknown>): Promise<void> {
    for (const [id, renewal] of this.#waiting) {
      await hand(renewal);
      if (this.#waiting.get(id) === renewal) this.#waiting.delete(id);
    }
  }
}
