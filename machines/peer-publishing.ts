/** What the root peer actor does about its own tree: who learns its root, and when nobody may learn it any more (docs/adr/0016). */
import { type AnyActorRef, assertEvent } from 'xstate';
import { isYounger } from '../src/wire/age.ts';
import type { Hash } from '../src/wire/hash.ts';
import { formatAddress } from '../src/wire/socket-address.ts';
import { actorId, keyIn } from './actor-ids.ts';
import type { AddressProofContext } from './address-proof.machine.ts';
import { incomingAt, incomingEntries, outgoingIds, withoutIncoming } from './contacts.ts';
import { socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import { isOwnAddress, isWithheld } from './peer-context.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import type { RequestContext } from './request-context.ts';
import { limits, timing } from './timing.ts';

/** To whoever has a session with us; undefined: it is told nobody. */
function tellRoot({ context, enqueue }: Enqueueing, root: Hash | undefined): void {
  for (const { name, address } of incomingEntries(context.contacts)) {
    if (root !== undefined && (name === undefined || isWithheld(context, name))) continue;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root,
    });
  }
}

/** Whether this is the id of a Hello with which this very peer looks for copies: a NAT has sent it back to us. */
export function isOwnEcho(self: AnyActorRef, id: number): boolean {
  const { children = {} } = self.getSnapshot() as {
    readonly children?: Readonly<Record<string, AnyActorRef | undefined>>;
  };
  return Object.values(children).some((child) => {
    if (child === undefined || !child.id.startsWith('address-proof.')) return false;
    const proof = child.getSnapshot() as {
      readonly children: Readonly<Record<string, AnyActorRef | undefined>>;
      readonly context: AddressProofContext;
    };
    const request = proof.children[actorId.request(0)]?.getSnapshot().context as RequestContext | undefined;
    return request?.ids.includes(id) === true;
  });
}

export const publishingActions = {
  noteRoot: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'root.published');
    const { root, history } = event;
    // What is published first by a home that had no message, others cannot have more of.
    enqueue.assign({ root, history: context.history === undefined ? undefined : (history ?? context.history) });
    enqueue({ type: 'sealRoot', params: { root } });
    tellRoot(args, root);
  }),

  /** It has just become known who this is. Our root may have changed since its Hello came. */
  tellRootAtLast: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.accepted');
    const { name, address } = event;
    const { contacts, root } = context;
    if (incomingAt(contacts, address) === undefined) return;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root: isWithheld(context, name) ? undefined : root,
    });
  }),

  tellPublished: base.emit(({ event }) => {
    assertEvent(event, 'root.published');
    return { type: 'root.published', root: event.root };
  }),

  /** The directory is to forget us here: it lists whoever answers its Hello. A copy of us must not be answered, either. */
  retire: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'publishing.stop');
    enqueue.assign({ retirement: event.failure, root: undefined, sealedRoot: undefined });
    enqueue.stopChild(actorId.directoryClient);
    let { contacts } = context;
    for (const { name, address, socket } of incomingEntries(contacts)) {
      // Of somebody whose key is being looked up it is not known who that is: it says Hello again.
      if (name !== undefined && name !== '' && name !== context.name) continue;
      enqueue.stopChild(actorId.incomingSession(address));
      enqueue.sendTo(socket, { type: 'source.unrouted', source: address, isCutOff: true });
      contacts = withoutIncoming(contacts, address);
    }
    enqueue.assign({ contacts });
    tellRoot({ ...args, context: { ...context, contacts } }, undefined);
    for (const id of outgoingIds(context.contacts)) {
      enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'push.confirmed' });
    }
  }),

  tellRetired: base.emit(({ event }) => {
    assertEvent(event, 'publishing.stop');
    return { type: 'publishing.stopped', failure: event.failure };
  }),

  /**
   * Hello is said to each address under our name that is not ours. If another program answers, the one of the two stops that the directory
   * has listed last.
   */
  lookForCopies: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['registration.listed', 'listing.read']);
    const { guardedKey: key, copiesSoughtAtMs, retirement, name, random, sockets } = context;
    const { addresses, atMs } = event;
    const isSoon = copiesSoughtAtMs !== undefined && isYounger(copiesSoughtAtMs, timing.copySearch, atMs);
    if (key === undefined || retirement !== undefined || isSoon) return;
    const searches = [...context.searches];
    for (const address of addresses) {
      const socket = socketFor(sockets, address);
      const place = formatAddress(address);
      if (socket === undefined || isOwnAddress(context, address) || searches.includes(place)) continue;
      const free = searches.indexOf(undefined);
      const slot = free === -1 ? searches.length : free;
      searches[slot] = place;
      const input = { address, name, key, ownName: name, socket, random, flags: 0, maxSends: limits.helloSends, atMs };
      enqueue.spawnChild('addressProof', { id: actorId.addressProof(slot), input });
    }
    enqueue.assign({ copiesSoughtAtMs: atMs, searches });
  }),

  endSearch: base.assign(({ context, event }) => {
    assertEvent(event, ['xstate.done.actor.address-proof.*', 'xstate.error.actor.address-proof.*']);
    const ended = Number(keyIn(event.actorId));
    return { searches: context.searches.map((address, slot) => (slot === ended ? undefined : address)) };
  }),

  /** Somebody says Hello with our own name and key: a copy of us that looks for us. If it was there first, it goes on. */
  suspectCopy: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.accepted');
    const { guardedKey, name, retirement } = context;
    if (guardedKey === undefined || retirement !== undefined) return;
    if (event.name !== name || event.key !== guardedKey) return;
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'listing.wanted' });
  }),

  stopForCopy: base.raise(({ context, event }) => {
    assertEvent(event, 'xstate.done.actor.address-proof.*');
    const where = formatAddress(event.output.address);
    const message = `another murmure at ${where} publishes as ${context.name}, with the same key: nothing is published from this one, which goes on reading; stop the one that you do not need, because two homes with one key undo what the other publishes, and start this one again if it is to publish`;
    return { type: 'publishing.stop', failure: { code: 'in-use' as const, message } };
  }),
};
