/** Leaves by their numbers: 32 of a pack take one entry. BOUNDED by the leaves that are stored. */
import { packOf, slotOf } from './pack.ts';

export class LeafSet {
  readonly #slots = new Map<number, number>();

  has(leaf: number): boolean {
    return ((this.inPack(packOf(leaf)) >>> slotOf(leaf)) & 1) === 1;
  }

  /** False, and nothing is done, if it is there. */
  add(leaf: number): boolean {
    if (this.has(leaf)) return false;
    const pack = packOf(leaf);
    this.#slots.set(pack, this.inPack(pack) | (1 << slotOf(leaf)));
    return true;
  }

  /** Those of one pack, as bits. */
  inPack(pack: number): number {
    return this.#slots.get(pack) ?? 0;
  }
}
