/** What has changed in the list of peers, so that a reader who knows an earlier one need not fetch all of it again (protocol §3). */

/** Changes that are remembered; when there are more, the older half goes, and cursors from before it have expired. */
const MAX_CHANGES = 65_536;

export class ChangeLog {
  /** Cursors of another run are told apart by it. */
  readonly #run: string;
  /** The names that changed, the latest last. BOUNDED by `MAX_CHANGES`. */
  #names: string[] = [];
  /** Changes before the first of `#names`. */
  #forgotten = 0;

  /** `run`: without a dot. */
  constructor(run: string = crypto.randomUUID()) {
    this.#run = run;
  }

  /** Where the log ends now: whoever gets all peers now asks for what changed since this. */
  get cursor(): string {
    return `${this.#run}.${this.#forgotten + this.#names.length}`;
  }

  /** This peer has been proven anew, or its addresses are others than before. */
  note(name: string): void {
    this.#names.push(name);
    if (this.#names.length <= MAX_CHANGES) return;
    this.#forgotten += MAX_CHANGES / 2;
    this.#names = this.#names.slice(MAX_CHANGES / 2);
  }

  /** The names that changed since, each once. Undefined: the cursor has expired, or is none of ours. */
  since(cursor: string): string[] | undefined {
    const [run, count = ''] = cursor.split('.');
    const index = Number(count) - this.#forgotten;
    const isKnown = run === this.#run && /^\d+$/.test(count) && index >= 0 && index <= this.#names.length;
    return isKnown ? [...new Set(this.#names.slice(index))] : undefined;
  }
}
