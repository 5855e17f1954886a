/** `murmure timeline`: stored messages, newest last. */
import type { Command } from 'commander';
import type { MessageQuery } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { requireCount, requireDate, requireValidName } from '../input/validate.ts';
import { wantedAuthors } from '../messages/authors.ts';
import { printMessages, type Reader } from '../messages/print-messages.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('timeline')
    .summary('show stored messages')
    .description(
      'Shows stored messages, newest last. Works offline. The messages it shows are marked as read, except with --json.',
    )
    .argument('[peer...]', 'only messages of these peers')
    .option('--limit <n>', 'show at most this many, the newest (default: 50)')
    .option('--before <date>', 'only messages older than this ISO 8601 date, e.g. 2026-01-31 or 2026-01-31T12:00Z')
    .addHelpText('after', examples('timeline', 'timeline alice bob --limit 10', 'timeline --before 2026-01-31 --json'))
    .action((peers: string[], options: TimelineOptions) => run((context) => timeline(context, peers, options)));
}

interface TimelineOptions {
  readonly limit?: string;
  readonly before?: string;
}

export async function timeline(
  context: CommandContext,
  peers: readonly string[],
  options: TimelineOptions,
): Promise<void> {
  for (const peer of peers) requireValidName(peer);
  const range = {
    ...(options.limit !== undefined && { limit: requireCount('--limit', options.limit) }),
    ...(options.before !== undefined && { beforeMs: requireDate('--before', options.before) }),
  };
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const authors = wantedAuthors(store, name, peers);
  printFound(context, { name, store }, { ...range, ...(authors !== undefined && { authors }) });
}

/** Prints what the query finds. */
export function printFound(context: CommandContext, reader: Reader, query: MessageQuery): void {
  const found = reader.store.messages(query);
  printMessages(context, reader, found);
  if (found.length === 0)
    context.output.note(
      'There are no messages yet: write one with "murmure post", or download some with "murmure sync PEER".',
    );
}
