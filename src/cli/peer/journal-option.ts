/** What --record adds to the options of a peer or a directory. */
import type { JournalSink } from '../../index.ts';
import type { CommandContext } from '../context.ts';

/** @throws JournalNotWritableError */
export async function journalOption({
  settings,
}: Pick<CommandContext, 'settings'>): Promise<{ journal?: JournalSink }> {
  if (settings.record === undefined) return {};
  const { createJournalFile } = await import('../../journal/journal-file.ts');
  return { journal: createJournalFile(settings.record) };
}
