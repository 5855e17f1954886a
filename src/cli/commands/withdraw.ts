/** `murmure withdraw`: takes a message of one's own back. */
import { safeLine } from '../../feed/safe-text.ts';
import type { CommandContext } from '../context.ts';
import { ForeignMessageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { requireWholeHistory } from '../home/restored-home.ts';
import { findMessage } from '../messages/message-hash.ts';
import { WHAT_WITHDRAWING_CANNOT_DO } from '../messages/withdrawing.ts';
import { shortHash } from '../render/text.ts';

export interface WithdrawOptions {
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
    if (!isMeant) return output.note('nothing was changed');
  }
  const withdrawn = store.withdraw(name, hash, nowMs());
  if (withdrawn === undefined) throw new ForeignMessageError(hash, author);
  const { root } = withdrawn;
  output.data({ hash, root }, () => `withdrawn: ${shortHash(hash)}; the root is now ${shortHash(root)}`);
}
