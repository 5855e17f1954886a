/** Whose messages are on the timeline. */
import { isMuted } from './muting.ts';
import type { Store } from './store.ts';

/** Oneself, and everybody who is followed and neither blocked nor muted. */
export function timelineAuthors(store: Pick<Store, 'peers'>, ownName: string, nowMs: number): string[] {
  const followed = store.peers().filter((peer) => peer.following && !peer.blocked && !isMuted(peer, nowMs));
  return [ownName, ...followed.map(({ name }) => name)];
}
