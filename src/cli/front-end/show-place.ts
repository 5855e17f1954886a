/** A place as a screen: its view framed by a title, where things stand, and what came of the last thing done. */
import type { Place, PlaceKind } from '../../../machines/front-end-context.ts';
import { safeLine } from '../../feed/safe-text.ts';
import { isMentioned } from '../render/message-marks.ts';
import { renderStatusLine } from '../render/status-line.ts';
import { truncate, wrapText } from '../render/wrap.ts';
import { inspectPlace } from './places/inspect.ts';
import {
  foundPlace,
  heardAuthors,
  mentionsPlace,
  messagesPlace,
  threadPlace,
  timelinePlace,
} from './places/messages.ts';
import { peerPlace, peersPlace } from './places/peers.ts';
import { cached, type Desk, type MakePlace, type News, type PlaceView } from './places/place.ts';
import { helpPlace, logPlace, settingsPlace, treePlace } from './places/texts.ts';
import type { Item, Screen } from './screen.ts';

const makers: Readonly<Record<PlaceKind, MakePlace>> = {
  timeline: timelinePlace,
  mentions: mentionsPlace,
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

export interface ShownPlace {
  readonly screen: Screen;
  readonly view: PlaceView;
}

export function showPlace(place: Place, desk: Desk, drafts: number): ShownPlace {
  const { live, paint } = desk;
  const view = makers[place.kind](place, desk);
  const items = cached(desk, () => view.items());
  const screen: Screen = {
    keys: view.keys,
    cursor: place.cursor || firstUnread(place, desk),
    from: view.from,
    isText: view.isText,
    view: (columns) => {
      const status = renderStatusLine({ ...statusOf(desk), ...desk.news(), drafts }, columns, paint);
      const notice =
        live.notice === '' ? [] : wrapText(paint('cyan', safeLine(live.notice)), columns).slice(0, NOTICE_LINES);
      const title = [truncate(paint('bold', view.title), columns)];
      return { title, items: items(), empty: view.empty ?? 'nothing', status: [...notice, status] };
    },
    subscribe: (changed) => live.subscribe(changed),
    ...(view.reachedTop && { reachedTop: view.reachedTop }),
    ...(view.visited && { visited: view.visited }),
  };
  return { screen, view };
}

/** On the timeline the cursor starts where reading has stopped; at the newest where nothing was read yet. */
function firstUnread({ kind, subject }: Place, { peer, store }: Desk): Item['id'] {
  if (kind === 'thread') return subject;
  if (kind !== 'timeline') return '';
  const messages = store.messages({ authors: heardAuthors({ peer, store }), limit: 200 });
  const foreign = messages.filter(({ author }) => author !== peer.name);
  const lastRead = foreign.findLastIndex(({ read }) => read);
  return lastRead === -1 ? '' : (foreign[lastRead + 1]?.hash ?? '');
}

export function countNews({ peer, store }: Pick<Desk, 'peer' | 'store'>): News {
  const unread = store
    .messages({ authors: heardAuthors({ peer, store }), limit: COUNTED })
    .filter(({ read, author }) => !read && author !== peer.name);
  const mentions = unread.filter(({ body }) => isMentioned(body, peer.name));
  return { unread: unread.length, isMoreUnread: unread.length === COUNTED, mentions: mentions.length };
}

function statusOf({ live, directory }: Desk) {
  return {
    directory: { ...live.directory, name: URL.parse(directory)?.host ?? '' },
    sessions: live.sessions,
    downloads: live.downloads,
  };
}
