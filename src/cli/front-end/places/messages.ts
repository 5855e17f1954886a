/** Screens made of messages: the timeline, a conversation, what was found, what mentions us, what one peer wrote. */
import { type Action, isAboutMessage, type Place } from '../../../../machines/front-end-context.ts';
import { toMessage } from '../../../feed/message.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { followedPeers } from '../../../store/followed.ts';
import type { Store, StoredMessage } from '../../../store/store.ts';
import type { Hash } from '../../../wire/hash.ts';
import { startOfConversation, turnsFrom } from '../../messages/conversation.ts';
import { messageItem } from '../../render/message-item.ts';
import { isMentioned } from '../../render/message-marks.ts';
import { counted } from '../../render/text.ts';
import { arrangeThreads } from '../../render/threads.ts';
import type { Item } from '../screen.ts';
import { cached, type Desk, everywhere, helpKey, type PlaceKey, type PlaceView, wayBack } from './place.ts';

/** Messages taken from the store at first, and more at each arrival at the top. */
const PAGE = 200;
/** A conversation may be endless. */
const MOST_TURNS = 1_000;
/** Lines of a message before the rest is left to its own screen. */
const LINES_IN_LIST = 6;

interface Turn {
  readonly message: StoredMessage;
  readonly depth: number;
}

const messageKeys: readonly PlaceKey[] = [
  { key: 'enter', label: 'open', action: 'thread' },
  { key: 'r', label: 'reply', action: 'reply' },
  helpKey,
];
const lessUsedKeys: readonly PlaceKey[] = [
  { key: 'v', label: 'author', action: 'peer' },
  { key: 't', label: 'times', action: 'toggle-dates' },
  { key: 'x', label: '', action: 'withdraw' },
];

export function timelinePlace(_place: Place, desk: Desk): PlaceView {
  let limit = PAGE;
  const { peer, store } = desk;
  const list = () => store.messages({ authors: heardAuthors(desk), limit });
  return {
    ...messageList(desk, () => arrangeThreads(list())),
    title: `${safeLine(peer.name)} · timeline`,
    empty: 'No messages yet. Press f to follow somebody, p to write something, ? for help.',
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
      desk.live.changed();
    },
  };
}

export function mentionsPlace(_place: Place, desk: Desk): PlaceView {
  const { peer, store } = desk;
  const list = () =>
    store
      .search({ text: `"${peer.name.replaceAll('"', ' ')}"`, limit: PAGE })
      .filter(({ body, author }) => author !== peer.name && isMentioned(body, peer.name));
  return {
    ...messageList(desk, () => flat(list())),
    title: `who mentions ${safeLine(peer.name)}`,
    empty: `Nobody has mentioned @${safeLine(peer.name)} yet.`,
    keys: [...messageKeys, ...wayBack, ...lessUsedKeys, ...everywhere],
  };
}

export function foundPlace({ subject: query }: Place, desk: Desk): PlaceView {
  const found = cached(desk, () => desk.store.search({ text: query, limit: PAGE }));
  return {
    ...messageList(desk, () => flat(found())),
    get title() {
      return `${counted(found().length, 'message')} with “${safeLine(query, 40)}”`;
    },
    empty: 'Nothing that is stored has these words.',
    keys: [...messageKeys, ...wayBack, ...lessUsedKeys, ...everywhere],
  };
}

export function messagesPlace({ subject: name }: Place, desk: Desk): PlaceView {
  let limit = PAGE;
  const list = () => desk.store.messages({ authors: [name], limit });
  return {
    ...messageList(desk, () => flat(list())),
    title: `messages of ${safeLine(name)}`,
    empty: 'None were downloaded yet: s on the screen of the peer does that.',
    keys: [...messageKeys, ...wayBack, ...lessUsedKeys, ...everywhere],
    reachedTop: () => {
      if (list().length < limit) return;
      limit += PAGE;
      desk.live.changed();
    },
  };
}

export function threadPlace({ subject: hash }: Place, desk: Desk): PlaceView {
  const { store } = desk;
  const turns = (): Turn[] => {
    const asked = store.message(hash as Hash);
    if (asked === undefined) return [];
    return turnsFrom(store, startOfConversation(store, asked)).take(MOST_TURNS).toArray();
  };
  const view = messageList(desk, turns, { whole: true });
  return {
    ...view,
    title: 'conversation',
    from: 'top',
    keys: [...messageKeys.slice(1), ...wayBack, ...lessUsedKeys, ...everywhere],
  };
}

/** Those who are followed, and oneself; muted ones are not heard. */
export function heardAuthors({ peer, store }: Pick<Desk, 'peer' | 'store'>): string[] {
  const followed = followedPeers(store, peer.name).filter(({ muted }) => !muted);
  return [peer.name, ...followed.map(({ name }) => name)];
}

function flat(messages: readonly StoredMessage[]): Turn[] {
  return messages.map((message) => ({ message, depth: 0 }));
}

/** The list as items. What the cursor comes to counts as read. */
function messageList(
  desk: Desk,
  turns: () => readonly Turn[],
  { whole = false }: { whole?: boolean } = {},
): Pick<PlaceView, 'from' | 'isText' | 'items' | 'subject' | 'visited'> {
  const { store, live } = desk;
  return {
    from: 'bottom',
    isText: false,
    items: () => itemsOf(turns(), desk, whole),
    subject: (action, item) => subjectOf(action, item, store),
    visited: (item) => {
      if (store.message(item as Hash)?.read !== false) return;
      store.markRead([item as Hash]);
      live.changed();
    },
  };
}

function itemsOf(turns: readonly Turn[], desk: Desk, whole: boolean): Item[] {
  const { peer, store, live, paint } = desk;
  const nowMs = desk.now();
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
export function answeredAuthor({ inReplyTo }: StoredMessage, store: Store): string | undefined {
  const author = inReplyTo === null ? undefined : store.message(inReplyTo)?.author;
  return author === undefined ? undefined : safeLine(author);
}

/** Most actions are about the message, some about its author. An empty list has neither: `item` is then empty. */
function subjectOf(action: Action, item: string, store: Store): string {
  if (isAboutMessage(action) || item === '') return item;
  if (action === 'peer') return store.message(item as Hash)?.author ?? '';
  return '';
}
