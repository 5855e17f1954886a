/** What screens made of messages have in common: the items, the keys, and the conversation beside the list where there is room. */
import { type Action, isAboutMessage } from '../../../../machines/front-end-context.ts';
import { startOfConversation, turnsFrom } from '../../../feed/conversation.ts';
import { toMessage } from '../../../feed/message.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { conversationSubject } from '../../../store/muting.ts';
import type { StoredMessage } from '../../../store/store.ts';
import { type Hash, isHash } from '../../../wire/hash.ts';
import { messageItem } from '../../render/message-item.ts';
import { doubtsAmong } from '../../render/name-doubts.ts';
import { localDateTime, shortHash } from '../../render/text.ts';
import type { Item, Key } from '../screen.ts';
import type { ReadStore, Sources } from '../sources.ts';
import { helpKey, type PlaceScreen } from './place.ts';

/** Lines of a message before the rest is left to its own screen. */
const LINES_IN_LIST = 6;
/** Of a conversation beside a list. */
const TURNS_BESIDE = 50;

export interface Turn {
  readonly message: StoredMessage;
  readonly depth: number;
}

export const messageKeys: readonly Key[] = [
  { key: 'enter', label: 'open', action: 'thread' },
  { key: 'r', label: 'reply', action: 'reply' },
  helpKey,
];
export const lessUsedKeys: readonly Key[] = [
  { key: 'v', label: 'author', action: 'peer' },
  { key: 'b', label: '', action: 'bookmark' },
  { key: 'M', label: '', action: 'mute-conversation' },
  { key: 'W', label: '', action: 'mute-word' },
  { key: 't', label: 'times', action: 'toggle-dates' },
  { key: 'o', label: 'link', action: 'open-link' },
  { key: 'x', label: '', action: 'withdraw' },
];

export function flat(messages: readonly StoredMessage[]): Turn[] {
  return messages.map((message) => ({ message, depth: 0 }));
}

interface ListOptions {
  readonly whole?: boolean;
  /** Default: what is unread. */
  readonly isNew?: (item: string) => boolean;
}

type MessageList = Pick<
  PlaceScreen,
  'from' | 'isText' | 'items' | 'subject' | 'meant' | 'visited' | 'isUnseen' | 'beside'
>;

/** The list as items. A message is read once the cursor was on it. */
export function messageList(
  sources: Sources,
  turns: () => readonly Turn[],
  { whole = false, isNew }: ListOptions = {},
): MessageList {
  const { store, peer } = sources;
  const isUnread = (item: string) => {
    const message = store.message(item as Hash);
    return message !== undefined && !message.read && message.author !== peer.name;
  };
  return {
    from: 'bottom',
    isText: false,
    items: () => itemsOf(turns(), sources, { whole, ...(isNew && { isNew }) }),
    subject: (action, item) => subjectOf(action, item, store),
    meant: (action, item) => (action === 'choose' ? undefined : meantAction(action, item, sources)),
    visited: (item) => {
      if (store.message(item as Hash)?.read === false) sources.seen(item);
    },
    isUnseen: isNew ?? isUnread,
    ...(!whole && { beside: (item, size) => conversationBeside(item, size, sources) }),
  };
}

/** One key makes a mark and takes it away. */
export function meantAction(action: Action, item: string, { store }: Pick<Sources, 'store'>): Action {
  if (action === 'bookmark' && store.markedAmong('bookmark', [item]).has(item)) return 'unbookmark';
  if (action !== 'mute-conversation' || !isHash(item)) return action;
  const subject = conversationSubject(store, item as Hash);
  return store.markedAmong('conversation', [subject]).has(subject) ? 'unmute-conversation' : action;
}

function itemsOf(turns: readonly Turn[], sources: Sources, { whole, isNew }: ListOptions): Item[] {
  const optionsFor = itemOptions(sources);
  return turns.map(({ message, depth }) =>
    messageItem(toMessage(message, sources.now()), {
      ...optionsFor(message, depth),
      ...(!whole && { maxLines: LINES_IN_LIST }),
      ...(isNew && { isNew: isNew(message.hash) }),
    }),
  );
}

function itemOptions({ peer, store, live, paint, muting, now }: Sources) {
  const nowMs = now();
  const names = [peer.name, ...store.peers().map(({ name }) => name)];
  const bookmarks = new Set(store.marks('bookmark').map(({ subject }) => subject));
  const why = muting();
  const doubtsOf = doubtsAmong(peer.name, store);
  return (message: StoredMessage, depth: number) => ({
    paint,
    nowMs,
    depth,
    ownName: peer.name,
    names,
    exactDate: live.showsExactDates,
    keyChanged: live.changedKeys.has(message.author),
    doubts: doubtsOf(message.author),
    answered: depth === 0 ? answeredAuthor(message, store) : undefined,
    muting: why(message),
    isBookmarked: bookmarks.has(message.hash),
  });
}

/** Who wrote what it answers, safe to show; undefined if that is not stored. */
export function answeredAuthor({ inReplyTo }: StoredMessage, store: Pick<ReadStore, 'message'>): string | undefined {
  const author = inReplyTo === null ? undefined : store.message(inReplyTo)?.author;
  return author === undefined ? undefined : safeLine(author);
}

/** Most actions are about the message; some are about its author. There may be no message at all. */
function subjectOf(action: Action, item: string, store: ReadStore): string {
  if ((action === 'mute-conversation' || action === 'unmute-conversation') && isHash(item))
    return conversationSubject(store, item as Hash);
  if (isAboutMessage(action)) return item;
  if (action === 'peer' && item !== '') return store.message(item as Hash)?.author ?? '';
  return '';
}

/** The message under the cursor whole, in its conversation. */
export function conversationBeside(
  item: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
  sources: Sources,
): string[] {
  const { store, paint } = sources;
  const asked = store.message(item as Hash);
  if (asked === undefined) return [];
  const message = toMessage(asked, sources.now());
  const optionsFor = itemOptions(sources);
  const lines = [paint('dim', `${localDateTime(message.date ?? message.receivedAt)}  ${shortHash(asked.hash)}`), ''];
  let start = 0;
  for (const { message: turn, depth } of turnsFrom(store, startOfConversation(store, asked)).take(TURNS_BESIDE)) {
    const isAsked = turn.hash === asked.hash;
    if (isAsked) start = lines.length;
    const turnLines = messageItem(toMessage(turn, sources.now()), optionsFor(turn, depth)).lines(columns - 2);
    lines.push(...turnLines.map((line, row) => (isAsked && row === 0 ? paint('cyan', '→ ') : '  ') + line), '');
  }
  const from = Math.max(0, Math.min(start - Math.floor(rows / 3), lines.length - rows));
  return lines.slice(from, from + rows);
}
