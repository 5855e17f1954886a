/** Work that can be left and gone on with: it says, now and then, at how many nodes it has looked since. */
export type InSteps<T> = Generator<number, T, undefined>;

/** Goes on until it is done, or has looked at so many nodes, or a few more. */
export function advance<T>(work: InSteps<T>, nodes: number): IteratorResult<number, T> {
  let next = work.next();
  for (let looked = 0; !next.done; next = work.next()) {
    looked += next.value;
    if (looked >= nodes) break;
  }
  return next;
}

/** Does it all at once. */
export function finish<T>(work: InSteps<T>): T {
  return advance(work, Number.POSITIVE_INFINITY).value as T;
}
