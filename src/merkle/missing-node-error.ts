import type { Hash } from '../wire/hash.ts';
import { MurmureError } from '../wire/murmure-error.ts';

/** A tree was to be walked that is not wholly at hand. */
export class MissingNodeError extends MurmureError {
  override readonly name = 'MissingNodeError';
  readonly hash: Hash;

  constructor(hash: Hash) {
    super('invalid-data', `the tree is not whole: node ${hash} is not at hand`);
    this.hash = hash;
  }
}
