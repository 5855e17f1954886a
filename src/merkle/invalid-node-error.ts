import type { Hash } from '../wire/hash.ts';
import { MurmureError } from '../wire/murmure-error.ts';

/** A node whose bytes have the right hash, and yet are no internal node that protocol §2 allows. */
export class InvalidNodeError extends MurmureError {
  override readonly name = 'InvalidNodeError';
  readonly hash: Hash;

  constructor(hash: Hash, why: string) {
    super('invalid-data', `node ${hash} is not valid: ${why}`);
    this.hash = hash;
  }
}
