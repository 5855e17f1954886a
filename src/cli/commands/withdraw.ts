/** `murmure withdraw`: takes a message of one's own back. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { ForeignMessageError } from '../errors.ts';
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
    .argument('<hash>', HASH_ARGUMENT)
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('withdraw 3f9a2c'))
    .action((hash: string, options: WithdrawOptions) => run((context) => withdraw(context, hash, options)));
}

interface WithdrawOptions {
  readonly yes?: boolean;
}

/** Whoever sits at a terminal is asked whether it is meant. */
export async function withdraw(context: CommandContext, text: string, { yes = false }: WithdrawOptions): Promise<void> {
  const { settings, output, prompts, nowMs } = context;
  const { name, store: opened } = await openStore(settings.home);
  using store = opened;
  const { hash, author, body } = findMessage(store, text);
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
