/** Makes values of what shared-values.ts made of them: what was shared is shared again. */
import type { Encoded } from '../inspector/lines.ts';
import { fromBase64 } from '../wire/base64.ts';

/** A reference to an actor. */
export class ActorLink {
  readonly link: string;
  constructor(path: string) {
    this.link = path;
  }
}

interface Told {
  readonly $?: number;
  readonly v?: Members | readonly Encoded[];
  readonly d?: number;
  readonly x?: readonly string[];
  readonly p?: number;
  readonly s?: number;
  readonly b?: string;
  readonly w?: number;
  readonly o?: number;
  readonly l?: number;
  readonly m?: readonly (readonly [Encoded, Encoded])[];
  readonly k?: readonly (readonly [number, Members])[];
  readonly r?: Encoded;
  readonly a?: string;
  readonly n?: string;
}
type Members = Readonly<Record<string, Encoded>>;

export class Values {
  /** BOUNDED by the resets of whoever tells. */
  #known: unknown[] = [];

  reset(): void {
    this.#known = [];
  }

  decode(encoded: Encoded): unknown {
    if (typeof encoded !== 'object' || encoded === null) return encoded;
    const told = encoded as Told;
    const { $, a, n, k } = told;
    if (a !== undefined) return new ActorLink(a);
    if (n !== undefined) return Number(n);
    if (k !== undefined) return this.#stack(k, told.r ?? null);
    const isNew = told.v !== undefined || told.b !== undefined || told.m !== undefined || told.w !== undefined;
    if ($ !== undefined && !isNew) return this.#known[$];
    const value = this.#new(told);
    if ($ !== undefined) this.#known[$] = value;
    return value;
  }

  #new({ v, b, w, o = 0, l = 0, m, d, x, p, s }: Told): unknown {
    if (b !== undefined) return fromBase64(b);
    if (w !== undefined) return (this.#known[w] as Uint8Array).subarray(o, o + l);
    if (m !== undefined) return new Map(m.map(([key, value]) => [this.decode(key), this.decode(value)]));
    if (d !== undefined && Array.isArray(v)) {
      const before = this.#known[d] as readonly unknown[];
      const end = before.slice(before.length - (s ?? 0));
      return [...before.slice(0, p), ...v.map((member) => this.decode(member)), ...end];
    }
    if (d !== undefined) return this.#changed(this.#known[d], v as Members, x);
    return Array.isArray(v) ? v.map((member) => this.decode(member)) : this.#members(v as Members);
  }

  #stack(items: NonNullable<Told['k']>, below: Encoded): unknown {
    let rest = this.decode(below);
    for (const [number, members] of items) {
      rest = { ...this.#members(members), rest };
      this.#known[number] = rest;
    }
    return rest;
  }

  #changed(before: unknown, told: Members, x: readonly string[] = []): unknown {
    const members = this.#members(told);
    const copy: Record<string, unknown> = { ...(before as object), ...members };
    for (const key of x) delete copy[key];
    return copy;
  }

  #members(told: Members): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    for (const key in told) members[key] = this.decode(told[key] as Encoded);
    return members;
  }
}
