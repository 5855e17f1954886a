/** A place as a screen: what the kind of place shows, with the last notice and the state of things below. */
import type { Place, PlaceKind } from '../../../machines/front-end-context.ts';
import { safeLine } from '../../feed/safe-text.ts';
import { lastScheduled } from '../../store/scheduled.ts';
import { timelineAuthors } from '../../store/timeline-authors.ts';
import type { Hash } from '../../wire/hash.ts';
import { timeAgo } from '../render/relative-time.ts';
import { scheduledLine } from '../render/scheduled.ts';
import { renderStatusLine } from '../render/status-line.ts';
import { truncate, wrapText } from '../render/wrap.ts';
import { peerPlace } from './places/author.ts';
import { inspectPlace } from './places/inspect.ts';
import {
  bookmarksPlace,
  foundPlace,
  messagesPlace,
  notificationsPlace,
  threadPlace,
  timelinePlace,
} from './places/messages.ts';
import { peersPlace } from './places/peers.ts';
import type { MakePlace, PlaceScreen } from './places/place.ts';
import { helpPlace, logPlace, settingsPlace, treePlace } from './places/texts.ts';
import type { Screen } from './screen.ts';
import { cached, type Sources, type UnreadCount } from './sources.ts';

const makers: Readonly<Record<PlaceKind, MakePlace>> = {
  timeline: timelinePlace,
  notifications: notificationsPlace,
  bookmarks: bookmarksPlace,
  thread: threadPlace,
  found: foundPlace,
  peers: peersPlace,
  peer: peerPlace,
  messages: messagesPlace,
  tree: treePlace,
  log: logPlace,
  settings: settingsPlace,
  help: helpPlace,
  inspect: inspectPlace,
};

/** Of a sentence that is longer, the rest is left out. */
const NOTICE_LINES = 3;
/** Among so many of the newest messages unread ones are counted. */
const COUNTED = 1_000;

export function showPlace(place: Place, sources: Sources, drafts: number): Screen & PlaceScreen {
  const { live, paint } = sources;
  const cursor = place.cursor || startOf(place, sources);
  const shown = makers[place.kind]({ ...place, cursor }, sources);
  const items = cached(sources, () => shown.items());
  return {
    ...shown,
    keys: [...shown.keys, TAKE_BACK, UNLOCK],
    subject: (action, item) =>
      action === 'take-back' ? String(lastScheduled(sources.store)?.id ?? '') : shown.subject(action, item),
    items,
    cursor,
    status: (columns) => {
      const status = renderStatusLine({ ...statusOf(sources), ...sources.unread(), drafts }, columns, paint);
      const notice =
        live.notice === '' ? [] : wrapText(paint('cyan', safeLine(live.notice)), columns).slice(0, NOTICE_LINES);
      return [...lockedLines(sources, columns), ...scheduledLines(sources, columns), ...notice, status];
    },
    subscribe: (changed) => live.subscribe(changed),
  };
}

/**
 * The timeline and the notifications start where the person was last, however much has arrived since; without that, at the oldest unread
 * message after the last one read; at the newest where nothing was read yet.
 */
function startOf({ kind, subject }: Place, sources: Sources): string {
  const { peer, store, readingPosition, notificationsPosition, now } = sources;
  if (kind === 'thread') return subject;
  if (kind === 'notifications') {
    const shown = sources.notifications();
    const { position } = notificationsPosition;
    if (shown.some(({ message }) => message.hash === position)) return position;
    return shown.find(({ isNew }) => isNew)?.message.hash ?? '';
  }
  if (kind !== 'timeline') return '';
  const { position } = readingPosition;
  if (position !== '' && store.message(position as Hash) !== undefined) return position;
  const messages = store.messages({ authors: timelineAuthors(store, peer.name, now()), limit: 200 });
  const foreign = messages.filter(({ author }) => author !== peer.name);
  const lastRead = foreign.findLastIndex(({ read }) => read);
  return lastRead === -1 ? '' : (foreign[lastRead + 1]?.hash ?? '');
}

export function countUnread({
  peer,
  store,
  muting,
  now,
}: Pick<Sources, 'peer' | 'store' | 'muting' | 'now'>): Omit<UnreadCount, 'notifications'> {
  const why = muting();
  const unread = store
    .messages({ authors: timelineAuthors(store, peer.name, now()), limit: COUNTED })
    .filter((message) => !message.read && message.author !== peer.name && why(message) === undefined);
  return { unread: unread.length, isMoreUnread: unread.length === COUNTED };
}

/** It says itself what the key does, where there is something to be taken back. */
const TAKE_BACK = { key: 'Z', label: '', action: 'take-back' } as const;

/** As the line says that is shown as long as it does something. */
const UNLOCK = { key: 'U', label: '', action: 'unlock' } as const;

function lockedLines({ unlocking, paint }: Sources, columns: number): string[] {
  if (unlocking?.isNeeded !== true) return [];
  const why = 'The process that ran your peer has ended, and your key has a passphrase. U asks for it.';
  return wrapText(paint('yellow', `${why} Meanwhile you read offline, and what you write is stored.`), columns);
}

/** What others do not see yet, the one that was written last. */
function scheduledLines({ store, paint, now }: Sources, columns: number): string[] {
  const last = lastScheduled(store);
  if (last === undefined) return [];
  const others = store.scheduled().length - 1;
  const more = others === 0 ? '' : ` (and ${others} more)`;
  return [truncate(paint('yellow', `${scheduledLine(last, now())}${more}  Z takes it back`), columns)];
}

/** How many are looked up in the store each time the screen is painted. */
const MOST_HEARD = 20;

/** Followed peers that cannot be reached now, those that were heard most recently first. */
function unreachable({ live, store, now }: Sources) {
  const heardMs = (name: string) => live.lastSyncMs(name, store.peer(name)?.lastSyncMs) ?? 0;
  // What is wrong with one that has another key now is said on its own.
  const names = [...live.silent, ...live.unlisted].filter((name) => !live.changedKeys.has(name));
  const heard = names.slice(0, MOST_HEARD).map((name) => ({ name, atMs: heardMs(name) }));
  const [latest] = heard.sort((one, other) => other.atMs - one.atMs);
  if (latest === undefined) return undefined;
  const { name, atMs } = latest;
  return { name, others: names.length - 1, ...(atMs > 0 && { heard: timeAgo(atMs, now()) }) };
}

function unreachedReader({ live: { unreachedReaders } }: Sources) {
  const [name] = unreachedReaders;
  return name === undefined ? undefined : { name, others: unreachedReaders.length - 1 };
}

function statusOf(sources: Sources) {
  const { live, directory } = sources;
  return {
    directory: { status: live.directory, name: URL.parse(directory)?.host ?? '' },
    isStopped: live.isStopped,
    cannotKeep: live.cannotKeep,
    changedKeys: live.changedKeys.size,
    unreachable: unreachable(sources),
    unreachedReader: unreachedReader(sources),
    sessions: live.sessions,
    downloads: live.downloads,
  };
}
