/** Lines on their way to a page, some at a time; whoever does not read them is let go. */
import type { Writable } from 'node:stream';
import type { Line } from './lines.ts';

/** Bytes that wait for somebody who does not read. */
const MAX_WAITING = 64 * 1024 * 1024;
/** Characters that are written at once. */
const PART = 64 * 1024;
/** As long as nothing more comes. */
const PAUSE_MS = 50;

export class LineStream {
  readonly #to: Writable;
  /** BOUNDED by PART. */
  #part = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(to: Writable) {
    this.#to = to;
    to.on('close', () => clearTimeout(this.#timer));
  }

  readonly write = (line: Line): void => {
    this.#part += `${JSON.stringify(line)}\n`;
    if (this.#part.length >= PART) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), PAUSE_MS);
  };

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#to.destroyed) return;
    this.#to.write(this.#part);
    this.#part = '';
    if (this.#to.writableLength > MAX_WAITING) this.#to.destroy();
  }

  /** Resolves when there is room again: for what can wait, as a journal does. */
  async room(): Promise<void> {
    while (this.#to.writableNeedDrain && !this.#to.destroyed) {
      await new Promise<void>((resolve) => {
        this.#to.once('drain', resolve);
        this.#to.once('close', resolve);
      });
    }
  }
}
