/**
 * The directory's own running time (protocol §3): how long it has run, summed over its starts. The bindings of names to keys age
 * by it, so that no clock that is set wrongly, even at a start, sets a name free.
 */
export class RunningTime {
  readonly #beforeMs: number;
  #startMs: number | undefined;

  /** `beforeMs`: how long it ran before this start. */
  constructor(beforeMs: number) {
    this.#beforeMs = beforeMs;
  }

  /** In ms. `nowMs` is of a clock that does not jump; the first one is taken for the start. */
  at(nowMs: number): number {
    this.#startMs ??= nowMs;
    return this.#beforeMs + Math.max(0, nowMs - this.#startMs);
  }
}
