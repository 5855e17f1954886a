/** The page of one peer, or one's own: who it is, and what it wrote. */
import type { Action, Place } from '../../../../machines/front-end-context.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { fingerprint } from '../../../identity/fingerprint.ts';
import type { PublicKey } from '../../../identity/public-key.ts';
import type { Explanation } from '../../../journal/explain.ts';
import { isMuted } from '../../../store/muting.ts';
import { formatAddress } from '../../../wire/socket-address.ts';
import { doubtMarks, untilText } from '../../render/message-marks.ts';
import { doubtsAmong } from '../../render/name-doubts.ts';
import { relativeTime } from '../../render/relative-time.ts';
import { counted, localDateTime, shortHash } from '../../render/text.ts';
import { truncate, wrapText } from '../../render/wrap.ts';
import type { Item } from '../screen.ts';
import { cached, type Sources } from '../sources.ts';
import { flat, lessUsedKeys, messageList } from './message-list.ts';
import { everywhere, helpKey, type PlaceScreen, wayBack } from './place.ts';

/** Messages, the newest first. The others are on a screen of their own. */
const SHOWN = 100;
/** The items that say who it is, and why its sessions are where they are: no hashes. */
const ABOUT = 'about';
const SESSIONS = 'sessions';

interface Keys {
  readonly pinned: PublicKey | undefined;
  readonly listed: PublicKey | undefined;
}

/** Noticed while somebody looked on, or known by what the directory has listed since. */
export function hasNewKey(live: Sources['live'], name: string, { pinned, listed }: Keys): boolean {
  return live.changedKeys.has(name) || (pinned !== undefined && listed !== undefined && listed !== pinned);
}

export function keysOf(name: string, { store, live }: Pick<Sources, 'store' | 'live'>): Keys {
  return { pinned: store.peer(name)?.key, listed: live.listed?.find((entry) => entry.name === name)?.key };
}

export function peerPlace({ subject: name }: Place, sources: Sources): PlaceScreen {
  const { store, live, paint } = sources;
  const record = store.peer(name);
  const isOwn = name === sources.peer.name;
  const relation = [
    record?.following
      ? { key: 'f', label: 'unfollow', action: 'unfollow' as const }
      : { key: 'f', label: 'follow', action: 'follow' as const },
    record !== undefined && isMuted(record, sources.now())
      ? { key: 'm', label: 'unmute', action: 'unmute' as const }
      : { key: 'm', label: 'mute', action: 'mute' as const },
    record?.blocked
      ? { key: 'X', label: 'unblock', action: 'unblock' as const }
      : { key: 'X', label: 'block', action: 'block' as const },
    { key: 's', label: 'sync', action: 'sync' as const },
    // It works as soon as the page says so.
    { key: 'a', label: hasNewKey(live, name, keysOf(name, sources)) ? 'new key' : '', action: 'trust' as const },
  ];
  const wrote = cached(sources, () => store.messages({ authors: [name], limit: SHOWN }).toReversed());
  const messages = messageList(sources, () => flat(wrote()));
  const isMessage = (item: string) => item !== ABOUT && item !== SESSIONS;
  const about: Item = {
    id: ABOUT,
    lines: (columns) => [...wrapped(describe(name, sources), columns), ''],
    short: (columns) => [truncate(`${paint('bold', safeLine(name))}: ${messageCount(name, sources)}`, columns), ''],
  };
  const sessions: Item = {
    id: SESSIONS,
    lines: (columns) => ['', ...wrapped(describeSessions(name, sources), columns)],
    short: (columns) => ['', ...wrapped(describeSessions(name, sources).slice(0, 1), columns)],
  };
  const aboutPeer: readonly Action[] = ['peer', 'messages', 'tree', ...relation.map(({ action }) => action)];
  return {
    ...messages,
    title: () => safeLine(name),
    empty: '',
    from: 'top',
    keys: [
      { key: 'enter', label: 'open', action: 'choose' },
      { key: 'r', label: 'reply', action: 'reply' },
      helpKey,
      ...wayBack,
      ...(isOwn ? [] : relation),
      { key: 't', label: 'tree', action: 'tree' },
      ...lessUsedKeys.filter(({ key }) => !['v', 't'].includes(key)),
      ...everywhere,
    ],
    items: () => [about, ...messages.items(), ...(live.explain(name).length === 0 ? [] : [sessions])],
    meant: (action, item) => {
      if (action === 'choose') return isMessage(item) ? 'thread' : 'messages';
      return messages.meant?.(action, item);
    },
    subject: (action, item) =>
      aboutPeer.includes(action) ? name : isMessage(item) ? messages.subject(action, item) : '',
    visited: (item) => {
      if (isMessage(item)) messages.visited?.(item);
    },
    isUnseen: () => false,
    beside: (item, size) =>
      isMessage(item) ? (messages.beside?.(item, size) ?? []) : aboutBeside(name, size, sources),
  };
}

function messageCount(name: string, { peer, store }: Sources): string {
  return counted(name === peer.name ? store.ownFeed().messages : (store.peer(name)?.messages ?? 0), 'message');
}

/** Who it is, as it stands beside a list. */
export function aboutBeside(
  name: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
  sources: Sources,
): string[] {
  return wrapped([...describe(name, sources), '', ...describeSessions(name, sources)], columns).slice(0, rows);
}

function wrapped(lines: readonly string[], columns: number): string[] {
  return lines.flatMap((line) => wrapText(line, columns, 2));
}

/** Who it is, in lines; safe to show. */
function describe(name: string, sources: Sources): string[] {
  return name === sources.peer.name ? describeSelf(sources) : describePeer(name, sources);
}

function describeSessions(name: string, { live, paint }: Pick<Sources, 'live' | 'paint'>): string[] {
  const explanations = live.explain(name);
  if (explanations.length === 0) return [];
  const sentences = explanations.flatMap((explanation) => explanation.sentences.map((sentence) => safeLine(sentence)));
  return [paint('bold', 'Sessions and downloads'), ...sentences];
}

function describeSelf({ peer, store, paint }: Sources): string[] {
  const { root, messages } = store.ownFeed();
  return table(paint, [
    ['this is', 'you'],
    ['fingerprint', fingerprint(peer.publicKey)],
    ['listens at', peer.addresses.map(formatAddress).join(', ')],
    ['messages', messages.toLocaleString('en')],
    ['root', shortHash(root)],
  ]);
}

function describePeer(name: string, sources: Sources): string[] {
  const { store, live, paint, now } = sources;
  const record = store.peer(name);
  const listed = live.listed?.find((entry) => entry.name === name);
  const key = record?.key ?? listed?.key;
  const lastSync = live.lastSyncMs(name, record?.lastSyncMs);
  const lists = [...store.lists()].flatMap(([list, members]) => (members.includes(name) ? [`@${list}`] : []));
  const relations = [
    ...(record?.following ? ['followed'] : []),
    ...(record !== undefined && isMuted(record, now()) ? [`muted${untilText(record.mutedUntilMs)}`] : []),
    ...(record?.blocked ? ['blocked'] : []),
    ...lists,
  ];
  const doubts = doubtMarks(doubtsAmong(sources.peer.name, store)(name));
  const addresses = listed?.addresses.map(formatAddress).join(', ');
  const explanations = live.explain(name);
  return [
    ...(hasNewKey(live, name, { pinned: record?.key, listed: listed?.key })
      ? [
          paint(
            'red',
            'This peer now uses another key than before. Nothing is accepted from it until you know which key is right: press a to compare both, and to accept the new one.',
          ),
          '',
        ]
      : []),
    ...(doubts.length === 0 ? [] : [paint('yellow', `Take care: the name ${doubts.join(', and ')}.`), '']),
    ...table(paint, [
      [
        'fingerprint',
        key === undefined ? 'none: without a key nothing this peer sends can be verified' : fingerprint(key),
      ],
      ['addresses', addresses ?? (live.listed === undefined ? 'not looked up yet' : 'not listed at the directory now')],
      ['relation', relations.join(', ') || 'not followed'],
      ['online', live.isOnline(name, lastSync) ? 'yes' : 'has not answered lately'],
      ['messages', (record?.messages ?? 0).toLocaleString('en')],
      ['session', sessionText(explanations)],
      [
        'last sync',
        lastSync === undefined
          ? 'never'
          : `${localDateTime(new Date(lastSync).toISOString())} (${relativeTime(lastSync, now())})`,
      ],
      ['root', record?.root === undefined ? 'unknown' : shortHash(record.root)],
    ]),
  ];
}

/** A session for each direction: we ask over the outgoing one, they ask over the incoming one. */
function sessionText(explanations: readonly Explanation[]): string {
  const state = (kind: string) => explanations.findLast(({ actor }) => actor.startsWith(`peer/${kind}.`))?.state;
  const ours = state('outgoing-session');
  const theirs = state('incoming-session');
  const parts = [
    ...(ours === undefined ? [] : [ours.startsWith('established') ? 'you can ask' : `outgoing: ${ours}`]),
    ...(theirs === undefined ? [] : [theirs === 'live.proven' ? 'they can ask' : `incoming: ${theirs}`]),
  ];
  return parts.join(', ') || 'none';
}

function table(paint: Sources['paint'], rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([label, value]) => `${paint('dim', label.padEnd(13))}${safeLine(value)}`);
}
