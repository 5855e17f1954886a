/** `murmure show`: one stored message. */
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { findMessage } from '../messages/message-hash.ts';
import { markSeen, messagePrinter } from '../messages/print-messages.ts';

export async function show(context: CommandContext, text: string): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const found = findMessage(store, text);
  messagePrinter(context, { name, store })(found, { wholeHashes: true });
  markSeen(context, store, [found]);
}
