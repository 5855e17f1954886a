/** `murmure notifications`, `mentions` and `unread`: what concerns the person, and what they have not read yet. */
import type { Command } from 'commander';
import { isMentioned } from '../../feed/mentions.ts';
import { mutingOf } from '../../store/muting.ts';
import { type Notification, notifications } from '../../store/notifications.ts';
import type { Store } from '../../store/store.ts';
import { timelineAuthors } from '../../store/timeline-authors.ts';
import { MurmureError } from '../../wire/murmure-error.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { requireCount } from '../input/validate.ts';
import { markSeen, messagePrinter, printMessages } from '../messages/print-messages.ts';
import { counted } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  const limit = ['--limit <n>', 'show at most this many, the newest (default: 50)'] as const;
  program
    .command('notifications')
    .summary('show replies to you and mentions of you')
    .description(
      'Shows replies to your messages, and messages that mention you, in the order in which they arrived. What is new since you looked last is marked; the reading position of the timeline does not count here. With --json, nothing counts as seen.',
    )
    .option('--new', 'only those that you have not seen here yet')
    .option(...limit)
    .option('--muted', 'also those that are muted')
    .addHelpText('after', examples('notifications', 'notifications --new --json'))
    .action((options: NotificationOptions) => run((context) => show(context, options)));
  program
    .command('mentions')
    .summary('show mentions of you')
    .description('Shows messages that mention you, as "murmure notifications" does.')
    .option('--new', 'only those that you have not seen here yet')
    .option(...limit)
    .option('--muted', 'also those that are muted')
    .addHelpText('after', examples('mentions', 'mentions --limit 5'))
    .action((options: NotificationOptions) => run((context) => show(context, { ...options, isMentions: true })));
  program
    .command('unread')
    .summary('show what you have not read yet')
    .description(
      'Shows unread messages of the timeline, the oldest first, and marks them as read, except with --json. It looks at the newest 1,000 messages.',
    )
    .option('--limit <n>', 'show at most this many, the oldest (default: 50)')
    .addHelpText('after', examples('unread', 'unread --limit 10'))
    .action((options: LimitOptions) => run((context) => unread(context, options)));
}

interface LimitOptions {
  readonly limit?: string;
}

interface NotificationOptions extends LimitOptions {
  readonly new?: boolean;
  readonly muted?: boolean;
  readonly isMentions?: boolean;
}

const DEFAULT_LIMIT = 50;
/** Of the timeline, as many are looked at. */
const LOOKED_AT = 1_000;

async function show(context: CommandContext, options: NotificationOptions): Promise<void> {
  const limit = limitOf(options);
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const all = notifications(store, { ownName: name, nowMs: context.nowMs(), withMuted: options.muted ?? false });
  const wanted = all
    .filter(({ isNew }) => isNew || !options.new)
    .filter(({ message }) => !options.isMentions || isMentioned(message.body, name))
    .slice(-limit);
  const print = messagePrinter(context, { name, store });
  for (const { message, kind, isNew } of wanted) {
    const decorate = (text: string) => (isNew ? `• ${text}` : text);
    print(message, { fields: { kind, new: isNew }, decorate });
  }
  if (!context.output.json) keepPosition(context, store, wanted);
  if (wanted.length > 0) return;
  context.output.note(
    options.new ? 'There is nothing new.' : 'Nobody has replied to you or mentioned you yet, as far as is known here.',
  );
}

/** What a person was shown was seen here, and is read. */
function keepPosition(context: CommandContext, store: Store, shown: readonly Notification[]): void {
  const seen = shown.filter(({ isNew }) => isNew);
  if (seen.length > 0) {
    try {
      store.setMarks(seen.map(({ message }) => ({ kind: 'notice', subject: message.hash, untilMs: undefined })));
    } catch (error) {
      if (!(error instanceof MurmureError)) throw error;
      context.output.warn(`these notifications could not be marked as seen: ${error.message}`);
    }
  }
  markSeen(
    context,
    store,
    shown.map(({ message }) => message),
  );
}

async function unread(context: CommandContext, options: LimitOptions): Promise<void> {
  const limit = limitOf(options);
  const { name: ownName, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const nowMs = context.nowMs();
  const why = mutingOf(store, { ownName, nowMs });
  const found = store
    .messages({ authors: timelineAuthors(store, ownName, nowMs), limit: LOOKED_AT })
    .filter((message) => !message.read && message.author !== ownName && why(message) === undefined);
  printMessages(context, { name: ownName, store }, found.slice(0, limit));
  const rest = found.length - limit;
  if (rest > 0)
    context.output.note(`${counted(rest, 'more unread message')}: run "murmure unread" again for the next.`);
  if (found.length === 0) context.output.note('You have read everything.');
}

function limitOf({ limit }: LimitOptions): number {
  return limit === undefined ? DEFAULT_LIMIT : requireCount('--limit', limit);
}
