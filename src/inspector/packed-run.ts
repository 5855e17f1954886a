/** A journal as it is told to pages, compressed: replayed once, and given to each page as far as it has come. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { constants, createGzip } from 'node:zlib';
import type { Journal } from '../journal/format.ts';
import type { ReplayResult } from '../journal/replay.ts';
import { type JournalTelling, tellJournal } from './journal-lines.ts';
import type { Line } from './lines.ts';

/** Characters that are packed at once. */
const PART = 64 * 1024;

export class PackedRun {
  /** BOUNDED by the journal. */
  readonly #parts: Buffer[] = [];
  /** The replay takes as long as packing does: what is packed hard would come late. */
  readonly #gzip = createGzip({ level: constants.Z_BEST_SPEED });
  /** Rejects with what the signal was aborted with. */
  readonly result: Promise<ReplayResult>;

  constructor(journal: Journal, options: JournalTelling) {
    this.#gzip.on('data', (part: Buffer) => this.#parts.push(part));
    this.#gzip.setMaxListeners(0);
    this.result = this.#tell(journal, options);
    this.result.catch(() => this.#gzip.destroy());
  }

  async #tell(journal: Journal, options: JournalTelling): Promise<ReplayResult> {
    let part = '';
    const write = (line: Line) => {
      part += `${JSON.stringify(line)}\n`;
      if (part.length < PART) return;
      this.#gzip.write(part);
      part = '';
    };
    const result = await tellJournal(journal, options, write);
    this.#gzip.end(part);
    await once(this.#gzip, 'end');
    return result;
  }

  async toBase64(): Promise<string> {
    await this.result;
    return Buffer.concat(this.#parts).toString('base64');
  }

  readonly send = (response: ServerResponse): void => {
    response.setHeader('content-encoding', 'gzip');
    for (const part of this.#parts) response.write(part);
    if (this.#gzip.readableEnded) {
      response.end();
      return;
    }
    const pass = (part: Buffer) => response.write(part);
    const end = () => response.end();
    this.#gzip.on('data', pass).on('end', end).on('close', end);
    response.on('close', () => this.#gzip.off('data', pass).off('end', end).off('close', end));
  };
}
