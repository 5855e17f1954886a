/**
 * A pack: up to 32 leaves that came together, as the bytes of one row. One row and one index entry a leaf is what a download would
 * spend most of its time on. For each leaf: its length plus one (2 bytes), its hash (32), its bytes; of one that was removed, two zero
 * bytes, so that the others keep their places. A leaf has a number: that of its pack times 32, and its place in it.
 */
import { HASH_BYTES, type Hash } from '../wire/hash.ts';
import type { StoredNode } from './store.ts';

export const PACK_SLOTS = 32;
const HEAD_BYTES = 2 + HASH_BYTES;
/** No datagram is larger. */
export const MAX_LEAF_BYTES = 0xfffe;

/** Places in a pack, as bits. */
export function allSlots(count: number): number {
  return count === PACK_SLOTS ? -1 : (1 << count) - 1;
}

export function leafNumber(pack: number, slot: number): number {
  return pack * PACK_SLOTS + slot;
}

export function packOf(leaf: number): number {
  return Math.floor(leaf / PACK_SLOTS);
}

export function slotOf(leaf: number): number {
  return leaf % PACK_SLOTS;
}

/** At most 32 leaves, none longer than MAX_LEAF_BYTES. @throws RangeError if a hash is none */
export function packLeaves(leaves: readonly StoredNode[]): Uint8Array {
  const pack = Buffer.allocUnsafeSlow(leaves.reduce((bytes, { value }) => bytes + HEAD_BYTES + value.length, 0));
  let at = 0;
  for (const { hash, value } of leaves) {
    pack.writeUInt16BE(value.length + 1, at);
    if (hash.length !== 2 * HASH_BYTES || pack.write(hash, at + 2, 'hex') !== HASH_BYTES)
      throw new RangeError(`not a hash: ${JSON.stringify(hash)}`);
    pack.set(value, at + HEAD_BYTES);
    at += HEAD_BYTES + value.length;
  }
  return pack;
}

/** A view of the pack: hash and value are read when somebody asks for them. */
class PackedLeaf implements StoredNode {
  readonly #pack: Buffer;
  readonly #at: number;
  readonly #end: number;

  constructor(pack: Buffer, at: number, end: number) {
    this.#pack = pack;
    this.#at = at;
    this.#end = end;
  }

  get hash(): Hash {
    return this.#pack.toString('hex', this.#at + 2, this.#at + HEAD_BYTES);
  }

  get value(): Uint8Array {
    const start = this.#at + HEAD_BYTES;
    return new Uint8Array(this.#pack.buffer, this.#pack.byteOffset + start, this.#end - start);
  }
}

/** What stands in each place: undefined where the leaf was removed. */
export type Pack = readonly (StoredNode | undefined)[];

export function unpackLeaves(bytes: Uint8Array): Pack {
  const pack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const leaves: (StoredNode | undefined)[] = [];
  for (let at = 0; at + 2 <= pack.length; ) {
    const end = endOf(pack, at);
    leaves.push(end === at + 2 ? undefined : new PackedLeaf(pack, at, end));
    at = end;
  }
  return leaves;
}

/** The same pack without the leaves in these places (bits). */
export function withoutLeaves(pack: Uint8Array, slots: number): Uint8Array {
  const kept: Uint8Array[] = [];
  for (let at = 0, slot = 0; at + 2 <= pack.length; slot += 1) {
    const end = endOf(pack, at);
    kept.push((slots >>> slot) & 1 ? Uint8Array.of(0, 0) : pack.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

/** Where what begins at `at` ends. */
function endOf(pack: Uint8Array, at: number): number {
  const lengthAndOne = ((pack[at] ?? 0) << 8) | (pack[at + 1] ?? 0);
  return lengthAndOne === 0 ? at + 2 : at + HEAD_BYTES + lengthAndOne - 1;
}
