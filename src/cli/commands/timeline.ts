/** `murmure timeline`: stored messages, newest last. */
import { toMessage } from '../../feed/message.ts';
import type { MessageQuery, Store } from '../../store/store.ts';
import type { CommandContext } from '../context.ts';
import { UnknownPeerError } from '../errors.ts';
import { openStore } from '../open-home.ts';
import { renderMessage } from '../render/message.ts';
import { requireCount, requireDate } from '../validate.ts';

export interface TimelineOptions {
  readonly limit?: string;
  readonly before?: string;
}

export async function timeline(
  context: CommandContext,
  peers: readonly string[],
  options: TimelineOptions,
): Promise<void> {
  const range = {
    ...(options.limit !== undefined && { limit: requireCount('--limit', options.limit) }),
    ...(options.before !== undefined && { beforeMs: requireDate('--before', options.before) }),
  };
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const authors = peers.length > 0 ? requireKnown(store, name, peers) : audibleAuthors(store, name);
  printMessages(context, store, { ...range, ...(authors !== undefined && { authors }) });
}

/** Prints what the query finds. A person has then read it; a program may be looking for something else. */
export function printMessages(context: CommandContext, store: Store, query: MessageQuery): void {
  const nowMs = context.nowMs();
  const messages = store.messages(query).map((kept) => toMessage(kept, nowMs));
  for (const message of messages) context.output.data(message, (paint) => renderMessage(message, paint));
  if (messages.length === 0)
    context.output.note('No messages yet: write one with "murmure post", or fetch some with "murmure sync PEER".');
  const unread = messages.filter(({ read }) => !read).map(({ hash }) => hash);
  if (!context.output.json && unread.length > 0) store.markRead(unread);
}

function requireKnown(store: Store, ownName: string, peers: readonly string[]): readonly string[] {
  for (const peer of peers) {
    if (peer !== ownName && store.peer(peer) === undefined) throw new UnknownPeerError(peer);
  }
  return peers;
}

/** Everyone but those who are muted; undefined if nobody is. */
function audibleAuthors(store: Store, ownName: string): readonly string[] | undefined {
  const peers = store.peers();
  if (!peers.some(({ muted }) => muted)) return undefined;
  return [ownName, ...peers.filter(({ muted }) => !muted).map(({ name }) => name)];
}
