/** Which names have an address whose hour ends when: to the minute, so that a sweep looks at those alone. */
import { ADDRESS_LIFETIME_MS } from '../registry.ts';
import type { NameRecord } from './name-record.ts';

const MINUTE_MS = 60_000;

export class Expiries {
  /** Minute → names; a name may have an earlier one that no longer holds. BOUNDED by the names, an hour of minutes each. */
  readonly #minutes = new Map<number, Set<string>>();

  add(name: string, { addresses }: NameRecord): void {
    for (const { answeredMs } of addresses) {
      const minute = Math.floor((answeredMs + ADDRESS_LIFETIME_MS) / MINUTE_MS);
      const names = this.#minutes.get(minute);
      if (names === undefined) this.#minutes.set(minute, new Set([name]));
      else names.add(name);
    }
  }

  /** Those to look at; names of minutes that are over are forgotten. */
  *due(steadyMs: number): Generator<string> {
    const now = Math.floor(steadyMs / MINUTE_MS);
    for (const [minute, names] of this.#minutes) {
      if (minute > now) continue;
      if (minute < now) this.#minutes.delete(minute);
      yield* names;
    }
  }
}
