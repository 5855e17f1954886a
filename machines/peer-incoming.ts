/** The sessions that others have with the peer: who gets one, what the peer learns about them, and how they end. */

import { assertEvent } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { RETIRED_FLAG } from '../src/wire/datagram.ts';
import { parseAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { actorId, keyIn } from './actor-ids.ts';
import {
  type Contacts,
  evictable,
  type IncomingEntry,
  incomingAt,
  incomingEntries,
  isCrowded,
  type OutgoingEntry,
  outgoingOf,
  sessionAt,
  withIncoming,
  withoutIncoming,
} from './contacts.ts';
import type { Delivery } from './events.ts';
import { nameIn, paysForGreeting } from './incoming-session-context.ts';
import type { RefFor } from './messages.ts';
import { isOwnEcho } from './own-echo.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { decide } from './stranger-budget.ts';
import { limits, timing } from './timing.ts';

/** A session that somebody had with us has ended. */
function endIncoming({ context, enqueue }: Enqueueing, address: SocketAddress, isCutOff: boolean): void {
  const entry = incomingAt(context.contacts, address);
  enqueue.assign({ contacts: withoutIncoming(context.contacts, address) });
  if (entry !== undefined) enqueue.sendTo(entry.socket, { type: 'source.unrouted', source: address, isCutOff });
}

/**
 * Their session with us that leads to the same address belongs to them as well, and gets their key. If that key has just become known, a
 * session elsewhere under their name and without the key has to say Hello again.
 */
export function proveIncoming(
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

/** Stops these sessions of others with us, and removes them. */
export function cutOff(
  { enqueue }: Pick<Enqueueing, 'enqueue'>,
  contacts: Contacts,
  isOver: (entry: IncomingEntry) => boolean,
): Contacts {
  let left = contacts;
  for (const entry of incomingEntries(contacts).filter(isOver)) left = cutOffOne({ enqueue }, left, entry);
  return left;
}

function cutOffOne(
  { enqueue }: Pick<Enqueueing, 'enqueue'>,
  contacts: Contacts,
  { address, socket }: IncomingEntry,
): Contacts {
  enqueue.stopChild(actorId.incomingSession(address));
  enqueue.sendTo(socket, { type: 'source.unrouted', source: address, isCutOff: true });
  return withoutIncoming(contacts, address);
}

export const incomingActions = {
  /** Every child makes all others more expensive to spawn and to stop. Most of these will never answer, because their sources are forged. */
  forgetUnproven: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'sweep');
    const unproven = incomingEntries(context.contacts).filter(({ proven }) => !proven);
    if (unproven.length <= limits.unprovenSessions) return;
    const isOver = ({ proven, openedAtMs }: IncomingEntry) =>
      !proven && event.atMs - openedAtMs >= timing.unprovenPatience;
    enqueue.assign({ contacts: cutOff(args, context.contacts, isOver) });
  }),

  admit: base.enqueueActions(({ context, event, enqueue, self }) => {
    assertEvent(event, 'stranger.asked');
    const { received, from, size, atMs, socket } = event;
    const { datagram } = received;
    // A directory lists every peer that answers its Hello, so a peer that does not register does not answer it (protocol §3).
    const isListable = context.register && context.retirement === undefined;
    if (!isListable && datagram.type === 'Hello' && datagram.name === '') return;
    if (nameIn(event) === context.name && isOwnEcho(self, context.name, datagram.id)) return;
    let { contacts } = context;
    const isFriend = datagram.type === 'Hello' && context.following.includes(datagram.name);
    if (isCrowded(contacts, from, isFriend)) {
      const evicted = evictable(contacts, from);
      if (evicted === undefined) return;
      contacts = cutOffOne({ enqueue }, contacts, evicted);
    }
    const id = actorId.incomingSession(from);
    // There is one already if its socket was replaced, or if this Hello came to another socket.
    const former = incomingAt(contacts, from);
    if (former !== undefined) enqueue.stopChild(id);
    if (former !== undefined && former.socket.id !== socket.id) {
      enqueue.sendTo(former.socket, { type: 'source.unrouted', source: from, isCutOff: true });
    }
    const hello: Delivery = { received, from, size, atMs, socket };
    const session = sessionAt(contacts, nameIn(hello), from);
    const proven = session !== undefined;
    const provenBy = session?.provenBy ?? [];
    const { name: ownName, history, root, random, retirement } = context;
    // A copy of us would conclude that we are the one that publishes.
    const flags = retirement !== undefined && nameIn(hello) === ownName ? context.flags | RETIRED_FLAG : context.flags;
    const isPaid = proven || paysForGreeting(size, ownName);
    const greeting = isPaid ? undefined : decide(context.unpaidGreetings, from, atMs);
    if (greeting !== undefined) enqueue.assign({ unpaidGreetings: greeting.left });
    const isGreetingFree = greeting?.isAdmitted ?? true;
    // Its key, and whether it was asked about our history, become known later.
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

  /** Tells our session with the sender of a Hello which extensions that Hello announces. */
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

  /** Another session may take its place, though it is remembered for a while. */
  noteExpired: base.assign(({ context, event }) => {
    assertEvent(event, 'session.expired');
    const entry = incomingAt(context.contacts, event.address);
    return entry === undefined ? {} : { contacts: withIncoming(context.contacts, { ...entry, proven: false }) };
  }),

  /** Ends the sessions in both directions, which were opened under the former trust. The next Hello is judged by the new one. */
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
