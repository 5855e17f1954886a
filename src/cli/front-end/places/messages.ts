/** Screens made of messages: the timeline, notifications, bookmarks, a conversation, what was found, what one peer wrote. */
import type { Place } from '../../../../machines/front-end-context.ts';
import { startOfConversation, turnsFrom } from '../../../feed/conversation.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { followedNames } from '../../../store/followed.ts';
import { audibleMessages } from '../../../store/muting.ts';
import { timelineAuthors } from '../../../store/timeline-authors.ts';
import type { Hash } from '../../../wire/hash.ts';
import { counted } from '../../render/text.ts';
import { arrangeThreads } from '../../render/threads.ts';
import { cached, type Sources } from '../sources.ts';
import { flat, lessUsedKeys, messageKeys, messageList, type Turn } from './message-list.ts';
import { everywhere, type PlaceScreen, wayBack } from './place.ts';

/** Messages taken from the store at first, and more at each arrival at the top. */
const PAGE = 200;
/** As many are looked through for the place where the person was last. */
const MOST_AT_START = 3_000;
/** A conversation may be endless. */
const MOST_TURNS = 1_000;

export function timelinePlace({ cursor }: Place, sources: Sources): PlaceScreen {
  const { peer, store, live, readingPosition } = sources;
  let limit = PAGE;
  const look = () => {
    const authors = live.showsMuted
      ? [peer.name, ...followedNames(store, peer.name)]
      : timelineAuthors(store, peer.name, sources.now());
    return audibleMessages(store, { authors, limit }, live.showsMuted ? () => undefined : sources.muting());
  };
  const list = cached(sources, look);
  const isShort = () => {
    const { messages } = look();
    return cursor !== '' && messages.length === limit && !messages.some(({ hash }) => hash === cursor);
  };
  while (limit < MOST_AT_START && isShort()) limit *= 2;
  // What one has just written is where the cursor is; one goes on reading where one was.
  const { position } = readingPosition;
  const isThere = position !== '' && store.message(position as Hash) !== undefined;
  if (isThere && cursor !== position) live.backTo = position;
  const messages = messageList(sources, () => arrangeThreads(list().messages));
  return {
    ...messages,
    visited: (item) => {
      readingPosition.keep(item);
      messages.visited?.(item);
    },
    title: () => `${safeLine(peer.name)} · timeline`,
    aside: () => mutedAside(list().hidden, live.showsMuted),
    returning: live,
    empty: 'No messages yet. Press f to follow somebody, p to write something, or ? for help.',
    keys: [
      ...messageKeys,
      ...everywhere.slice(0, 2),
      { key: 'f', label: 'follow', action: 'follow' },
      { key: 'u', label: '', action: 'unfollow' },
      ...everywhere.slice(2, 4),
      { key: 'm', label: 'mark read', action: 'mark-read' },
      { key: 's', label: 'sync', action: 'sync-all' },
      // 80 columns have no room for it.
      ...lessUsedKeys.map((shown) => (shown.key === 'o' ? { ...shown, label: '' } : shown)),
      ...everywhere.slice(4),
      { key: 'z', label: '', action: 'toggle-muted' },
      { key: 'c', label: 'settings', action: 'settings' },
      { key: 'q', label: 'quit', action: 'quit' },
    ],
    reachedTop: () => {
      if (list().messages.length < limit) return;
      limit += PAGE;
      live.changed();
    },
  };
}

function mutedAside(hidden: number, showsMuted: boolean): string {
  if (showsMuted) return 'muted ones too: z hides them';
  return hidden === 0 ? '' : `${hidden} muted: z shows them`;
}

export function notificationsPlace(_place: Place, sources: Sources): PlaceScreen {
  const { live, notificationsPosition } = sources;
  const news = cached(
    sources,
    () => new Set(sources.notifications().flatMap(({ message, isNew }) => (isNew ? [message.hash] : []))),
  );
  const isNew = (item: string) => news().has(item);
  const turns = () => flat(sources.notifications().map(({ message }) => message));
  const messages = messageList(sources, turns, { isNew });
  return {
    ...messages,
    visited: (item) => {
      notificationsPosition.keep(item);
      if (isNew(item)) sources.noticed(item);
      messages.visited?.(item);
    },
    title: () => `notifications${news().size === 0 ? '' : ` · ${news().size} new`}`,
    aside: () => (live.showsMuted ? mutedAside(0, true) : ''),
    empty: `Nobody has replied to you or mentioned @${safeLine(sources.peer.name)} yet.`,
    keys: [
      ...messageKeys,
      ...wayBack,
      ...lessUsedKeys,
      { key: 'z', label: 'muted', action: 'toggle-muted' },
      ...everywhere.filter(({ action }) => action !== 'notifications'),
    ],
  };
}

export function bookmarksPlace(_place: Place, sources: Sources): PlaceScreen {
  const { store } = sources;
  const found = cached(sources, () => store.marks('bookmark').flatMap(({ subject }) => store.message(subject) ?? []));
  return {
    ...messageList(sources, () => flat(found())),
    title: () => 'bookmarks',
    empty: 'There are no bookmarks yet: press b on a message.',
    keys: [...messageKeys, ...wayBack, ...lessUsedKeys, ...everywhere.filter(({ action }) => action !== 'bookmarks')],
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
