/** Where our session towards a peer is, for whoever waits for it. */
import type { SnapshotFrom } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import type { outgoingSessionMachine } from '../../machines/outgoing-session.machine.ts';
import type { peerMachine } from '../../machines/peer.machine.ts';
import type { Contact } from './peer.ts';

export function contactIn({ children }: SnapshotFrom<typeof peerMachine>, name: string): Contact {
  const session = children[actorId.outgoingSession(name)]?.getSnapshot() as
    | SnapshotFrom<typeof outgoingSessionMachine>
    | undefined;
  const { hellos = [], path } = session?.context ?? {};
  const addresses = hellos.map(({ to }) => to);
  if (session?.matches('locating')) return { status: 'locating', addresses };
  if (session?.matches('greeting')) return { status: 'greeting', addresses };
  // It has fallen silent, and is looked for.
  if (session?.matches({ established: 'searching' })) {
    return { status: addresses.length === 0 ? 'locating' : 'greeting', addresses };
  }
  if (path !== undefined) return { status: 'established', addresses: [path.address] };
  return { status: 'none', addresses };
}
