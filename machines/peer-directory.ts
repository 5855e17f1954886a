/** How the peer uses the directory: it says Hello to it, learns how it is listed, and asks it to have NATs opened (protocol §3, §8). */

import { assertEvent } from 'xstate';
import { type Datagram, encodeDatagram } from '../src/wire/datagram.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { isEstablished, isReached } from './contacts.ts';
import { socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import { ensureOutgoing } from './peer-outgoing.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { limits } from './timing.ts';

/** The id of our session with the directory at this address. It is begun if there is none. */
function ensureDirectory(args: Enqueueing, address: SocketAddress): string {
  const id = actorId.outgoingSessionTo(address);
  const located = { addresses: [address], key: args.context.directoryKey };
  ensureOutgoing(args, id, { name: '', nameKnown: true, located });
  return id;
}

/** NatTraversalClient to each directory address we hold a session with (protocol §8). */
export function askForTraversal(args: Enqueueing, target: SocketAddress): void {
  const { context, enqueue } = args;
  const bytes = encodeDatagram({ type: 'NatTraversalClient', id: 0, address: target });
  for (const address of context.directoryAddresses) {
    const socket = socketFor(context.sockets, address);
    if (socket === undefined) continue;
    if (isReached(context.contacts, address)) {
      enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to: address });
      continue;
    }
    // The directory helps only within a session, and a peer that does not register has not said Hello to it yet.
    const id = ensureDirectory(args, address);
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, {
      type: 'session.open',
      waiter: undefined,
      atMs: undefined,
    });
    enqueue.assign({
      traversalTargets: [...context.traversalTargets, target].slice(-limits.traversalsPerSweep),
    });
  }
}

/** Somebody does not answer. It may be that we are elsewhere, as seen from outside: a NAT does not tell when it has a new address. */
export function doubtPosition({ context, enqueue }: Enqueueing): void {
  if (context.hasDoubtedPosition) return;
  enqueue.assign({ hasDoubtedPosition: true });
  enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'directory.doubted' });
}

export const directoryActions = {
  noteDirectory: base.assign(({ event }) => {
    assertEvent(event, 'directory.known');
    return { directoryAddresses: event.addresses, directoryKey: event.key };
  }),

  greetDirectory: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, ['directory.greetingWanted', 'network.changed']);
    const greetedDirectory: string[] = [];
    for (const address of context.directoryAddresses) {
      if (socketFor(context.sockets, address) === undefined) continue;
      const id = ensureDirectory(args, address);
      greetedDirectory.push(id);
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'session.greet', atMs: event.atMs });
    }
    enqueue.assign({ greetedDirectory });
  }),

  /** One answer is enough, from any of its addresses. */
  checkDirectory: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'directory.checkWanted');
    const { requester } = event;
    for (const address of context.directoryAddresses) {
      const id = actorId.outgoingSessionTo(address);
      if (!isEstablished(context.contacts, id)) continue;
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, {
        type: 'root.wanted',
        requester,
        atMs: undefined,
      });
    }
  }),

  noteListed: base.assign(({ event }) => {
    assertEvent(event, ['registration.listed', 'listing.read']);
    return { listed: event.addresses };
  }),

  tellListed: base.enqueueActions(({ event, enqueue }) => {
    assertEvent(event, 'registration.listed');
    enqueue.assign({ toldOfDirectory: undefined });
    enqueue.emit({ type: 'peer.listed', addresses: event.addresses });
  }),

  tellDirectoryFailed: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'registration.failed');
    const { failure, retryInMs } = event;
    // A directory that tells what has changed in its list is asked for that more often than this.
    if (context.cursor === undefined) enqueue.assign({ isCutOff: true });
    // It fails in the same way every few seconds for as long as that takes.
    if (failure.message === context.toldOfDirectory) return;
    enqueue.assign({ toldOfDirectory: failure.message });
    enqueue.emit({ type: 'directory.unreachable', failure, retryInMs });
  }),

  askForTraversal: base.enqueueActions((args) => {
    assertEvent(args.event, 'traversal.wanted');
    askForTraversal(args, args.event.address);
  }),

  doubtPosition: base.enqueueActions(doubtPosition),

  /** Our NAT lets the other side in once we have sent something to it (protocol §8). */
  openOwnNat: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'datagram.unsolicited');
    const { datagram } = event.received;
    if (datagram.type !== 'NatTraversalServer') return;
    const to = datagram.address;
    const socket = socketFor(context.sockets, to);
    enqueue.assign({ traversals: context.traversals + 1 });
    if (socket === undefined) return;
    const reply: Datagram = { type: 'HelloReply', id: 0, flags: 0, name: context.name };
    enqueue({ type: 'sendSigned', params: { datagram: reply, to, socket } });
  }),
};
