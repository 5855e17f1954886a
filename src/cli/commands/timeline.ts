/** `murmure timeline`: stored messages, newest last. */
import type { Command } from 'commander';
import { audibleMessages, mutingOf, type WhyMuted } from '../../store/muting.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { withKnownOfLists } from '../input/peer-lists.ts';
import { requireCount, requireDate, requireValidName } from '../input/validate.ts';
import { wantedAuthors } from '../messages/authors.ts';
import { printMessages, type Reader } from '../messages/print-messages.ts';
import { counted } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('timeline')
    .summary('show stored messages')
    .description(
      'Shows stored messages, newest last. Works offline. The messages it shows are marked as read, except with --json. It leaves out what is muted, unless you name the peer, or give --muted.',
    )
    .argument('[peer...]', 'only messages of these peers; @LIST for all of a list')
    .option('--limit <n>', 'show at most this many, the newest (default: 50)')
    .option('--before <date>', 'only messages older than this ISO 8601 date, e.g. 2026-01-31 or 2026-01-31T12:00Z')
    .option('--muted', 'also show what is muted, and say by what')
    .addHelpText(
      'after',
      examples('timeline', 'timeline alice bob --limit 10', 'timeline @friends', 'timeline --before 2026-01-31 --json'),
    )
    .action((peers: string[], options: TimelineOptions) => run((context) => timeline(context, peers, options)));
}

const DEFAULT_LIMIT = 50;

interface TimelineOptions {
  readonly limit?: string;
  readonly before?: string;
  readonly muted?: boolean;
}

export async function timeline(
  context: CommandContext,
  peers: readonly string[],
  options: TimelineOptions,
): Promise<void> {
  for (const peer of peers) requireValidName(peer);
  const limit = options.limit === undefined ? DEFAULT_LIMIT : requireCount('--limit', options.limit);
  const before = options.before === undefined ? {} : { beforeMs: requireDate('--before', options.before) };
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const nowMs = context.nowMs();
  const named = withKnownOfLists(store, peers);
  const authors =
    options.muted && named.length === 0 ? undefined : wantedAuthors(store, { ownName: name, named, nowMs });
  const why = mutingOf(store, { ownName: name, nowMs });
  const whyHidden: WhyMuted = (message) => {
    const muting = options.muted ? undefined : why(message);
    return muting?.by === 'peer' && named.length > 0 ? undefined : muting;
  };
  const query = { ...before, limit, ...(authors !== undefined && { authors }) };
  printFound(context, { name, store }, audibleMessages(store, query, whyHidden));
}

/** Prints what was found. */
export function printFound(
  context: CommandContext,
  reader: Reader,
  { messages, hidden }: ReturnType<typeof audibleMessages>,
): void {
  printMessages(context, reader, messages);
  if (hidden > 0)
    context.output.note(
      `${counted(hidden, 'muted message')} ${hidden === 1 ? 'is' : 'are'} not shown: --muted shows them.`,
    );
  else if (messages.length === 0)
    context.output.note(
      'There are no messages yet: write one with "murmure post", or download some with "murmure sync PEER".',
    );
}
