/**
 * One history out of two that begin alike: those of two copies of a home, from both of which something was published. No message of
 * either is lost. The other's comes first, so that whoever has read it finds it unchanged.
 */
import { type Hash, hashOf } from '../wire/hash.ts';
import { TOMBSTONE } from './withdraw.ts';

const WITHDRAWN = hashOf(TOMBSTONE);

/** The leaves of both, in order; `own` itself if the other has nothing new. `isWithdrawn`: by the owner of `own`. */
export function mergeLeaves(
  own: readonly Hash[],
  other: readonly Hash[],
  isWithdrawn: (leaf: Hash) => boolean,
): readonly Hash[] {
  const shared = sharedLength(own, other);
  const there = new Set(own);
  const isNew = (leaf: Hash) => leaf !== WITHDRAWN && !there.has(leaf) && !isWithdrawn(leaf);
  // In the part that both have, what was withdrawn in either is withdrawn: every message keeps its place (withdraw.ts).
  const beginning = own.slice(0, shared).map((leaf, place) => (other[place] === WITHDRAWN ? WITHDRAWN : leaf));
  const replaced = new Set(own.slice(0, shared).map((leaf, place) => (leaf === WITHDRAWN ? other[place] : undefined)));
  const apart = other.slice(0, shared).filter((leaf) => isNew(leaf) && !replaced.has(leaf));
  const rest = other.slice(shared).map((leaf) => (isWithdrawn(leaf) ? WITHDRAWN : leaf));
  const hasNews = apart.length > 0 || rest.some(isNew) || beginning.some((leaf, place) => leaf !== own[place]);
  if (!hasNews) return own;
  const taken = new Set(rest);
  return [
    ...beginning,
    ...rest,
    ...apart,
    ...own.slice(shared).filter((leaf) => leaf !== WITHDRAWN && !taken.has(leaf)),
  ];
}

/** Up to the last message that both have at the same place. What stands for a withdrawn one tells nothing. */
function sharedLength(own: readonly Hash[], other: readonly Hash[]): number {
  return own.findLastIndex((leaf, place) => leaf !== WITHDRAWN && leaf === other[place]) + 1;
}
