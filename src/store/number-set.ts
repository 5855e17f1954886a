/** Whole numbers that lie close together, as those of leaves and of rows do: up to 32 take one entry. BOUNDED by what is stored. */
import { packOf, slotOf } from './pack.ts';

export class NumberSet {
  readonly #slots = new Map<number, number>();

  has(number: number): boolean {
    return ((this.inPack(packOf(number)) >>> slotOf(number)) & 1) === 1;
  }

  /** False, and nothing is done, if it is there. */
  add(number: number): boolean {
    if (this.has(number)) return false;
    const pack = packOf(number);
    this.#slots.set(pack, this.inPack(pack) | (1 << slotOf(number)));
    return true;
  }

  /** Of leaves, those of one pack, as bits. */
  inPack(pack: number): number {
    return this.#slots.get(pack) ?? 0;
  }
}
