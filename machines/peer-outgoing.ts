/** The sessions that the peer has with others: when one is opened, what the peer learns about them, and how they end. */

import { assertEvent } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { entryOf } from '../src/merkle/hash-table.ts';
import { encodeDatagram } from '../src/wire/datagram.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import {
  incomingAt,
  isReached,
  namelessAt,
  outgoingOf,
  withIncoming,
  withOutgoing,
  withoutOutgoing,
} from './contacts.ts';
import { socketFor } from './events.ts';
import { failedWalk } from './merkle-walk-context.ts';
import type { RefFor } from './messages.ts';
import { isDirectoryAt } from './peer-context.ts';
import { proveIncoming } from './peer-incoming.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { endWalk } from './peer-walks.ts';
import { limits } from './timing.ts';

export function ensureOutgoing(
  { context, enqueue, self }: Enqueueing,
  id: string,
  peer: {
    name: string;
    nameKnown: boolean;
    located?: { addresses: readonly SocketAddress[]; key: PublicKey | undefined };
  },
): void {
  if (outgoingOf(context.contacts, id) !== undefined) return;
  const { name: ownName, random, flags, sockets } = context;
  const { name, nameKnown, located } = peer;
  const input = { id, name, ownName, owner: self, random, flags, sockets, located, nameKnown };
  enqueue.spawnChild('outgoingSession', { id, input });
  const entry = { name, address: undefined, key: undefined, openedAtMs: undefined, provenBy: [] };
  enqueue.assign(({ context: now }) => ({ contacts: withOutgoing(now.contacts, id, entry) }));
}

export const outgoingActions = {
  openSession: base.enqueueActions((args) => {
    const { event, enqueue } = args;
    assertEvent(event, 'session.wanted');
    const id = actorId.outgoingSession(event.name);
    ensureOutgoing(args, id, { name: event.name, nameKnown: true });
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, {
      type: 'session.open',
      waiter: event.requester,
      atMs: event.atMs,
    });
  }),

  helloAddress: base.enqueueActions((args) => {
    const { event, enqueue } = args;
    assertEvent(event, 'hello.wanted');
    const id = actorId.outgoingSessionTo(event.address);
    ensureOutgoing(args, id, { name: '', nameKnown: false, located: { addresses: [event.address], key: undefined } });
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, {
      type: 'session.open',
      waiter: undefined,
      atMs: event.atMs,
    });
  }),

  noteEstablished: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'session.established');
    const former = outgoingOf(context.contacts, event.session);
    if (former === undefined) return;
    const { session, name, address, key, provenBy, atMs: openedAtMs } = event;
    const entry = { name, address, key, openedAtMs, provenBy };
    const contacts = withOutgoing(context.contacts, session, entry);
    enqueue.assign({ contacts: proveIncoming(args, contacts, event, former.key) });
    enqueue.emit({ type: 'session.opened', direction: 'outgoing', name, address, authenticated: key !== undefined });
    if (name !== '' && key !== undefined) enqueue({ type: 'rememberAddress', params: { name, address } });
    if (isDirectoryAt(context, address)) {
      enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'greeting.answered' });
    }
    const socket = socketFor(context.sockets, address);
    if (isDirectoryAt(context, address) && socket !== undefined && context.traversalTargets.length > 0) {
      const datagrams = context.traversalTargets.map((target) =>
        encodeDatagram({ type: 'NatTraversalClient', id: 0, address: target }),
      );
      enqueue.sendTo(socket, { type: 'datagrams.send', datagrams, to: address });
      enqueue.assign({ traversalTargets: [] });
    }
    const incoming = incomingAt(contacts, address);
    if (incoming?.name !== name || incoming.said === undefined) return;
    const said = { type: 'flags.learned', address, key: incoming.key ?? key, ...incoming.said } as const;
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(session, said);
  }),

  /** From now on, GetNodes may also carry the id of this Hello. The peer's key may have become known since the session was opened. */
  noteRenewed: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'session.renewed');
    const { session, name, address, key, provenBy } = event;
    const entry = outgoingOf(context.contacts, session);
    if (entry === undefined) return;
    const contacts = withOutgoing(context.contacts, session, { ...entry, key, provenBy });
    enqueue.assign({ contacts: proveIncoming(args, contacts, event, entry.key) });
    if (entry.key === key) return;
    enqueue.emit({ type: 'session.opened', direction: 'outgoing', name, address, authenticated: true });
    // What was downloaded without a key counts as authenticated once the peer confirms that root under its key. A download under way may
    // have asked before.
    const { following, toWalk } = context;
    if (following.includes(name)) enqueue.assign({ toWalk: [...new Set([name, ...toWalk])] });
  }),

  /** A Hello of ours that was answered also opens our session with that peer (protocol §5). */
  noteProven: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'address.proven');
    const { name, address, key, atMs, roundTripMs, isBare = false } = event;
    const entry = incomingAt(context.contacts, address);
    if (entry !== undefined) enqueue.assign({ contacts: withIncoming(context.contacts, { ...entry, proven: true }) });
    // A peer whose key was not known has to say Hello again, to prove its name.
    for (const session of namelessAt(context.contacts, address, name)) {
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(session, { type: 'session.renew', atMs });
    }
    const id = actorId.outgoingSession(name);
    const { contacts } = context;
    const hasRoom = outgoingOf(contacts, id) !== undefined || contacts.outgoing.size < limits.outgoingSessions;
    if (name === '' || !hasRoom) return;
    ensureOutgoing(args, id, { name, nameKnown: true });
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, {
      type: 'session.adopt',
      address,
      key,
      atMs,
      roundTripMs,
      isBare,
    });
  }),

  noteLost: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.lost');
    if (outgoingOf(context.contacts, event.session) === undefined) return;
    const { session, name, address, failure } = event;
    const lost = { name, address: undefined, key: undefined, openedAtMs: undefined, provenBy: [] };
    const contacts = withOutgoing(context.contacts, session, lost);
    const greetedDirectory = context.greetedDirectory.filter((other) => other !== session);
    enqueue.assign({ contacts, greetedDirectory });
    if (failure === undefined) return;
    enqueue.emit({ type: 'session.failed', name, ...(address && { address }), failure });
    const { directoryAddresses } = context;
    const isDirectory = directoryAddresses.map(actorId.outgoingSessionTo).includes(session);
    if (isDirectory && greetedDirectory.length === 0 && !directoryAddresses.some((at) => isReached(contacts, at))) {
      enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'greeting.failed', failure });
    }
  }),

  endOutgoing: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.ended');
    enqueue.stopChild(event.session);
    enqueue.assign({ contacts: withoutOutgoing(context.contacts, event.session) });
  }),

  /** Otherwise those that wait for a session that has failed would wait for ever. */
  endBrokenOutgoing: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'xstate.error.actor.outgoing-session.*');
    const entry = outgoingOf(context.contacts, event.actorId);
    if (entry === undefined) return;
    enqueue.assign({ contacts: withoutOutgoing(context.contacts, event.actorId) });
    if (entryOf(context.walks, entry.name) === undefined) return;
    enqueue.stopChild(actorId.merkleWalk(entry.name));
    endWalk(args, failedWalk(entry.name, event.error, context.followedAtMs));
  }),
};
