/**
 * Values of events and contexts as JSON in which each object stands only once. Contexts are never changed but copied, and share most of
 * what is in them: an object gets a number where it first stands, and is named by it from then on. A copy is told as what differs from
 * the one before.
 *
 *     {"$":7,"v":{…}}   an object or a list      {"$":8,"d":7,"v":{…},"x":[…]}   as 7, but for these members; without those
 *     {"$":8,"d":7,"p":2,"s":1,"v":[…]}   a list that begins with two, and ends with one, of 7
 *     {"$":7}           the one told before      {"$":9,"b":"…"}                 bytes in base64
 *     {"$":10,"w":9,"o":42,"l":99}               99 bytes of those, from the 42nd on: a node in its datagram
 *     {"m":[…]}         a Map, as its entries    {"k":[[10,{…}],…],"r":…}        a linked stack, bottom first, upon the rest
 *     {"a":"peer/…"}    an actor                 {"n":"Infinity"}                a number that JSON does not know
 *
 * Maps are changed in place: they, what they are in, and what is in them are told anew each time, without a number.
 */
import type { AnyActorRef } from 'xstate';
import { pathOf } from '../runtime/actor-tree.ts';
import { toBase64 } from '../wire/base64.ts';
import type { Encoded } from './lines.ts';

export class SharedValues {
  #numbers = new WeakMap<object, number>();
  /** Bytes that were told last of each buffer. */
  #buffers = new WeakMap<ArrayBufferLike, Uint8Array>();
  #count = 0;
  /** Maps met so far. */
  #maps = 0;
  /** Of the Maps that are being told. */
  #depth = 0;

  /** Objects told since the last reset. */
  get count(): number {
    return this.#count;
  }

  reset(): void {
    this.#numbers = new WeakMap();
    this.#buffers = new WeakMap();
    this.#count = 0;
  }

  /** @param before what it may be a copy of */
  encode(value: unknown, before?: unknown): Encoded | undefined {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value) ? value : { n: String(value) };
      case 'object':
        return value === null ? null : this.#object(value, before);
      default:
        return undefined;
    }
  }

  #object(value: object, before: unknown): Encoded {
    const known = this.#depth > 0 ? undefined : this.#numbers.get(value);
    if (known !== undefined) return { $: known };
    if (value instanceof Uint8Array) return this.#bytes(value);
    if ('getSnapshot' in value && 'sessionId' in value) return { a: pathOf(value as AnyActorRef) };
    if (value instanceof Map) {
      this.#maps += 1;
      this.#depth += 1;
      const m = Array.from(value, ([key, member]) => [this.#member(key), this.#member(member)]);
      this.#depth -= 1;
      return { m };
    }
    if ('rest' in value) return this.#stack(value as Stack);
    return this.#copyOf(before, value) ?? this.#whole(value);
  }

  /** What is within bytes that were told is not told again. */
  #bytes(value: Uint8Array): Encoded {
    const whole = this.#buffers.get(value.buffer);
    const offset = value.byteOffset - (whole?.byteOffset ?? 0);
    if (whole !== undefined && offset >= 0 && offset + value.length <= whole.length) {
      const w = this.#numbers.get(whole);
      return { $: this.#take(value), w, o: offset, l: value.length };
    }
    this.#buffers.set(value.buffer, value);
    return { $: this.#take(value), b: toBase64(value) };
  }

  #whole(value: object): Encoded {
    const maps = this.#maps;
    const v = Array.isArray(value) ? value.map((member) => this.#member(member)) : this.#members(value);
    return this.#maps > maps || this.#depth > 0 ? { v } : { $: this.#take(value), v };
  }

  #copyOf(before: unknown, value: object): Encoded | undefined {
    if (typeof before !== 'object' || before === null) return undefined;
    const d = this.#numbers.get(before);
    if (d === undefined || Array.isArray(before) !== Array.isArray(value)) return undefined;
    const maps = this.#maps;
    const copy = Array.isArray(value)
      ? { d, ...this.#spliced(before as readonly unknown[], value) }
      : { d, ...this.#changed(before as Record<string, unknown>, value) };
    return this.#maps > maps ? copy : { $: this.#take(value), ...copy };
  }

  /** What stands between the beginning and the end that both have. */
  #spliced(old: readonly unknown[], value: readonly unknown[]): { p: number; s: number; v: Encoded[] } {
    const shorter = Math.min(old.length, value.length);
    let p = 0;
    while (p < shorter && old[p] === value[p]) p += 1;
    let s = 0;
    while (s < shorter - p && old[old.length - 1 - s] === value[value.length - 1 - s]) s += 1;
    const between = value.slice(p, value.length - s);
    // Where some are gone, or new, most others are at the same distance from the end.
    const shift = old.length - value.length;
    const v = between.map((member, i) => this.encode(member, old[Math.max(p, p + i + shift)]) ?? null);
    return { p, s, v };
  }

  #changed(old: Record<string, unknown>, value: object): { v: Record<string, Encoded>; x?: string[] } {
    const v: Record<string, Encoded> = {};
    for (const [key, member] of Object.entries(value)) {
      if (old[key] === member) continue;
      const encoded = this.encode(member, old[key]);
      if (encoded !== undefined) v[key] = encoded;
    }
    const isGone = (key: string) => old[key] !== undefined && (value as Record<string, unknown>)[key] === undefined;
    const x = Object.keys(old).filter(isGone);
    return { v, ...(x.length > 0 && { x }) };
  }

  /** A linked stack may be higher than the call stack: it is gone through in a loop. */
  #stack(top: Stack): Encoded {
    const items: Stack[] = [];
    let at: unknown = top;
    while (typeof at === 'object' && at !== null && 'rest' in at && !this.#numbers.has(at)) {
      items.push(at as Stack);
      at = at.rest;
    }
    const r = this.#member(at);
    const k = items.reverse().map((item) => [this.#take(item), this.#members({ ...item, rest: undefined })]);
    return { k, r };
  }

  #members(value: object): Record<string, Encoded> {
    const encoded: Record<string, Encoded> = {};
    for (const [key, member] of Object.entries(value)) {
      const json = this.encode(member);
      if (json !== undefined) encoded[key] = json;
    }
    return encoded;
  }

  #member(value: unknown): Encoded {
    return this.encode(value) ?? null;
  }

  #take(value: object): number {
    this.#count += 1;
    this.#numbers.set(value, this.#count);
    return this.#count;
  }
}

interface Stack {
  readonly rest: unknown;
}
