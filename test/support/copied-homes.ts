/** Peers that guard their history, and copies of their homes. */
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { PeerSetup, VirtualPeer, World } from './world.ts';

/** The own messages of zoe's home, in one of its own: a copy as it is now. */
export function copyOf({ store }: VirtualPeer): Store {
  const copy = openSqliteStore(':memory:');
  copy.restore('zoe', store.ownLeaves(), 0);
  return copy;
}

export const addGuarded = (world: World, name: string, setup: PeerSetup) =>
  world.settle(world.addPeer(name, { guarded: true, ...setup }));

export const stoppedIn = ({ facts }: VirtualPeer) =>
  facts.flatMap((fact) => (fact.type === 'publishing.stopped' ? fact.failure : []));
