/** Whose messages are on the timeline. */
import type { Store } from './store.ts';

/** Oneself, and everybody who is followed and not muted. */
export function timelineAuthors(store: Pick<Store, 'peers'>, ownName: string): string[] {
  const followed = store.peers().filter(({ following, muted }) => following && !muted);
  return [ownName, ...followed.map(({ name }) => name)];
}
