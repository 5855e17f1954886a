/** What the root peer actor does about its own tree: who learns its root, and when nobody may learn it any more (docs/adr/0016). */
import { type AnyActorRef, assertEvent } from 'xstate';
import type { Hash } from '../src/wire/hash.ts';
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import type { AddressProofContext } from './address-proof.machine.ts';
import { incomingAt, incomingEntries, outgoingIds, withoutIncoming } from './contacts.ts';
import { socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import type { PeerContext } from './peer-context.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import type { RequestContext } from './request-context.ts';
import { limits } from './timing.ts';

/** To whoever has a session with us; undefined: it is told nobody. */
function tellRoot({ context, enqueue }: Enqueueing, root: Hash | undefined): void {
  for (const { name, address } of incomingEntries(context.contacts)) {
    if (root !== undefined && name !== undefined && context.unasked.includes(name)) continue;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root,
    });
  }
}

function isOwnAddress({ localIps, ports }: PeerContext, { ip, port }: SocketAddress): boolean {
  return localIps.includes(ip) && ports.includes(port);
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
    assertEvent(event, ['root.published', 'publishing.begun']);
    const { root } = event;
    const unasked = event.type === 'publishing.begun' ? event.unasked : context.unasked;
    enqueue.assign({ root, unasked });
    enqueue({ type: 'sealRoot', params: { root } });
    tellRoot({ ...args, context: { ...context, unasked } }, root);
  }),

  /** It has just become known who this is. */
  withholdRoot: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.accepted');
    const { name, address } = event;
    if (!context.unasked.includes(name) || incomingAt(context.contacts, address) === undefined) return;
    enqueue.sendTo<RefFor<'peer', 'incoming-session'>>(actorId.incomingSession(address), {
      type: 'root.changed',
      root: undefined,
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
   * Once after the start, Hello is said to each address under our name that is not ours. The earlier of two programs answers, and the later
   * one, which asks, gives way.
   */
  lookForCopies: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'registration.listed');
    const { guardedKey: key, isSoleChecked, name, random, sockets } = context;
    if (key === undefined || isSoleChecked) return;
    enqueue.assign({ isSoleChecked: true });
    for (const [index, address] of event.addresses.entries()) {
      const socket = socketFor(sockets, address);
      if (socket === undefined || isOwnAddress(context, address)) continue;
      const input = {
        address,
        name,
        key,
        ownName: name,
        socket,
        random,
        flags: 0,
        maxSends: limits.helloSends,
        atMs: event.atMs,
      };
      enqueue.spawnChild('addressProof', { id: actorId.addressProof(index), input });
    }
  }),

  stopForCopy: base.raise(({ context, event }) => {
    assertEvent(event, 'xstate.done.actor.address-proof.*');
    const where = formatAddress(event.output.address);
    const message = `another murmure at ${where} publishes as ${context.name}, with the same key: nothing is published from this one, which goes on reading; stop one of the two, because two homes with one key undo what the other publishes`;
    return { type: 'publishing.stop', failure: { code: 'in-use' as const, message } };
  }),
};
