/**
 * How far something is that takes longer than a second: a bar that is redrawn on a terminal, a line now and then elsewhere. What is done
 * without a pause draws it as well, since it says itself how far it is.
 */
import { safeLine } from '../../feed/safe-text.ts';
import { truncate } from '../render/wrap.ts';
import type { OutputStream } from '../streams.ts';

/** What ends sooner needs no progress. */
const SILENCE_MS = 1_000;
const REDRAW_MS = 100;
const LINE_EVERY_MS = 10_000;
const BAR_COLUMNS = 24;
const CLEAR = '\r\u001B[K';

export interface Progress extends Disposable {
  /** What is being done, or waited for. `share`: how much of it is done, 0 to 1; undefined: nobody knows. */
  tell(what: string, share?: number): void;
}

export class ProgressDisplay implements Progress {
  readonly #stream: OutputStream;
  readonly #isTerminal: boolean;
  readonly #beganMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #what = '';
  #share: number | undefined;
  #shownMs: number | undefined;
  #isShown = false;

  constructor(stream: OutputStream, isTerminal: boolean) {
    this.#stream = stream;
    this.#isTerminal = isTerminal;
    this.#timer = setInterval(() => this.#show(), isTerminal ? REDRAW_MS : SILENCE_MS).unref();
  }

  tell(what: string, share?: number): void {
    this.#what = what;
    this.#share = share;
    this.#show();
  }

  /** Makes room for something else; it is drawn again with the next news. */
  clear(): void {
    if (this.#isShown) this.#stream.write(CLEAR);
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.clear();
  }

  #show(): void {
    const nowMs = performance.now();
    if (this.#timer === undefined || this.#what === '' || nowMs - this.#beganMs < SILENCE_MS) return;
    if (this.#shownMs !== undefined && nowMs - this.#shownMs < (this.#isTerminal ? REDRAW_MS : LINE_EVERY_MS)) return;
    this.#shownMs = nowMs;
    const text = progressText(safeLine(this.#what), this.#share, this.#isTerminal);
    if (this.#isTerminal) {
      // The last column stays free: some terminals would go on to the next line.
      this.#stream.write(CLEAR + truncate(text, (this.#stream.columns ?? 80) - 1));
      this.#isShown = true;
    } else this.#stream.write(`${text}\n`);
  }
}

function progressText(what: string, share: number | undefined, hasBar: boolean): string {
  if (share === undefined) return `${what} …`;
  const done = Math.min(1, Math.max(0, share));
  const percent = `${Math.floor(done * 100)} %`;
  if (!hasBar) return `${what}: ${percent}`;
  const full = Math.round(done * BAR_COLUMNS);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_COLUMNS - full)}] ${percent.padStart(5)}  ${what}`;
}

/** Where nobody wants to see it. */
export const noProgress: Progress = { tell: () => {}, [Symbol.dispose]: () => {} };
