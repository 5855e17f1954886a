/** The screen of all peers that are known. */
import type { Place } from '../../../../machines/front-end-context.ts';
import { safeLine } from '../../../feed/safe-text.ts';
import { isMuted } from '../../../store/muting.ts';
import { doubtMarks } from '../../render/message-marks.ts';
import { doubtsAmong } from '../../render/name-doubts.ts';
import { relativeTime } from '../../render/relative-time.ts';
import { columns, counted } from '../../render/text.ts';
import { truncate } from '../../render/wrap.ts';
import type { Item } from '../screen.ts';
import type { Sources } from '../sources.ts';
import { aboutBeside, hasNewKey } from './author.ts';
import { everywhere, helpKey, type PlaceScreen, wayBack } from './place.ts';

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
      { key: 'X', label: 'block', action: 'block' },
      { key: 's', label: 'sync', action: 'sync' },
      { key: 't', label: 'tree', action: 'tree' },
      { key: 'a', label: sources.live.changedKeys.size === 0 ? '' : 'new key', action: 'trust' },
      ...everywhere.filter(({ action }) => action !== 'peers'),
    ],
    items: () => peerItems(sources),
    subject: (_action, item) => item,
    beside: (item, size) => aboutBeside(item, size, sources),
  };
}

function peerItems({ peer, store, live, paint, now }: Sources): Item[] {
  const listed = new Map(live.listed?.map(({ name, key }) => [name, key]));
  const known = new Map(store.peers().map((record) => [record.name, record]));
  const names = [...new Set([...known.keys(), ...listed.keys()])].filter((name) => name !== peer.name);
  const rank = (name: string) => (known.get(name)?.following ? 0 : 1);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const nowMs = now();
  const doubtsOf = doubtsAmong(peer.name, store);
  const rows = names.map((name) => {
    const record = known.get(name);
    const lastSyncMs = live.lastSyncMs(name, record?.lastSyncMs);
    const warnings = [
      ...doubtMarks(doubtsOf(name)),
      ...(record !== undefined && isMuted(record, nowMs) ? ['muted'] : []),
      ...(record?.blocked ? ['blocked'] : []),
      ...(hasNewKey(live, name, { pinned: record?.key, listed: listed.get(name) }) ? ['key changed'] : []),
    ];
    return [
      safeLine(name, LONGEST_NAME),
      record?.following ? 'following' : '',
      live.isOnline(name, lastSyncMs)
        ? 'online'
        : live.silent.includes(name) || live.unreachedReaders.includes(name)
          ? 'no answer'
          : listed.has(name)
            ? 'listed'
            : live.listed === undefined
              ? ''
              : 'offline',
      warnings.join(', '),
      record === undefined || record.messages === 0 ? '' : counted(record.messages, 'message'),
      lastSyncMs === undefined ? '' : `synced ${relativeTime(lastSyncMs, nowMs)}`,
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
