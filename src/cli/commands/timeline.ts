/** `murmure timeline`: stored messages, newest last. */
import { toMessage } from '../../feed/message.ts';
import type { MessageQuery, Store, StoredMessage } from '../../store/store.ts';
import { wantedAuthors } from '../authors.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../open-home.ts';
import { renderMessage } from '../render/message.ts';
import { requireCount, requireDate, requireValidName } from '../validate.ts';

export interface TimelineOptions {
  readonly limit?: string;
  readonly before?: string;
}

export async function timeline(
  context: CommandContext,
  peers: readonly string[],
  options: TimelineOptions,
): Promise<void> {
  for (const peer of peers) requireValidName(peer);
  const range = {
    ...(options.limit !== undefined && { limit: requireCount('--limit', options.limit) }),
    ...(options.before !== undefined && { beforeMs: requireDate('--before', options.before) }),
  };
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const authors = wantedAuthors(store, name, peers);
  printMessages(context, store, { ...range, ...(authors !== undefined && { authors }) });
}

/** Prints what the query finds. */
export function printMessages(context: CommandContext, store: Store, query: MessageQuery): void {
  const found = store.messages(query);
  showMessages(context, store, found);
  if (found.length === 0)
    context.output.note('No messages yet: write one with "murmure post", or fetch some with "murmure sync PEER".');
}

/** As above, of messages that were found another way. */
export function showMessages(context: CommandContext, store: Store, found: readonly StoredMessage[]): void {
  const nowMs = context.nowMs();
  for (const kept of found) {
    const message = toMessage(kept, nowMs);
    context.output.data(message, (paint) => renderMessage(message, paint));
  }
  markSeen(context, store, found);
}

/** What a person was shown is read; a program may be looking for something else. */
export function markSeen({ output }: CommandContext, store: Store, shown: readonly StoredMessage[]): void {
  const unread = shown.filter(({ read }) => !read).map(({ hash }) => hash);
  if (!output.json && unread.length > 0) store.markRead(unread);
}
