/** `murmure withdraw`: takes a message of one's own back. */
import type { CommandContext } from '../context.ts';
import { ForeignMessageError } from '../errors.ts';
import { findMessage } from '../message-hash.ts';
import { openStore } from '../open-home.ts';
import { shortHash } from '../render/text.ts';

/** Others drop it when they sync next; nobody can be made to forget what they have read. */
export async function withdraw({ settings, output, nowMs }: CommandContext, text: string): Promise<void> {
  const { name, store: opened } = await openStore(settings.home);
  using store = opened;
  const { hash, author } = findMessage(store, text);
  const withdrawn = store.withdraw(name, hash, nowMs());
  if (withdrawn === undefined) throw new ForeignMessageError(hash, author);
  const { root } = withdrawn;
  output.data({ hash, root }, () => `withdrawn: ${shortHash(hash)}; the root is now ${shortHash(root)}`);
}
