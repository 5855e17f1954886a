/** Peers for a person. */

import { safeLine } from '../../feed/safe-text.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import type { FollowedStanding } from '../../peer/status.ts';
import { formatAddress, type SocketAddress } from '../../wire/socket-address.ts';
import type { Paint } from '../output/output.ts';
import { doubtMarks } from './message-marks.ts';
import type { NameDoubts } from './name-doubts.ts';
import { columns, counted, localDateTime } from './text.ts';

export interface ListedPeer extends NameDoubts {
  readonly name: string;
  readonly addresses: readonly SocketAddress[];
  readonly key: PublicKey | null;
  readonly following: boolean;
}

/** A table: name, whether it is followed, the key's fingerprint, addresses, doubts about the name. `''` without peers. */
export function renderPeers(peers: readonly ListedPeer[], paint: Paint): string {
  const rows = peers.map(({ name, addresses, key, following, ...doubts }) => [
    safeLine(name),
    following ? 'following' : '',
    key === null ? 'no key' : fingerprint(key),
    addresses.map(formatAddress).join(' '),
    doubtMarks(doubts).join(', '),
  ]);
  const styles = ['bold', 'green', 'dim', undefined, 'yellow'] as const;
  return columns(rows, (cell, column) => {
    const style = styles[column];
    return style === undefined ? cell : paint(style, cell);
  });
}

export interface FollowedPeer {
  readonly peer: string;
  readonly messages: number;
  readonly muted: boolean;
  /** ISO 8601 */
  readonly lastSync: string | null;
  /** Null: no peer runs that would know. */
  readonly state: FollowedStanding['state'] | null;
  /** Why the last download failed; null: it did not, or nobody knows. */
  readonly error: FollowedStanding['failure'];
}

const STATES: Partial<Record<FollowedStanding['state'], string>> = {
  silent: ', does not answer',
  absent: ', not listed now',
};

export function renderFollowed({ peer, messages, muted, lastSync, state, error }: FollowedPeer, paint: Paint): string {
  // Whoever is offline does not answer, and that is all; any other reason is worth knowing.
  const isReason = error !== null && error.code !== 'peer-unreachable' && error.code !== 'peer-unknown';
  const presence = paint('yellow', isReason ? `: ${safeLine(error.message)}` : (STATES[state ?? 'idle'] ?? ''));
  const when = lastSync === null ? 'never synced' : `synced ${localDateTime(lastSync)}`;
  return `${paint('bold', safeLine(peer))}  ${counted(messages, 'message')}, ${when}${muted ? ', muted' : ''}${presence}`;
}
