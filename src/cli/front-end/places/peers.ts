/** Screens about peers: all that are known, and one of them. */
import type { Place } from '../../../../machines/front-end-context.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { fingerprint } from '../../../identity/fingerprint.ts';
import type { PublicKey } from '../../../identity/public-key.ts';
import type { Explanation } from '../../../journal/explain.ts';
import { formatAddress } from '../../../wire/socket-address.ts';
import { relativeTime } from '../../render/relative-time.ts';
import { columns, counted, localDateTime, shortHash } from '../../render/text.ts';
import { truncate, wrapText } from '../../render/wrap.ts';
import type { Item } from '../screen.ts';
import type { Sources } from '../sources.ts';
import { everywhere, helpKey, type PlaceScreen, textItems, wayBack } from './place.ts';

/** The page of the peer shows longer ones in full. */
const LONGEST_NAME = 30;

/** Everybody who is known to the directory or to the store; first those who are followed. `online`: has answered lately. */
export function peersPlace(_place: Place, sources: Sources): PlaceScreen {
  // The list is shown when it comes. If it does not, the status line says so.
  void sources.live.list().catch(() => {});
  return {
    title: () => 'peers',
    empty: 'No peers are known yet. The directory is being asked …',
    from: 'top',
    isText: false,
    keys: [
      { key: 'enter', label: 'open', action: 'peer' },
      helpKey,
      ...wayBack,
      { key: 'f', label: 'follow', action: 'follow' },
      { key: 'u', label: 'unfollow', action: 'unfollow' },
      { key: 'm', label: 'mute', action: 'mute' },
      { key: 'b', label: 'block', action: 'block' },
      { key: 's', label: 'sync', action: 'sync' },
      { key: 't', label: 'tree', action: 'tree' },
      { key: 'a', label: sources.live.changedKeys.size === 0 ? '' : 'new key', action: 'trust' },
      ...everywhere.filter(({ action }) => action !== 'peers'),
    ],
    items: () => peerItems(sources),
    subject: (_action, item) => item,
  };
}

interface Keys {
  readonly pinned: PublicKey | undefined;
  readonly listed: PublicKey | undefined;
}

/** Noticed while somebody looked on, or known by what the directory has listed since. */
function hasNewKey(live: Sources['live'], name: string, { pinned, listed }: Keys): boolean {
  return live.changedKeys.has(name) || (pinned !== undefined && listed !== undefined && listed !== pinned);
}

function keysOf(name: string, { store, live }: Pick<Sources, 'store' | 'live'>): Keys {
  return { pinned: store.peer(name)?.key, listed: live.listed?.find((entry) => entry.name === name)?.key };
}

function peerItems({ peer, store, live, paint, now }: Sources): Item[] {
  const listed = new Map(live.listed?.map(({ name, key }) => [name, key]));
  const known = new Map(store.peers().map((record) => [record.name, record]));
  const names = [...new Set([...known.keys(), ...listed.keys()])].filter((name) => name !== peer.name);
  const rank = (name: string) => (known.get(name)?.following ? 0 : 1);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const nowMs = now();
  const rows = names.map((name) => {
    const record = known.get(name);
    const warnings = [
      ...(record?.muted ? ['muted'] : []),
      ...(record?.blocked ? ['blocked'] : []),
      ...(hasNewKey(live, name, { pinned: record?.key, listed: listed.get(name) }) ? ['key changed'] : []),
    ];
    return [
      safeLine(name, LONGEST_NAME),
      record?.following ? 'following' : '',
      live.isOnline(name, record?.lastSyncMs)
        ? 'online'
        : listed.has(name)
          ? 'listed'
          : live.listed === undefined
            ? ''
            : 'offline',
      warnings.join(', '),
      record === undefined || record.messages === 0 ? '' : counted(record.messages, 'message'),
      record?.lastSyncMs === undefined ? '' : `synced ${relativeTime(record.lastSyncMs, nowMs)}`,
    ];
  });
  const styles = ['bold', 'green', undefined, 'yellow', undefined, 'dim'] as const;
  const used = styles
    .keys()
    .toArray()
    .filter((column) => rows.some((row) => row[column] !== ''));
  const cells = rows.map((row) => used.map((column) => row[column] ?? ''));
  const lines = columns(cells, (cell, index) => {
    const style = styles[used[index] ?? 0];
    return style === undefined || cell.trim() === '' ? cell : paint(style, cell);
  }).split('\n');
  return names.map((name, index) => ({ id: name, lines: (width) => [truncate(lines[index] ?? '', width)] }));
}

export function peerPlace({ subject: name }: Place, sources: Sources): PlaceScreen {
  const record = sources.store.peer(name);
  const isOwn = name === sources.peer.name;
  const relation = [
    record?.following
      ? { key: 'f', label: 'unfollow', action: 'unfollow' as const }
      : { key: 'f', label: 'follow', action: 'follow' as const },
    record?.muted
      ? { key: 'm', label: 'unmute', action: 'unmute' as const }
      : { key: 'm', label: 'mute', action: 'mute' as const },
    record?.blocked
      ? { key: 'b', label: 'unblock', action: 'unblock' as const }
      : { key: 'b', label: 'block', action: 'block' as const },
    { key: 's', label: 'sync', action: 'sync' as const },
    // It works as soon as the page says so.
    {
      key: 'a',
      label: hasNewKey(sources.live, name, keysOf(name, sources)) ? 'new key' : '',
      action: 'trust' as const,
    },
  ];
  return {
    title: () => safeLine(name),
    empty: '',
    from: 'top',
    isText: true,
    keys: [
      { key: 'enter', label: 'messages', action: 'messages' },
      helpKey,
      ...wayBack,
      ...(isOwn ? [] : relation),
      { key: 't', label: 'tree', action: 'tree' },
      ...everywhere,
    ],
    items: () =>
      textItems(isOwn ? describeSelf(sources) : describePeer(name, sources), (line, width) => wrapText(line, width, 2)),
    subject: () => name,
  };
}

function describeSelf({ peer, store, paint }: Sources): string[] {
  const { root, messages } = store.ownFeed();
  return table(paint, [
    ['this is', 'you'],
    ['fingerprint', fingerprint(peer.publicKey)],
    ['listens at', peer.addresses.map(formatAddress).join(', ')],
    ['messages', counted(messages, 'message')],
    ['root', shortHash(root)],
  ]);
}

function describePeer(name: string, { store, live, paint, now }: Sources): string[] {
  const record = store.peer(name);
  const listed = live.listed?.find((entry) => entry.name === name);
  const key = record?.key ?? listed?.key;
  const lastSync = record?.lastSyncMs;
  const relations = [
    ...(record?.following ? ['followed'] : []),
    ...(record?.muted ? ['muted'] : []),
    ...(record?.blocked ? ['blocked'] : []),
  ];
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
    ...table(paint, [
      [
        'fingerprint',
        key === undefined ? 'none: without a key nothing this peer sends can be verified' : fingerprint(key),
      ],
      ['addresses', addresses ?? (live.listed === undefined ? 'not looked up yet' : 'not listed at the directory now')],
      ['relation', relations.join(', ') || 'not followed'],
      ['online', live.isOnline(name, lastSync) ? 'yes' : 'has not answered lately'],
      ['messages', counted(record?.messages ?? 0, 'message')],
      ['session', sessionText(explanations)],
      [
        'last sync',
        lastSync === undefined
          ? 'never'
          : `${localDateTime(new Date(lastSync).toISOString())} (${relativeTime(lastSync, now())})`,
      ],
      ['root', record?.root === undefined ? 'unknown' : shortHash(record.root)],
    ]),
    ...(explanations.length === 0 ? [] : ['', paint('bold', 'Sessions and downloads')]),
    ...explanations.flatMap(({ sentences }) => sentences.map((sentence) => safeLine(sentence))),
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
