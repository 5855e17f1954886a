/** `murmure withdraw`: takes a message of one's own back. */
import type { Command } from 'commander';
import { safeLine, safeText } from '../../feed/safe-text.ts';
import { takeBack } from '../../peer/wishes.ts';
import { lastScheduled } from '../../store/scheduled.ts';
import type { ScheduledMessage, Store, StoredMessage } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { ForeignMessageError, UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { tellIfStopped } from '../home/publishing.ts';
import { requireWholeHistory } from '../home/restored-home.ts';
import { findMessage, HASH_ARGUMENT } from '../messages/message-hash.ts';
import { WHAT_WITHDRAWING_CANNOT_DO } from '../messages/withdrawing.ts';
import { askRunningPeer } from '../peer/running-peer.ts';
import { shortHash } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('withdraw')
    .summary('take a message back')
    .description(
      'Takes one of your messages out of your tree. Other peers drop it at their next sync, but cannot unread it. Asks for confirmation at a terminal.',
    )
    .argument('[hash]', HASH_ARGUMENT)
    .option('--last', 'the message that you wrote last, also if others do not see it yet')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('withdraw 3f9a2c', 'withdraw --last'))
    .action((hash: string | undefined, options: WithdrawOptions) => run((context) => withdraw(context, hash, options)));
}

interface WithdrawOptions {
  readonly last?: boolean;
  readonly yes?: boolean;
}

/** Whoever sits at a terminal is asked whether it is meant. */
export async function withdraw(
  context: CommandContext,
  text: string | undefined,
  { last = false, yes = false }: WithdrawOptions,
): Promise<void> {
  const { settings, output, prompts, nowMs } = context;
  if (last === (text !== undefined)) throw new UsageError('name one message: give its hash, or --last');
  const { name, store: opened } = await openStore(settings.home);
  using store = opened;
  const waiting = last ? lastScheduled(store) : undefined;
  if (waiting !== undefined) return await undo(context, store, waiting);
  const { hash, author, body } = text === undefined ? lastOwn(store, name) : findMessage(store, text);
  if (author !== name) throw new ForeignMessageError(hash, author);
  await requireWholeHistory(context);
  if (prompts !== undefined && !yes) {
    const isMeant = await prompts.confirm(`${WHAT_WITHDRAWING_CANNOT_DO}\nWithdraw “${safeLine(body, 40)}”?`);
    if (!isMeant) return output.note('Nothing was changed.');
  }
  const elsewhere = await askRunningPeer(context, [{ type: 'withdrawal.wanted', hash }], 'message.withdrawn');
  const withdrawn = elsewhere?.[0] ?? store.withdraw(name, hash, nowMs());
  if (withdrawn === undefined) throw new ForeignMessageError(hash, author);
  const { root } = withdrawn;
  output.data({ hash, root }, () => `Withdrew ${shortHash(hash)}; the root is now ${shortHash(root)}.`);
  tellIfStopped(context, 'the withdrawal');
}

/** Nobody has seen it: there is nothing to confirm. The text is printed, so that it is not lost. */
async function undo(context: CommandContext, store: Store, { id, body, inReplyTo }: ScheduledMessage): Promise<void> {
  const wish = { type: 'unschedule.wanted', id } as const;
  const elsewhere = await askRunningPeer(context, [wish], 'message.unscheduled');
  if (elsewhere === undefined) takeBack(store, id);
  context.output.data({ id, body, inReplyTo }, () => safeText(body));
  context.output.note('Taken back before anybody saw it.');
}

function lastOwn(store: Store, name: string): StoredMessage {
  const [own] = store.messages({ authors: [name], limit: 1 });
  if (own === undefined) throw new UsageError('there is nothing to withdraw: you have not published a message');
  return own;
}
