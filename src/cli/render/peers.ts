/** Peers for a person. */
import { safeLine } from '../../feed/safe-text.ts';
import { fingerprint } from '../../identity/fingerprint.ts';
import type { PublicKey } from '../../identity/public-key.ts';
import { formatAddress, type SocketAddress } from '../../wire/socket-address.ts';
import type { Paint } from '../output/output.ts';
import { columns, counted, localDateTime } from './text.ts';

export interface ListedPeer {
  readonly name: string;
  readonly addresses: readonly SocketAddress[];
  readonly key: PublicKey | null;
  readonly following: boolean;
}

/** A table: name, whether it is followed, the key's fingerprint, addresses. `''` without peers. */
export function renderPeers(peers: readonly ListedPeer[], paint: Paint): string {
  const rows = peers.map(({ name, addresses, key, following }) => [
    safeLine(name),
    following ? 'following' : '',
    key === null ? 'no key' : fingerprint(key),
    addresses.map(formatAddress).join(' '),
  ]);
  const styles = ['bold', 'green', 'dim'] as const;
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
}

export function renderFollowed({ peer, messages, muted, lastSync }: FollowedPeer, paint: Paint): string {
  const when = lastSync === null ? 'never synced' : `synced ${localDateTime(lastSync)}`;
  return `${paint('bold', safeLine(peer))}  ${counted(messages, 'message')}, ${when}${muted ? ', muted' : ''}`;
}
