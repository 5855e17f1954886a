/** Makes values of what shared-values.ts made of them: what was shared is shared again. */
import type { Encoded } from '../inspector/lines.ts';

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
  readonly b?: string;
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
    if (told.$ === undefined) return this.#unnumbered(told);
    if (told.b !== undefined) return this.#keep(told.$, bytesOf(told.b));
    if (told.m !== undefined) {
      return this.#keep(told.$, new Map(told.m.map(([key, value]) => [this.decode(key), this.decode(value)])));
    }
    if (told.v === undefined) return this.#known[told.$];
    if (told.d !== undefined) return this.#keep(told.$, this.#changed(this.#known[told.d], told));
    return this.#keep(
      told.$,
      Array.isArray(told.v) ? told.v.map((it) => this.decode(it)) : this.#members(told.v as Members),
    );
  }

  #unnumbered({ a, n, k, r = null }: Told): unknown {
    if (a !== undefined) return new ActorLink(a);
    if (n !== undefined) return Number(n);
    let rest = this.decode(r);
    for (const [number, members] of k ?? []) rest = this.#keep(number, { ...this.#members(members), rest });
    return rest;
  }

  #changed(before: unknown, { v, x = [] }: Told): unknown {
    const members = this.#members(v as Members);
    if (Array.isArray(before)) return Object.assign([...before], members);
    const copy: Record<string, unknown> = { ...(before as object), ...members };
    for (const key of x) delete copy[key];
    return copy;
  }

  #members(told: Members): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    for (const key in told) members[key] = this.decode(told[key] as Encoded);
    return members;
  }

  #keep<T>(number: number, value: T): T {
    this.#known[number] = value;
    return value;
  }
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
