/** What the root peer actor does about other programs that publish under our name and key: copies of this home (docs/adr/0016, 0030). */
import { assertEvent } from 'xstate';
import { isYounger } from '../src/wire/age.ts';
import { formatAddress, type SocketAddress, sameAddress } from '../src/wire/socket-address.ts';
import { actorId, keyIn } from './actor-ids.ts';
import { socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import { isCopy, isOwnAddress } from './peer-context.ts';
import { ensureOutgoing } from './peer-outgoing.ts';
import { base } from './peer-setup.ts';
import { walkAnew } from './peer-walks.ts';
import { limits, timing } from './timing.ts';

export const copyActions = {
  /**
   * Hello is said to each address under our name that is not ours. If another program answers, the one of the two stops that the directory
   * has listed last.
   */
  lookForCopies: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['registration.listed', 'listing.read']);
    const { guardedKey: key, copiesSoughtAtMs, retirement, name, random, flags, sockets } = context;
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
      const input = { address, name, key, ownName: name, socket, random, flags, maxSends: limits.helloSends, atMs };
      enqueue.spawnChild('addressProof', { id: actorId.addressProof(slot), input });
    }
    enqueue.assign({ copiesSoughtAtMs: atMs, searches });
  }),

  /** A copy has answered: our session with it is open. What it has published is published from here as well, so that nobody loses it. */
  meetCopy: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'xstate.done.actor.address-proof.*');
    const { proven, address, key, atMs, roundTripMs, isBare } = event.output;
    if (!proven) return;
    const { name } = context;
    const id = actorId.outgoingSession(name);
    ensureOutgoing(args, id, { name, nameKnown: true });
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, {
      ...{ type: 'session.adopt', address, key, atMs, roundTripMs, isBare },
    });
    walkAnew(args, [name], atMs);
  }),

  endSearch: base.assign(({ context, event }) => {
    assertEvent(event, ['xstate.done.actor.address-proof.*', 'xstate.error.actor.address-proof.*']);
    const ended = Number(keyIn(event.actorId));
    return { searches: context.searches.map((address, slot) => (slot === ended ? undefined : address)) };
  }),

  /** Somebody says Hello with our own name and key: a copy of us that looks for us. If it was there first, it goes on. */
  suspectCopy: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'session.accepted');
    if (context.retirement !== undefined || !isCopy(context, event)) return;
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'listing.wanted' });
  }),

  /** The same, of one that looked for us. */
  readCopy: base.enqueueActions((args) => {
    const { context, event } = args;
    assertEvent(event, 'address.proven');
    if (isCopy(context, event)) walkAnew(args, [context.name], event.atMs);
  }),

  /** The directory lists another address under our name: a copy of us may have started. */
  suspectListing: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'presence.changed');
    const { guardedKey, retirement, listed } = context;
    if (guardedKey === undefined || retirement !== undefined || event.own === undefined) return;
    const isKnown = (address: SocketAddress) =>
      isOwnAddress(context, address) || listed.some((known) => sameAddress(known, address));
    if (event.own.every(isKnown)) return;
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'listing.wanted' });
  }),

  stopForCopy: base.raise(({ context, event }) => {
    assertEvent(event, 'xstate.done.actor.address-proof.*');
    const where = formatAddress(event.output.address);
    const message = `another murmure at ${where} publishes as ${context.name}, with the same key: it takes over what was published from this one, which goes on reading; use only one of the two, and start this one again, once the other has stopped, if it is to publish`;
    return { type: 'publishing.stop', failure: { code: 'in-use' as const, message } };
  }),
};
