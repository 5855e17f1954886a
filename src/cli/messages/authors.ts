/** Whose messages are wanted: those who are named, else everyone but those who are muted. */
import type { Store } from '../../store/store.ts';
import { UnknownPeerError } from '../errors.ts';

/** Undefined means everyone. @throws UnknownPeerError for a name that nothing is known of */
export function wantedAuthors(store: Store, ownName: string, named: readonly string[]): readonly string[] | undefined {
  if (named.length === 0) return audibleAuthors(store, ownName);
  for (const peer of named) {
    if (peer !== ownName && store.peer(peer) === undefined) throw new UnknownPeerError(peer);
  }
  return named;
}

function audibleAuthors(store: Store, ownName: string): readonly string[] | undefined {
  const peers = store.peers();
  if (!peers.some(({ muted }) => muted)) return undefined;
  return [ownName, ...peers.filter(({ muted }) => !muted).map(({ name }) => name)];
}
