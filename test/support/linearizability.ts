/**
 * Is there an order in which calls of `prove` for one name may have happened, each at one moment between its start and its end, so that
 * a name that is bound once gives every answer that was given? (Wing and Gong; small histories only.)
 */
export interface ProveCall {
  readonly key: string;
  readonly startMs: number;
  /** Undefined: nobody knows when it was over, if ever. */
  readonly endMs: number | undefined;
  /** `unknown`: it may have been done at any time after its start, or not at all. */
  readonly answer: 'bound' | 'bad-key' | 'unknown';
}

/**
 * `losses`: how often the binding may have been lost in between, so that the name was free again: that of a failover, say.
 * What is left to place, and whom the name is bound to. BOUNDED by 2^calls; histories have few that overlap.
 */
export function isLinearizable(calls: readonly ProveCall[], losses = 0): boolean {
  const seen = new Set<string>();
  const place = (left: readonly ProveCall[], owner: string | undefined, lossesLeft: number): boolean => {
    if (left.every(({ answer }) => answer === 'unknown')) return true;
    const state = `${owner}|${lossesLeft}|${left.map((call) => calls.indexOf(call)).join()}`;
    if (seen.has(state)) return false;
    seen.add(state);
    if (owner !== undefined && lossesLeft > 0 && place(left, undefined, lossesLeft - 1)) return true;
    const firstEnd = Math.min(...left.map(({ endMs = Number.POSITIVE_INFINITY }) => endMs));
    return left
      .filter(({ startMs }) => startMs <= firstEnd)
      .some((call) => {
        const rest = left.filter((other) => other !== call);
        const isBound = owner === undefined || owner === call.key;
        if (call.answer === 'bad-key') return !isBound && place(rest, owner, lossesLeft);
        if (call.answer === 'unknown' && place(rest, owner, lossesLeft)) return true;
        return isBound && place(rest, call.key, lossesLeft);
      });
  };
  return place(calls, undefined, losses);
}
