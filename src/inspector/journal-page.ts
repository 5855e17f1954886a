/** A journal as one HTML file that needs no network: the inspector's page with the whole replay inside. */
import { once } from 'node:events';
import { basename } from 'node:path';
import { createGzip } from 'node:zlib';
import { safeLine } from '../feed/safe-text.ts';
import type { Journal } from '../journal/format.ts';
import type { ReplayResult } from '../journal/replay.ts';
import { tellJournal } from './journal-lines.ts';
import { makePage, readCharts } from './page.ts';

export interface JournalPageOptions {
  readonly file: string;
  /** The run without this entry stands beside the one that was recorded. */
  readonly drop?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface JournalPage {
  readonly html: string;
  /** Of the replay; of that without an entry, if one was left out. */
  readonly result: ReplayResult;
}

/** @throws what `signal` was aborted with */
export async function journalPage(journal: Journal, options: JournalPageOptions): Promise<JournalPage> {
  const { file, drop, signal } = options;
  const recorded = await pack(journal, { file, signal });
  const other = drop === undefined ? undefined : await pack(journal, options);
  const runs = other === undefined ? [recorded] : [recorded, other];
  const { html } = await makePage({
    title: `${safeLine(basename(file))} – murmure`,
    connects: false,
    data: [
      { type: 'application/json', id: 'charts', text: JSON.stringify(await readCharts()) },
      ...runs.map(({ text }) => ({ type: 'application/x-murmure-run', text })),
    ],
  });
  return { html, result: (other ?? recorded).result };
}

/** Lines told of it, compressed, in base64. */
async function pack(journal: Journal, options: JournalPageOptions): Promise<{ text: string; result: ReplayResult }> {
  const gzip = createGzip();
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  const result = await tellJournal(journal, { ...options, write: (line) => gzip.write(`${JSON.stringify(line)}\n`) });
  gzip.end();
  await once(gzip, 'end');
  return { text: Buffer.concat(parts).toString('base64'), result };
}
