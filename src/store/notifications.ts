/** Replies to one's own messages, and messages that mention one: a list of its own, which is seen on its own. */
import { isMentioned } from '../feed/mentions.ts';
import { mutingOf } from './muting.ts';
import { parseSearch } from './search-words.ts';
import type { Store, StoredMessage } from './store.ts';

/** BOUNDED: the newest of these are listed and counted. */
const MOST_NOTIFICATIONS = 200;

export type NotificationKind = 'reply' | 'mention';

export interface Notification {
  readonly message: StoredMessage;
  /** A reply that mentions one is a reply. */
  readonly kind: NotificationKind;
  /** It was not seen in the list yet; whether it was read elsewhere does not count. */
  readonly isNew: boolean;
}

export type NotificationStore = Pick<
  Store,
  'repliesTo' | 'search' | 'messages' | 'message' | 'marks' | 'markedAmong' | 'noticedUntilMs' | 'peers'
>;

export interface NotificationQuery {
  readonly ownName: string;
  readonly nowMs: number;
  /** Muted ones as well. */
  readonly withMuted?: boolean;
}

/** In the order of `messages`, each once. */
export function notifications(store: NotificationStore, query: NotificationQuery): Notification[] {
  const { ownName, nowMs, withMuted = false } = query;
  const replies = once(store.repliesTo(ownName, MOST_NOTIFICATIONS));
  const answers = new Set(replies.map(({ hash }) => hash));
  const mentions = mentionsOf(store, ownName).filter(({ hash }) => !answers.has(hash));
  const why = mutingOf(store, { ownName, nowMs });
  const found = inOrder(replies, mentions)
    .filter((message) => withMuted || why(message) === undefined)
    .slice(-MOST_NOTIFICATIONS);
  const isSeen = seenAmong(store, found);
  return found.map((message) => ({
    message,
    kind: answers.has(message.hash) ? 'reply' : 'mention',
    isNew: !isSeen(message),
  }));
}

/** Why one is told of a message that has arrived; undefined: one is not. */
export function notificationKind(
  message: StoredMessage,
  store: Pick<Store, 'message' | 'marks' | 'peers'>,
  query: NotificationQuery,
): NotificationKind | undefined {
  const { ownName } = query;
  const { author, inReplyTo, body } = message;
  if (author === ownName || mutingOf(store, query)(message) !== undefined) return undefined;
  if (inReplyTo !== null && store.message(inReplyTo)?.author === ownName) return 'reply';
  return isMentioned(body, ownName) ? 'mention' : undefined;
}

function mentionsOf(store: NotificationStore, ownName: string): StoredMessage[] {
  const quoted = `"${ownName.replaceAll('"', ' ')}"`;
  // A name may consist of signs that no search looks for.
  const candidates =
    parseSearch(quoted).length > 0
      ? store.search({ text: quoted, limit: MOST_NOTIFICATIONS })
      : store.messages({ limit: MOST_NOTIFICATIONS });
  return once(candidates.filter(({ author, body }) => author !== ownName && isMentioned(body, ownName)));
}

/** Somebody may have published again what somebody else wrote. */
function once(messages: readonly StoredMessage[]): StoredMessage[] {
  return [...new Map(messages.toReversed().map((message) => [message.hash, message])).values()].toReversed();
}

/** By when they came here: a date is what a stranger claims. */
function inOrder(...lists: readonly (readonly StoredMessage[])[]): StoredMessage[] {
  return lists.flat().sort((a, b) => a.receivedAtMs - b.receivedAtMs);
}

function seenAmong(store: NotificationStore, messages: readonly StoredMessage[]): (message: StoredMessage) => boolean {
  const untilMs = store.noticedUntilMs();
  const hashes = messages.map(({ hash }) => hash);
  const seen = store.markedAmong('notice', hashes);
  return ({ hash, receivedAtMs }) => receivedAtMs <= untilMs || seen.has(hash);
}
