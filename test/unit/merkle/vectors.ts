/** vectors/trees.json: roots that every implementation of the shape has to give. */
import { readFileSync } from 'node:fs';
import type { Hash } from '../../../src/wire/hash.ts';

export interface TreeVector {
  readonly messages: number;
  readonly root: Hash;
  /** Leaves and internal nodes. */
  readonly distinctNodes: number;
  /** Steps from the root to the leftmost leaf. */
  readonly depth: number;
}

const file = new URL('../../vectors/trees.json', import.meta.url);
export const treeVectors: readonly TreeVector[] = JSON.parse(readFileSync(file, 'utf8')).trees;
