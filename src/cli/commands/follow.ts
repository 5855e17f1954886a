/** `murmure follow`, `unfollow` and `following`: whom `sync` and `serve` keep up with. A running `serve` notices. */
import { safeLine } from '../../feed/safe-text.ts';
import { followedPeers } from '../../store/followed.ts';
import type { CommandContext } from '../context.ts';
import { UnknownPeerError, UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { requireAskableName, requireValidName } from '../input/validate.ts';
import { renderFollowed } from '../render/peers.ts';

export async function follow({ settings, output, nowMs }: CommandContext, peer: string): Promise<void> {
  requireAskableName(peer);
  const { name, store: opened } = await openStore(settings.home);
  using store = opened;
  if (peer === name) throw new UsageError(`"${peer}" is yourself: your own messages are here already`);
  store.setFollowing(peer, true, nowMs());
  output.data({ peer, following: true }, () => `you follow ${safeLine(peer)}`);
}

export async function unfollow({ settings, output, nowMs }: CommandContext, peer: string): Promise<void> {
  requireValidName(peer);
  using store = (await openStore(settings.home)).store;
  if (store.peer(peer) === undefined) throw new UnknownPeerError(peer);
  store.setFollowing(peer, false, nowMs());
  output.data({ peer, following: false }, () => `you no longer follow ${safeLine(peer)}`);
}

export async function following({ settings, output }: CommandContext): Promise<void> {
  const { name: ownName, store: opened } = await openStore(settings.home);
  using store = opened;
  const followed = followedPeers(store, ownName);
  for (const { name, root, messages, lastSyncMs, muted } of followed) {
    const line = {
      peer: name,
      following: true,
      muted,
      root: root ?? null,
      messages,
      lastSync: lastSyncMs === undefined ? null : new Date(lastSyncMs).toISOString(),
    };
    output.data(line, (paint) => renderFollowed(line, paint));
  }
  if (followed.length === 0)
    output.note('You follow nobody yet: "murmure peers" lists names, "murmure follow PEER" follows one.');
}
