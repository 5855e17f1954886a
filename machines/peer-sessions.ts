/** What the root peer actor does about the directory, sessions in both directions, and strangers. */

import { assertEvent } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { entryOf, withEntry } from '../src/merkle/hash-table.ts';
import { type Datagram, encodeDatagram } from '../src/wire/datagram.ts';
import { formatAddress, parseAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { actorId, keyIn } from './actor-ids.ts';
import {
  type Contacts,
  evictable,
  type IncomingEntry,
  incomingAt,
  incomingEntries,
  isCrowded,
  isReached,
  knownPeerAt,
  namelessAt,
  type OutgoingEntry,
  outgoingOf,
  sessionAt,
  withIncoming,
  withOutgoing,
  withoutIncoming,
  withoutOutgoing,
} from './contacts.ts';
import { type Delivery, socketFor } from './events.ts';
import { affordableText, nameIn, paysForGreeting } from './incoming-session-context.ts';
import { failedWalk } from './merkle-walk-context.ts';
import type { RefFor } from './messages.ts';
import { isDirectoryAt } from './peer-context.ts';
import { isOwnEcho } from './peer-publishing.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { endWalk } from './peer-walks.ts';
import { admitted } from './stranger-budget.ts';
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

/** A session of somebody else with us is over. */
function endIncoming({ context, enqueue }: Enqueueing, address: SocketAddress, isCutOff: boolean): void {
  const entry = incomingAt(context.contacts, address);
  enqueue.assign({ contacts: withoutIncoming(context.contacts, address) });
  if (entry !== undefined) enqueue.sendTo(entry.socket, { type: 'source.unrouted', source: address, isCutOff });
}

/**
 * The session of theirs with us that leads to the same address is theirs as well, and has their key. Has that just become known, whoever
 * has a session under their name elsewhere without it has to say Hello anew.
 */
function proveIncoming(
  { enqueue }: Enqueueing,
  contacts: Contacts,
  { name, address, key, provenBy }: Pick<OutgoingEntry, 'name' | 'key' | 'provenBy'> & { address: SocketAddress },
  formerKey: PublicKey | undefined,
): Contacts {
  const incoming = incomingAt(contacts, address);
  let proven = contacts;
  if (incoming !== undefined) {
    const event = { type: 'session.proven', name, key, provenBy } as const;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), event);
  }
  if (incoming?.name === name) proven = withIncoming(contacts, { ...incoming, key: incoming.key ?? key, proven: true });
  if (name === '' || key === undefined || formerKey !== undefined) return proven;
  return cutOff({ enqueue }, proven, (entry) => entry.name === name && entry.key === undefined);
}

/** Without these sessions of others with us, which end at once. */
export function cutOff(
  { enqueue }: Pick<Enqueueing, 'enqueue'>,
  contacts: Contacts,
  isOver: (entry: IncomingEntry) => boolean,
): Contacts {
  let left = contacts;
  for (const entry of incomingEntries(contacts).filter(isOver)) {
    const { address, socket } = entry;
    enqueue.stopChild(actorId.incomingSession(address));
    enqueue.sendTo(socket, { type: 'source.unrouted', source: address, isCutOff: true });
    left = withoutIncoming(left, address);
  }
  return left;
}
export const sessionActions = {
  noteDirectory: base.assign(({ event }) => {
    assertEvent(event, 'directory.known');
    return { directoryAddresses: event.addresses, directoryKey: event.key };
  }),

  greetDirectory: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, ['directory.greetingWanted', 'network.changed']);
    for (const address of context.directoryAddresses) {
      if (socketFor(context.sockets, address) === undefined) continue;
      const id = actorId.outgoingSessionTo(address);
      const located = { addresses: [address], key: context.directoryKey };
      ensureOutgoing(args, id, { name: '', nameKnown: true, located });
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'session.greet', atMs: event.atMs });
    }
  }),

  /** One answer will do; which of its addresses gives it is no matter. */
  checkDirectory: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'directory.checkWanted');
    const { requester } = event;
    for (const address of context.directoryAddresses) {
      const id = actorId.outgoingSessionTo(address);
      if (outgoingOf(context.contacts, id)?.address === undefined) continue;
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

  tellListed: base.emit(({ event }) => {
    assertEvent(event, 'registration.listed');
    return {
      type: 'peer.listed',
      addresses: event.addresses,
    };
  }),

  tellDirectoryFailed: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'registration.failed');
    const { failure, retryInMs } = event;
    // Where it tells what has changed in its list, that is asked more often.
    if (context.cursor === undefined) enqueue.assign({ isCutOff: true });
    enqueue.emit({ type: 'directory.unreachable', failure, retryInMs });
  }),

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

  /** GetNodes may carry the id of this Hello as well from now on; and its key may have become known since the session was opened. */
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
    // What came of it without a key counts as authenticated once it names that root under the key.
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(session, { type: 'path.check' });
  }),

  /** Our session towards whoever said Hello learns what that says of extensions. */
  noteSaid: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'hello.answered');
    const { name, address, key, flags, id } = event;
    const entry = incomingAt(context.contacts, address);
    if (entry !== undefined) {
      enqueue.assign({ contacts: withIncoming(context.contacts, { ...entry, said: { flags, id } }) });
    }
    const session = actorId.outgoingSession(name);
    if (name === '' || outgoingOf(context.contacts, session) === undefined) return;
    const learned = { type: 'flags.learned', address, key, flags, id } as const;
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(session, learned);
  }),

  noteLost: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.lost');
    if (outgoingOf(context.contacts, event.session) === undefined) return;
    const { session, name, failure } = event;
    const lost = { name, address: undefined, key: undefined, openedAtMs: undefined, provenBy: [] };
    const contacts = withOutgoing(context.contacts, session, lost);
    enqueue.assign({ contacts });
    if (failure === undefined) return;
    enqueue.emit({ type: 'session.failed', name, failure });
    const { directoryAddresses } = context;
    const isDirectory = directoryAddresses.map(actorId.outgoingSessionTo).includes(session);
    if (isDirectory && !directoryAddresses.some((address) => isReached(contacts, address))) {
      enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'greeting.failed', failure });
    }
  }),

  /** NatTraversalClient to each directory address we hold a session with (protocol §8). */
  askForTraversal: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'traversal.wanted');
    const bytes = encodeDatagram({ type: 'NatTraversalClient', id: 0, address: event.address });
    for (const address of context.directoryAddresses) {
      const socket = socketFor(context.sockets, address);
      if (socket === undefined) continue;
      if (isReached(context.contacts, address)) {
        enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to: address });
        continue;
      }
      // Whoever does not register has said no Hello there yet; the directory helps in a session only.
      const id = actorId.outgoingSessionTo(address);
      ensureOutgoing(args, id, {
        name: '',
        nameKnown: true,
        located: { addresses: [address], key: context.directoryKey },
      });
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, {
        type: 'session.open',
        waiter: undefined,
        atMs: undefined,
      });
      enqueue.assign({
        traversalTargets: [...context.traversalTargets, event.address].slice(-limits.traversalsPerSweep),
      });
    }
  }),

  /** The other side’s NAT opens for us when something of ours has gone out towards it (protocol §8). */
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

  admit: base.enqueueActions(({ context, event, enqueue, self }) => {
    assertEvent(event, 'stranger.asked');
    const { received, from, size, atMs, socket } = event;
    const { datagram } = received;
    // A directory lists whoever answers its Hello: a peer that does not register does not (protocol §3).
    const isListable = context.register && context.retirement === undefined;
    if (!isListable && datagram.type === 'Hello' && datagram.name === '') return;
    // A copy of us would take us for the one that publishes.
    if (context.retirement !== undefined && datagram.type === 'Hello' && datagram.name === context.name) return;
    if (isOwnEcho(self, datagram.id)) return;
    let { contacts } = context;
    const isFriend = datagram.type === 'Hello' && context.following.includes(datagram.name);
    if (isCrowded(contacts, from, isFriend)) {
      const evicted = evictable(contacts, from);
      if (evicted === undefined) return;
      enqueue.stopChild(actorId.incomingSession(evicted.address));
      enqueue.sendTo(evicted.socket, { type: 'source.unrouted', source: evicted.address, isCutOff: true });
      contacts = withoutIncoming(contacts, evicted.address);
    }
    const id = actorId.incomingSession(from);
    // One is there if its socket was replaced, or this Hello came to another one.
    const former = incomingAt(contacts, from);
    if (former !== undefined) enqueue.stopChild(id);
    if (former !== undefined && former.socket.id !== socket.id) {
      enqueue.sendTo(former.socket, { type: 'source.unrouted', source: from, isCutOff: true });
    }
    const hello: Delivery = { received, from, size, atMs, socket };
    const session = sessionAt(contacts, nameIn(hello), from);
    const proven = session !== undefined;
    const provenBy = session?.provenBy ?? [];
    const { name: ownName, history, root, random, flags } = context;
    const left =
      proven || paysForGreeting(size, ownName)
        ? context.unpaidGreetings
        : admitted(context.unpaidGreetings, from, atMs);
    if (left !== undefined) enqueue.assign({ unpaidGreetings: left });
    const isGreetingFree = left !== undefined;
    // Who it is, and whether it was asked about our history, is known later.
    const ownRoot = history === undefined ? root : undefined;
    enqueue.spawnChild('incomingSession', {
      id,
      input: {
        address: from,
        ownName,
        ownRoot,
        owner: self,
        socket,
        random,
        flags,
        hello,
        isGreetingFree,
        proven,
        provenBy,
      },
    });
    const entry = { name: undefined, key: undefined, proven, openedAtMs: atMs, address: from, socket, said: undefined };
    enqueue.assign({ contacts: withIncoming(contacts, entry) });
  }),

  noteAccepted: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.accepted');
    const { name, address, key, proven, atMs } = event;
    const entry = incomingAt(context.contacts, address);
    if (entry === undefined) return;
    const accepted = { ...entry, name, key, proven, openedAtMs: atMs };
    enqueue.assign({ contacts: withIncoming(context.contacts, accepted) });
    enqueue.emit({ type: 'session.opened', direction: 'incoming', name, address, authenticated: key !== undefined });
  }),

  /** The answered Hello is at the same time our session towards that peer (protocol §5). */
  noteProven: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'address.proven');
    const { name, address, key, atMs, roundTripMs } = event;
    const entry = incomingAt(context.contacts, address);
    if (entry !== undefined) enqueue.assign({ contacts: withIncoming(context.contacts, { ...entry, proven: true }) });
    // Whoever was there without a key has to say its name.
    for (const session of namelessAt(context.contacts, address, name)) {
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(session, { type: 'session.renew', atMs });
    }
    const id = actorId.outgoingSession(name);
    const { contacts } = context;
    const hasRoom = outgoingOf(contacts, id) !== undefined || contacts.outgoing.size < limits.outgoingSessions;
    if (name === '' || !hasRoom) return;
    ensureOutgoing(args, id, { name, nameKnown: true });
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'session.adopt', address, key, atMs, roundTripMs });
  }),

  /** Sessions in both directions were opened under what was believed before; the next Hello is judged anew. */
  forgetSessionsOf: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'trust.changed');
    const contacts = cutOff(args, context.contacts, ({ name }) => name === event.name);
    enqueue.assign({ contacts });
    const id = actorId.outgoingSession(event.name);
    if (outgoingOf(contacts, id) !== undefined) {
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'trust.changed' });
    }
  }),

  tellTrustChanged: base.emit(({ event }) => {
    assertEvent(event, 'trust.changed');
    return { type: 'trust.changed', name: event.name };
  }),

  /** Its place may be taken, though it is remembered for a while. */
  noteExpired: base.assign(({ context, event }) => {
    assertEvent(event, 'session.expired');
    const entry = incomingAt(context.contacts, event.address);
    return entry === undefined ? {} : { contacts: withIncoming(context.contacts, { ...entry, proven: false }) };
  }),

  sendError: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'error.owed');
    const { id, to, text, socket } = event;
    const source = formatAddress(to);
    enqueue.assign({
      errorsSent: context.errorsSent + 1,
      errorsTo: withEntry(context.errorsTo, source, (entryOf(context.errorsTo, source) ?? 0) + 1),
    });
    const bytes = encodeDatagram({ type: 'Error', id, text });
    enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to });
  }),

  refuseStranger: base.raise(({ event }) => {
    assertEvent(event, 'stranger.asked');
    const { received, from, socket, size } = event;
    const text = affordableText('no session: say Hello first', 'no session', size);
    return { type: 'error.owed', id: received.datagram.id, to: from, text, socket };
  }),

  tellError: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'datagram.unsolicited');
    const { datagram } = event.received;
    if (datagram.type !== 'Error') return;
    const name = knownPeerAt(context.contacts, event.from)?.name;
    enqueue.emit({ type: 'error.received', from: event.from, name, text: datagram.text });
  }),

  tellErrorAnswered: base.enqueueActions(({ event, enqueue }) => {
    assertEvent(event, 'error.answered');
    const { from, name, text } = event;
    enqueue.emit({ type: 'error.received', from, name, text });
  }),

  endOutgoing: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.ended');
    enqueue.stopChild(event.session);
    enqueue.assign({ contacts: withoutOutgoing(context.contacts, event.session) });
  }),

  /** Who waits for a session that broke down would wait for ever. */
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

  endIncoming: base.enqueueActions((args) => {
    const { event, enqueue } = args;
    assertEvent(event, 'session.forgotten');
    enqueue.stopChild(actorId.incomingSession(event.address));
    endIncoming(args, event.address, false);
  }),

  endBrokenIncoming: base.enqueueActions((args) => {
    const { event } = args;
    assertEvent(event, 'xstate.error.actor.incoming-session.*');
    const address = parseAddress(keyIn(event.actorId));
    if (address.ok) endIncoming(args, address.value, true);
  }),
};
