/** Whose messages are wanted: those who are named, else everyone but those who are muted. */
import { requireUnblocked } from '../../store/blocked.ts';
import { isMuted } from '../../store/muting.ts';
import type { Store } from '../../store/store.ts';
import { requireStoredPeers } from '../input/peer-names.ts';

/** Undefined means everyone. @throws UnknownPeerError for a name that nothing is known of, UsageError for one that is blocked */
export function wantedAuthors(
  store: Store,
  { ownName, named, nowMs }: { readonly ownName: string; readonly named: readonly string[]; readonly nowMs: number },
): readonly string[] | undefined {
  if (named.length === 0) return audibleAuthors(store, ownName, nowMs);
  for (const peer of named) {
    if (peer !== ownName) requireStoredPeers(store, [peer]);
    requireUnblocked(store, peer);
  }
  return named;
}

function audibleAuthors(store: Store, ownName: string, nowMs: number): readonly string[] | undefined {
  const peers = store.peers();
  if (!peers.some((peer) => isMuted(peer, nowMs))) return undefined;
  return [ownName, ...peers.filter((peer) => !isMuted(peer, nowMs)).map(({ name }) => name)];
}
