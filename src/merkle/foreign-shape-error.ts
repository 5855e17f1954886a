import type { Hash } from '../wire/hash.ts';
import { MurmureError } from '../wire/murmure-error.ts';

/**
 * A tree to be appended to does not have the shape that this project publishes (protocol §2) for that number of leaves.
 */
export class ForeignShapeError extends MurmureError {
  override readonly name = 'ForeignShapeError';
  readonly root: Hash;

  constructor(root: Hash, count: number) {
    super('invalid-data', `the tree under ${root} is not the one this program builds for ${count} messages`);
    this.root = root;
  }
}
