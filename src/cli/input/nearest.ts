/** Which of several words was probably meant. */

/** More than this many slips, and it is another word. */
const MOST_SLIPS = 3;
/** Longer words are compared by their beginnings: a comparison costs the square of this. */
const COMPARED = 64;

/** The candidate with the fewest slips – a letter wrong, missing, added, or swapped with the next –, if there are few for its length. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A single letter that is wrong leaves nothing that is alike.
  let fewest = Math.min(MOST_SLIPS, Math.max(1, Math.floor(word.length * 0.4)), word.length - 1) + 1;
  for (const candidate of candidates) {
    const slips = countSlips(word.toLowerCase(), candidate.toLowerCase());
    if (slips < fewest) [best, fewest] = [candidate, slips];
  }
  return best;
}

/** The Damerau-Levenshtein distance (optimal string alignment). */
function countSlips(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > MOST_SLIPS) return Number.POSITIVE_INFINITY;
  const [a, b] = [left.slice(0, COMPARED), right.slice(0, COMPARED)];
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwap ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, above] = [above, current];
  }
  return above[b.length] ?? 0;
}
