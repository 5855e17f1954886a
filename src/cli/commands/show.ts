/** `murmure show`: one stored message. */
import { toMessage } from '../../feed/message.ts';
import type { CommandContext } from '../context.ts';
import { findMessage } from '../message-hash.ts';
import { openStore } from '../open-home.ts';
import { renderMessage } from '../render/message.ts';

export async function show(context: CommandContext, text: string): Promise<void> {
  using store = (await openStore(context.settings.home)).store;
  const found = findMessage(store, text);
  const message = toMessage(found, context.nowMs());
  context.output.data(message, (paint) => renderMessage(message, paint, { wholeHashes: true }));
  if (!context.output.json && !message.read) store.markRead([message.hash]);
}
