/** `murmure show`: one stored message. */
import type { CommandContext } from '../context.ts';
import { findMessage } from '../message-hash.ts';
import { openStore } from '../open-home.ts';
import { markSeen, messagePrinter } from '../print-messages.ts';

export async function show(context: CommandContext, text: string): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const found = findMessage(store, text);
  messagePrinter(context, { name, store })(found, { wholeHashes: true });
  markSeen(context, store, [found]);
}
