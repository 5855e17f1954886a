/** What has changed in the list of peers, so that a reader who knows an earlier one need not fetch all of it again (protocol §3). */

/** Changes that are remembered; when there are more, the older half goes, and cursors from before it have expired. */
const MAX_CHANGES = 65_536;

export class ChangeLog {
  /** Cursors of another run are told apart by it. */
  readonly #run: string;
  /** The names that changed, the latest last. BOUNDED by `MAX_CHANGES`. */
  readonly #names: string[] = [];
  /** Which change was the latest of each of these names, so that asking about a few of them costs as little as they are. */
  readonly #latest = new Map<string, number>();
  /** Changes before the first of `#names`. */
  #forgotten = 0;

  /** `run`: without a dot. */
  constructor(run: string = crypto.randomUUID()) {
    this.#run = run;
  }

  /** Where the log ends now: whoever gets all peers now asks for what changed since this. */
  get cursor(): string {
    return `${this.#run}.${this.#count}`;
  }

  /** This peer has been proven anew, or its addresses are others than before. */
  note(name: string): void {
    this.#latest.set(name, this.#count);
    this.#names.push(name);
    if (this.#names.length > MAX_CHANGES) this.#forget();
  }

  /** The names that changed since, or those of `among`, each once. Undefined: the cursor has expired, or is none of ours. */
  since(cursor: string, among?: readonly string[]): string[] | undefined {
    const [run, text = ''] = cursor.split('.');
    const count = Number(text);
    const isKnown = run === this.#run && /^\d+$/.test(text) && count >= this.#forgotten && count <= this.#count;
    if (!isKnown) return undefined;
    if (among === undefined) return [...new Set(this.#names.slice(count - this.#forgotten))];
    return [...new Set(among)].filter((name) => (this.#latest.get(name) ?? -1) >= count);
  }

  get #count(): number {
    return this.#forgotten + this.#names.length;
  }

  #forget(): void {
    this.#forgotten += MAX_CHANGES / 2;
    for (const name of this.#names.splice(0, MAX_CHANGES / 2))
      if ((this.#latest.get(name) ?? 0) < this.#forgotten) this.#latest.delete(name);
  }
}
