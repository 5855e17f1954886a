/**
 * What a depth-first download of a tree has still to ask for: a linked stack. Every operation gives a new value and
 * copies nothing, as it lives in the context of a state machine, whose earlier states stay valid. Plain data, nested as
 * deep as the stack is high: fold it with a loop, never with recursion.
 */
import type { Hash } from '../wire/hash.ts';

/** One hash to ask for, and the ones after it. */
export interface FrontierTop {
  readonly hash: Hash;
  readonly rest: Frontier;
}

/** Hashes still to be asked for; undefined when there are none. */
export type Frontier = FrontierTop | undefined;

/** Puts a node's children on top, so that the leftmost is popped first: the order of protocol §2. Takes O(hashes). */
export function pushAll(frontier: Frontier, hashes: readonly Hash[]): Frontier {
  return hashes.reduceRight<Frontier>((rest, hash) => ({ hash, rest }), frontier);
}

/** The next hash to ask for, and what remains; undefined when nothing does. */
export function pop(frontier: Frontier): FrontierTop | undefined {
  return frontier;
}
