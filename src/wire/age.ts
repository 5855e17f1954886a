/** Ages, where two times may come from different clocks, or from a clock that was set in between. */

/** Is `thenMs` less than `limitMs` ago? A time that lies in the future has no known age, so it is not. */
export function isYounger(thenMs: number, limitMs: number, nowMs: number): boolean {
  return thenMs <= nowMs && nowMs - thenMs < limitMs;
}
