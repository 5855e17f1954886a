/** The names that are listed, kept until they change: sorting thousands of them for each `GET /peers/` would keep a directory busy. */
import { ADDRESS_LIFETIME_MS } from './registry.ts';

export interface Listed {
  /** In byte order. */
  readonly names: readonly string[];
  /** When the first of the listed addresses was last answered from; undefined: there is none. Unix ms. */
  readonly oldestMs: number | undefined;
}

interface Kept {
  readonly names: readonly string[];
  readonly known: ReadonlySet<string>;
  readonly fromMs: number;
  readonly untilMs: number;
}

export class Listing {
  readonly #read: (nowMs: number) => Listed;
  #kept: Kept | undefined;

  constructor(read: (nowMs: number) => Listed) {
    this.#read = read;
  }

  names(nowMs: number): readonly string[] {
    const kept = this.#kept;
    if (kept !== undefined && nowMs >= kept.fromMs && nowMs < kept.untilMs) return kept.names;
    const { names, oldestMs = Number.POSITIVE_INFINITY } = this.#read(nowMs);
    this.#kept = { names, known: new Set(names), fromMs: nowMs, untilMs: oldestMs + ADDRESS_LIFETIME_MS };
    return names;
  }

  /** Is this name listed, as `isListed` says? */
  note(name: string, isListed: boolean): void {
    if (this.#kept?.known.has(name) !== isListed) this.#kept = undefined;
  }
}
