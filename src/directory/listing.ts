/** The names that are listed, kept until they change: sorting thousands of them for each `GET /peers/` would keep a directory busy. */
import { ADDRESS_LIFETIME_MS } from './registry.ts';

export interface Listed {
  /** In byte order. */
  readonly names: readonly string[];
  /** Of the addresses that are listed, the first proof; undefined: there is none. Unix ms. */
  readonly oldestProofMs: number | undefined;
}

interface Kept {
  readonly names: readonly string[];
  readonly known: ReadonlySet<string>;
  readonly version: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

export class Listing {
  readonly #read: (nowMs: number) => Listed;
  readonly #version: () => number;
  #kept: Kept | undefined;

  /** `version` changes when somebody else may have changed what `read` gives. */
  constructor(read: (nowMs: number) => Listed, version: () => number = () => 0) {
    this.#read = read;
    this.#version = version;
  }

  names(nowMs: number): readonly string[] {
    const version = this.#version();
    const kept = this.#kept;
    if (kept?.version === version && nowMs >= kept.fromMs && nowMs < kept.untilMs) return kept.names;
    const { names, oldestProofMs = Number.POSITIVE_INFINITY } = this.#read(nowMs);
    const untilMs = oldestProofMs + ADDRESS_LIFETIME_MS;
    this.#kept = { names, known: new Set(names), version, fromMs: nowMs, untilMs };
    return names;
  }

  /** An address of this name is listed from now on. */
  noteProven(name: string): void {
    if (!this.#kept?.known.has(name)) this.#kept = undefined;
  }
}
