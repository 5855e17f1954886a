/** `murmure post`: publishes a message: through the peer that runs on this home, else into the store, from where a later one passes it on. */
import type { Command } from 'commander';
import { wireDate } from '../../feed/message.ts';
import { safeText } from '../../feed/safe-text.ts';
import type { LocalStatus } from '../../local-api/schemas.ts';
import type { ScheduledMessage, Store } from '../../store/store.ts';
import type { Hash } from '../../wire/hash.ts';
import { abortable } from '../abortable.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { tellIfStopped } from '../home/publishing.ts';
import { requireWholeHistory } from '../home/restored-home.ts';
import { parseDelay } from '../input/delay.ts';
import { readText } from '../input/standard-input.ts';
import { resolveHash } from '../messages/message-hash.ts';
import { messagePrinter } from '../messages/print-messages.ts';
import { whyUnfit } from '../messages/why-unfit.ts';
import { askRunningPeer } from '../peer/running-peer.ts';
import { scheduledLine } from '../render/scheduled.ts';
import { counted } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('post')
    .summary('publish a message')
    .description(
      'Publishes a message of at most 985 bytes. It needs no network: a running "murmure serve" passes the message on at once.',
    )
    .argument(
      '[text]',
      'the message; "-" reads it from standard input; put "--" before a text that starts with a dash (default: opens your editor)',
    )
    .option('--reply-to <hash>', 'reply to this message, given by its hash or the start of it')
    .option(
      '--delay <time>',
      'publish it after this time, such as 30s, 5m or 2h; until then "withdraw --last" undoes it',
    )
    .addHelpText(
      'after',
      examples(
        'post "Good morning"',
        'post "So do I" --reply-to 3f9a2c',
        'post "I have changed my mind" --delay 30s',
        'post - < message.txt',
      ),
    )
    .action((text: string | undefined, options: PostOptions) => run((context) => post(context, text, options)));
}

export interface PostOptions {
  readonly replyTo?: string;
  readonly delay?: string;
}

/** A text that is too long is refused by the store, which says by how much. */
export async function post(context: CommandContext, text: string | undefined, options: PostOptions): Promise<void> {
  const { replyTo } = options;
  const delayMs = options.delay === undefined ? undefined : parseDelay(options.delay);
  if (text === undefined && context.prompts === undefined) {
    throw new UsageError('no text is given: write it after "post", or use "-" to read it from standard input');
  }
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const inReplyTo = replyTo === undefined ? null : resolveHash(store, replyTo);
  // Before the editor: what was written there would be lost.
  await requireWholeHistory(context);
  const body = await bodyOf(context, text);
  // What nobody would see is nothing.
  if (safeText(body).trim() === '') throw new UsageError('an empty message cannot be published: write something');

  if (delayMs !== undefined)
    return await schedule(context, store, { body, inReplyTo, dueMs: context.nowMs() + delayMs });
  let status: LocalStatus | undefined;
  const look = (found: LocalStatus) => {
    status = found;
  };
  const { hash, root } =
    (await publishElsewhere(context, body, inReplyTo, look)) ?? publishHere(context, { name, store }, body, inReplyTo);
  const kept = store.message(hash);
  if (kept === undefined) throw new Error(`the message ${hash} was published, but cannot be read back`);
  messagePrinter(context, { name, store })(kept, { fields: { root } });
  tellIfStopped(context, 'the message');
  tellWhoMissesIt(context, status);
}

/** As far as it is known at once. `status`: of the peer that runs on this home; undefined: none does. */
function tellWhoMissesIt({ output }: CommandContext, status: LocalStatus | undefined): void {
  if (status === undefined) {
    output.note('No peer is running on this home, so nobody gets the message yet: "murmure serve" passes it on.');
    return;
  }
  const { directory, readers, retirement } = status;
  if (directory.failure !== null && retirement === null)
    output.warn(`only those who are in session with you get the message now: ${directory.failure.message}`);
  const missed = readers.filter(({ state }) => state === 'silent').map(({ peer }) => peer);
  if (missed.length === 0) return;
  const shown = missed.slice(0, MOST_NAMED);
  const others = missed.length > shown.length ? [counted(missed.length - shown.length, 'other')] : [];
  const who = new Intl.ListFormat('en').format([...shown, ...others]);
  output.note(`${who} cannot be reached now, and ${missed.length === 1 ? 'gets' : 'get'} it once that is over.`);
}

const MOST_NAMED = 3;

/** Stored at once; the peer of this home publishes it when it is due, or a later one. */
async function schedule(context: CommandContext, store: Store, message: Omit<ScheduledMessage, 'id'>): Promise<void> {
  const { body: text, inReplyTo, dueMs } = message;
  const wish = { type: 'schedule.wanted', text, inReplyTo, dueMs } as const;
  const elsewhere = (await askRunningPeer(context, [wish], 'message.scheduled'))?.[0];
  const id = elsewhere?.id ?? store.schedule(message);
  const { output, nowMs } = context;
  output.data({ scheduled: new Date(dueMs).toISOString(), id }, () => `${scheduledLine({ ...message, id }, nowMs())}.`);
  output.note('To undo it until then: murmure withdraw --last');
  if (elsewhere === undefined)
    output.note('No peer is running on this home: the next one that runs then, or later, publishes it.');
  tellIfStopped(context, 'the message');
}

interface Published {
  readonly hash: Hash;
  readonly root: Hash;
}

/** Undefined: no peer runs on this home. */
async function publishElsewhere(
  context: CommandContext,
  text: string,
  inReplyTo: Hash | null,
  look: (status: LocalStatus) => void,
): Promise<Published | undefined> {
  const wish = { type: 'post.wanted', text, inReplyTo } as const;
  return (await askRunningPeer(context, [wish], 'message.published', look))?.[0];
}

function publishHere(
  { nowMs: now }: CommandContext,
  { name, store }: { readonly name: string; readonly store: Store },
  body: string,
  inReplyTo: Hash | null,
): Published {
  const nowMs = now();
  return store.publish(name, { date: wireDate(nowMs), inReplyTo, body }, nowMs);
}

/** As given; `-`: standard input; nothing: what the person writes in an editor. */
async function bodyOf({ stdin, prompts, signal }: CommandContext, text: string | undefined): Promise<string> {
  if (text === '-') return abortable(readText(stdin), signal);
  if (text !== undefined || prompts === undefined) return text ?? '';
  return (await prompts.edit('Your message:', (written) => whyUnfit(written.trimEnd()))).trimEnd();
}
