/** Whom this home follows. */
import type { PeerRecord, Store } from './store.ts';

/** In the order of `peers`. Without oneself: nobody downloads from themselves. */
export function followedPeers(store: Pick<Store, 'peers'>, ownName: string): PeerRecord[] {
  return store.peers().filter(({ following, name }) => following && name !== ownName);
}

/** Their names alone. */
export function followedNames(store: Pick<Store, 'peers'>, ownName: string): string[] {
  return followedPeers(store, ownName).map(({ name }) => name);
}
