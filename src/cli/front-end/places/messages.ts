/** Screens made of messages: the timeline, a conversation, what was found, what mentions us, what one peer wrote. */
import { type Action, isAboutMessage, type Place } from '../../../../machines/front-end-context.ts';
import { toMessage } from '../../../feed/message.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import type { StoredMessage } from '../../../store/store.ts';
import { timelineAuthors } from '../../../store/timeline-authors.ts';
import type { Hash } from '../../../wire/hash.ts';
import { startOfConversation, turnsFrom } from '../../messages/conversation.ts';
import { messageItem } from '../../render/message-item.ts';
import { isMentioned } from '../../render/message-marks.ts';
import { counted } from '../../render/text.ts';
import { arrangeThreads } from '../../render/threads.ts';
import type { Item, Key } from '../screen.ts';
import { cached, type ReadStore, type Sources } from '../sources.ts';
import { everywhere, helpKey, type PlaceScreen, wayBack } from './place.ts';

/** Messages taken from the store at first, and more at each arrival at the top. */
const PAGE = 200;
/** As many are looked through for the place where the person was last. */
const MOST_AT_START = 3_000;
/** A conversation may be endless. */
const MOST_TURNS = 1_000;
/** Lines of a message before the rest is left to its own screen. */
const LINES_IN_LIST = 6;

interface Turn {
  readonly message: StoredMessage;
  readonly depth: number;
}

const messageKeys: readonly Key[] = [
  { key: 'enter', label: 'open', action: 'thread' },
  { key: 'r', label: 'reply', action: 'reply' },
  helpKey,
];
const lessUsedKeys: readonly Key[] = [
  { key: 'v', label: 'author', action: 'peer' },
  { key: 't', label: 'times', action: 'toggle-dates' },
  { key: 'o', label: 'link', action: 'open-link' },
  { key: 'x', label: '', action: 'withdraw' },
];

export function timelinePlace({ cursor }: Place, sources: Sources): PlaceScreen {
  const { peer, store, readingPosition } = sources;
  let limit = PAGE;
  const list = () => store.messages({ authors: timelineAuthors(store, peer.name), limit });
  const isShort = () => {
    const shown = list();
    return cursor !== '' && shown.length === limit && !shown.some(({ hash }) => hash === cursor);
  };
  while (limit < MOST_AT_START && isShort()) limit *= 2;
  const messages = messageList(sources, () => arrangeThreads(list()));
  return {
    ...messages,
    visited: (item) => {
      readingPosition.keep(item);
      messages.visited?.(item);
    },
    title: () => `${safeLine(peer.name)} · timeline`,
    empty: 'No messages yet. Press f to follow somebody, p to write something, or ? for help.',
    keys: [
      ...messageKeys,
      ...everywhere.slice(0, 2),
      { key: 'f', label: 'follow', action: 'follow' },
      { key: 'u', label: '', action: 'unfollow' },
      ...everywhere.slice(2, 3),
      { key: '@', label: 'mentions', action: 'mentions' },
      { key: 'm', label: 'mark read', action: 'mark-read' },
      { key: 's', label: 'sync', action: 'sync-all' },
      ...lessUsedKeys,
      ...everywhere.slice(3),
      { key: 'c', label: 'settings', action: 'settings' },
      { key: 'q', label: 'quit', action: 'quit' },
    ],
    reachedTop: () => {
      if (list().length < limit) return;
      limit += PAGE;
      sources.live.changed();
    },
  };
}

export function mentionsPlace(_place: Place, sources: Sources): PlaceScreen {
  const { peer, store } = sources;
  const list = () =>
    store
      .search({ text: `"${peer.name.replaceAll('"', ' ')}"`, limit: PAGE })
      .filter(({ body, author }) => author !== peer.name && isMentioned(body, peer.name));
  return {
    ...messageList(sources, () => flat(list())),
    title: () => `mentions of ${safeLine(peer.name)}`,
    empty: `Nobody has mentioned @${safeLine(peer.name)} yet.`,
    keys: [...messageKeys, ...wayBack, ...lessUsedKeys, ...everywhere],
  };
}

export function foundPlace({ subject: query }: Place, sources: Sources): PlaceScreen {
  const found = cached(sources, () => sources.store.search({ text: query, limit: PAGE }));
  return {
    ...messageList(sources, () => flat(found())),
    title: () => {
      return `${counted(found().length, 'message')} with “${safeLine(query, 40)}”`;
    },
    empty: 'No stored message contains these words.',
    keys: [...messageKeys, ...wayBack, ...lessUsedKeys, ...everywhere],
  };
}

export function messagesPlace({ subject: name }: Place, sources: Sources): PlaceScreen {
  let limit = PAGE;
  const list = () => sources.store.messages({ authors: [name], limit });
  return {
    ...messageList(sources, () => flat(list())),
    title: () => `messages by ${safeLine(name)}`,
    empty: 'Nothing was downloaded yet: press s on the page of this peer.',
    keys: [...messageKeys, ...wayBack, ...lessUsedKeys, ...everywhere],
    reachedTop: () => {
      if (list().length < limit) return;
      limit += PAGE;
      sources.live.changed();
    },
  };
}

export function threadPlace({ subject: hash }: Place, sources: Sources): PlaceScreen {
  const { store } = sources;
  const turns = (): Turn[] => {
    const asked = store.message(hash as Hash);
    if (asked === undefined) return [];
    return turnsFrom(store, startOfConversation(store, asked)).take(MOST_TURNS).toArray();
  };
  const view = messageList(sources, turns, { whole: true });
  return {
    ...view,
    title: () => 'conversation',
    empty: 'This message is no longer stored.',
    from: 'top',
    keys: [...messageKeys.slice(1), ...wayBack, ...lessUsedKeys, ...everywhere],
  };
}

function flat(messages: readonly StoredMessage[]): Turn[] {
  return messages.map((message) => ({ message, depth: 0 }));
}

/** The list as items. A message is read once the cursor was on it. */
function messageList(
  sources: Sources,
  turns: () => readonly Turn[],
  { whole = false }: { whole?: boolean } = {},
): Pick<PlaceScreen, 'from' | 'isText' | 'items' | 'subject' | 'visited'> {
  const { store } = sources;
  return {
    from: 'bottom',
    isText: false,
    items: () => itemsOf(turns(), sources, whole),
    subject: (action, item) => subjectOf(action, item, store),
    visited: (item) => {
      if (store.message(item as Hash)?.read === false) sources.seen(item);
    },
  };
}

function itemsOf(turns: readonly Turn[], sources: Sources, whole: boolean): Item[] {
  const { peer, store, live, paint } = sources;
  const nowMs = sources.now();
  const names = [peer.name, ...store.peers().map(({ name }) => name)];
  return turns.map(({ message, depth }) =>
    messageItem(toMessage(message, nowMs), {
      paint,
      nowMs,
      depth,
      ownName: peer.name,
      names,
      exactDate: live.showsExactDates,
      keyChanged: live.changedKeys.has(message.author),
      answered: depth === 0 ? answeredAuthor(message, store) : undefined,
      ...(!whole && { maxLines: LINES_IN_LIST }),
    }),
  );
}

/** Who wrote what it answers, safe to show; undefined if that is not stored. */
export function answeredAuthor({ inReplyTo }: StoredMessage, store: ReadStore): string | undefined {
  const author = inReplyTo === null ? undefined : store.message(inReplyTo)?.author;
  return author === undefined ? undefined : safeLine(author);
}

/** Most actions are about the message; some are about its author. There may be no message at all. */
function subjectOf(action: Action, item: string, store: ReadStore): string {
  if (isAboutMessage(action)) return item;
  if (action === 'peer' && item !== '') return store.message(item as Hash)?.author ?? '';
  return '';
}
