/** A journal as one HTML file that needs no network: the inspector's page with the whole replay inside. */
import { safeLine } from '../feed/safe-text.ts';
import type { Journal } from '../journal/format.ts';
import type { ReplayResult } from '../journal/replay.ts';
import type { JournalTelling } from './journal-lines.ts';
import { PackedRun } from './packed-run.ts';
import { makePage } from './page.ts';
import { referenceBlock } from './reference.ts';

export interface JournalPage {
  readonly html: string;
  /** Of the replay; of that without an entry, if one was left out. */
  readonly result: ReplayResult;
}

/** With an entry left out, the run as it was recorded stands beside that. @throws what `signal` was aborted with */
export async function journalPage(journal: Journal, { drop, ...options }: JournalTelling): Promise<JournalPage> {
  const runs = [new PackedRun(journal, options)];
  await runs[0]?.result;
  if (drop !== undefined) runs.push(new PackedRun(journal, { ...options, drop }));
  const blocks = await Promise.all(runs.map(async (run) => ({ type: RUN, text: await run.toBase64() })));
  const { html } = await makePage({
    title: `${safeLine(options.name)} – murmure`,
    connects: false,
    data: [await referenceBlock(), ...blocks],
  });
  return { html, result: await (runs.at(-1) as PackedRun).result };
}

const RUN = 'application/x-murmure-run';
