/** Leaves by their keys, in memory: a download puts every message here, so that what one takes is a few bytes and no object. */

/** One number, or several in the rare case that their hashes begin alike. */
export type Leaves = number | readonly number[];

const SMALLEST_BITS = 10;
/** No key. */
const FREE = -1;
/** Multiply-shift hashing with a factor that nobody else knows: whoever makes messages cannot choose which of them meet in one place. */
const FACTOR = (crypto.getRandomValues(new Int32Array(1))[0] ?? 0) | 1;

export class KeyTable {
  /** Open addressing; a key stands once for each of its leaves. */
  #bits = SMALLEST_BITS;
  #keys = new Float64Array(2 ** SMALLEST_BITS).fill(FREE);
  #leaves = new Float64Array(2 ** SMALLEST_BITS);
  #size = 0;

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  get(key: number): Leaves | undefined {
    let found: Leaves | undefined;
    const last = this.#keys.length - 1;
    for (let at = this.#slotOf(key); this.#keys[at] !== FREE; at = (at + 1) & last) {
      if (this.#keys[at] === key) found = both(found, this.#leaves[at] as number);
    }
    return found;
  }

  add(key: number, leaf: number): void {
    if (2 * this.#size >= this.#keys.length) this.#grow();
    this.#put(key, leaf);
    this.#size += 1;
  }

  /** In their order; one that several leaves share stands there as often. */
  sortedKeys(): Float64Array {
    return this.#keys.filter((key) => key !== FREE).sort();
  }

  *entries(): Generator<{ readonly key: number; readonly leaf: number }> {
    for (const [at, key] of this.#keys.entries()) if (key !== FREE) yield { key, leaf: this.#leaves[at] as number };
  }

  #put(key: number, leaf: number): void {
    const last = this.#keys.length - 1;
    let at = this.#slotOf(key);
    while (this.#keys[at] !== FREE) at = (at + 1) & last;
    this.#keys[at] = key;
    this.#leaves[at] = leaf;
  }

  #grow(): void {
    const [keys, leaves] = [this.#keys, this.#leaves];
    this.#bits += 1;
    this.#keys = new Float64Array(2 ** this.#bits).fill(FREE);
    this.#leaves = new Float64Array(2 ** this.#bits);
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at] as number;
      if (key !== FREE) this.#put(key, leaves[at] as number);
    }
  }

  #slotOf(key: number): number {
    return Math.imul(key | 0, FACTOR) >>> (32 - this.#bits);
  }
}

export function both(some: Leaves | undefined, others: Leaves): Leaves {
  return some === undefined ? others : [some, others].flat();
}
