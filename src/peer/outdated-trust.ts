/** With whom a peer is in contact on the strength of what its home believes no longer. */

import type { SnapshotFrom } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import { establishedIn, incomingEntries } from '../../machines/contacts.ts';
import type { OutgoingSessionContext } from '../../machines/outgoing-session-context.ts';
import type { peerMachine } from '../../machines/peer.machine.ts';
import type { Store } from '../store/store.ts';

/** Names of peers whose key was accepted anew, or whose unsigned Roots are believed, since a session with them was opened. */
export function outdatedTrust({ context, children }: SnapshotFrom<typeof peerMachine>, store: Store): string[] {
  const outdated = new Set<string>();
  for (const { name, key } of incomingEntries(context.contacts)) {
    if (name && store.peer(name)?.key !== key) outdated.add(name);
  }
  for (const { id, entry } of establishedIn(context.contacts)) {
    // A directory, and whoever was greeted by address, have no name.
    if (entry.name === '' || id !== actorId.outgoingSession(entry.name)) continue;
    const session = children[id]?.getSnapshot().context as OutgoingSessionContext | undefined;
    const { key } = entry;
    const isOutdated =
      store.peer(entry.name)?.key !== key ||
      (key !== undefined && session !== undefined && store.trustsUnsigned(entry.name, key) !== session.trustsUnsigned);
    if (isOutdated) outdated.add(entry.name);
  }
  return [...outdated];
}
