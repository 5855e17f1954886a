/** A journal as the inspector's page is told of it: replayed once, with every step of every actor. */
import type { Journal } from '../journal/format.ts';
import { type Difference, type ReplayResult, replay } from '../journal/replay.ts';
import type { Line } from './lines.ts';
import { Watcher } from './watcher.ts';

export interface JournalTelling {
  /** Of its file. */
  readonly name: string;
  /** Leave this entry out. */
  readonly drop?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** @throws what `signal` was aborted with */
export async function tellJournal(
  journal: Journal,
  { name, drop, signal }: JournalTelling,
  write: (line: Line) => void,
): Promise<ReplayResult> {
  const { header, entries } = journal;
  const { root, startedAtMs } = header;
  const dropped = drop === undefined ? {} : { drop };
  const run = { name, root, startedAtMs, isLive: false, entries: entries.length, ...dropped };
  write(['run', { murmure: 'run', ...run }]);
  const watcher = new Watcher(write);
  const left = drop === undefined ? {} : { drop: new Set([drop]) };
  const result = await replay(journal, { inspect: watcher.inspect, signal, ...left });
  for (const version of result.versions) write(['remark', version]);
  if (result.cut !== undefined) write(['remark', result.cut]);
  if (result.firstDifference !== undefined) write(['remark', differenceText(result.firstDifference)]);
  write(['end']);
  return result;
}

function differenceText({ seq, actor, expected, got }: Difference): string {
  return `The replay differs from what was recorded, first seen before entry ${seq}, at ${actor}: expected ${expected}, got ${got}.`;
}
