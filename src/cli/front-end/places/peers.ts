/** Screens about peers: all that are known, and one of them. */
import type { Place } from '../../../../machines/front-end-context.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { fingerprint } from '../../../identity/fingerprint.ts';
import type { Explanation } from '../../../journal/explain.ts';
import { formatAddress } from '../../../wire/socket-address.ts';
import { relativeTime } from '../../render/relative-time.ts';
import { columns, counted, localDateTime, shortHash } from '../../render/text.ts';
import { truncate, wrapText } from '../../render/wrap.ts';
import type { Item } from '../screen.ts';
import { type Desk, everywhere, helpKey, type PlaceView, textItems, wayBack } from './place.ts';

/** The rest of it is on the screen of the peer. */
const LONGEST_NAME = 30;

/** Who is known: to the directory, and to the store. Those who are followed come first. */
export function peersPlace(_place: Place, desk: Desk): PlaceView {
  // What comes of it is seen when it comes; that it failed is in the status line already.
  void desk.live.list().catch(() => {});
  return {
    title: 'peers',
    empty: 'Nobody is known yet; the directory is being asked.',
    from: 'top',
    isText: false,
    keys: [
      { key: 'enter', label: 'look', action: 'peer' },
      helpKey,
      ...wayBack,
      { key: 'f', label: 'follow', action: 'follow' },
      { key: 'u', label: 'unfollow', action: 'unfollow' },
      { key: 'm', label: 'mute', action: 'mute' },
      { key: 's', label: 'sync', action: 'sync' },
      { key: 't', label: 'tree', action: 'tree' },
      ...everywhere.filter(({ action }) => action !== 'peers'),
    ],
    items: () => peerItems(desk),
    subject: (_action, item) => item,
  };
}

function peerItems({ peer, store, live, paint, now }: Desk): Item[] {
  const online = new Set(live.listed?.map(({ name }) => name));
  const known = new Map(store.peers().map((record) => [record.name, record]));
  const names = [...new Set([...known.keys(), ...online])].filter((name) => name !== peer.name);
  const rank = (name: string) => (known.get(name)?.following ? 0 : 1);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const nowMs = now();
  const rows = names.map((name) => {
    const record = known.get(name);
    const warnings = [...(record?.muted ? ['muted'] : []), ...(live.changedKeys.has(name) ? ['key changed'] : [])];
    return [
      safeLine(name, LONGEST_NAME),
      record?.following ? 'following' : '',
      live.listed === undefined ? '' : online.has(name) ? 'online' : 'offline',
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

export function peerPlace({ subject: name }: Place, desk: Desk): PlaceView {
  const record = desk.store.peer(name);
  const isOwn = name === desk.peer.name;
  const relation = [
    record?.following
      ? { key: 'f', label: 'unfollow', action: 'unfollow' as const }
      : { key: 'f', label: 'follow', action: 'follow' as const },
    record?.muted
      ? { key: 'm', label: 'unmute', action: 'unmute' as const }
      : { key: 'm', label: 'mute', action: 'mute' as const },
    { key: 's', label: 'sync', action: 'sync' as const },
  ];
  return {
    title: safeLine(name),
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
      textItems(isOwn ? describeSelf(desk) : describePeer(name, desk), (line, width) => wrapText(line, width, 2)),
    subject: () => name,
  };
}

function describeSelf({ peer, store, paint }: Desk): string[] {
  const { root, messages } = store.ownFeed();
  return table(paint, [
    ['this is', 'you'],
    ['fingerprint', fingerprint(peer.publicKey)],
    ['listens at', peer.addresses.map(formatAddress).join(', ')],
    ['messages', counted(messages, 'message')],
    ['root', shortHash(root)],
  ]);
}

function describePeer(name: string, { peer, store, live, paint, now }: Desk): string[] {
  const record = store.peer(name);
  const listed = live.listed?.find((entry) => entry.name === name);
  const key = record?.key ?? listed?.key;
  const lastSync = record?.lastSyncMs;
  const relations = [...(record?.following ? ['followed'] : []), ...(record?.muted ? ['muted'] : [])];
  const addresses = listed?.addresses.map(formatAddress).join(', ');
  const explanations = peer.explain(name);
  return [
    ...(live.changedKeys.has(name)
      ? [paint('red', 'It turned up with another key: nothing is taken from it until you know which one is right.'), '']
      : []),
    ...table(paint, [
      ['fingerprint', key === undefined ? 'no key: nothing it sends can be verified' : fingerprint(key)],
      ['addresses', addresses ?? (live.listed === undefined ? 'not asked for yet' : 'not at the directory now')],
      ['relation', relations.join(', ') || 'not followed'],
      ['messages', counted(record?.messages ?? 0, 'message')],
      ['session', sessionText(explanations)],
      [
        'last sync',
        lastSync === undefined
          ? 'never'
          : `${localDateTime(new Date(lastSync).toISOString())} (${relativeTime(lastSync, now())})`,
      ],
      ['root', record?.root === undefined ? 'none known' : shortHash(record.root)],
    ]),
    ...(explanations.length === 0 ? [] : ['', paint('bold', 'Sessions and downloads')]),
    ...explanations.flatMap(({ sentences }) => sentences.map((sentence) => safeLine(sentence))),
  ];
}

/** Ours is the one by which we ask, theirs that by which they do. */
function sessionText(explanations: readonly Explanation[]): string {
  const state = (kind: string) => explanations.findLast(({ actor }) => actor.startsWith(`peer/${kind}.`))?.state;
  const ours = state('outgoing-session');
  const theirs = state('incoming-session');
  const parts = [
    ...(ours === undefined ? [] : [ours === 'established' ? 'we may ask' : `ours is ${ours}`]),
    ...(theirs === undefined ? [] : [theirs === 'live.proven' ? 'they may ask' : `theirs is ${theirs}`]),
  ];
  return parts.join(', ') || 'none';
}

function table(paint: Desk['paint'], rows: readonly (readonly [string, string])[]): string[] {
  return rows.map(([label, value]) => `${paint('dim', label.padEnd(13))}${safeLine(value)}`);
}
