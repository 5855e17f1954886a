/**
 * What the root peer actor does so that posts arrive: it remembers who reads from us, tells them where we are after a start or
 * a move, pushes new roots to them, and keeps NATs open (protocol §5).
 */
import { assertEvent } from 'xstate';
import { entriesOf, entryOf, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import { sameAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { establishedIn, incomingEntries, outgoingOf } from './contacts.ts';
import { socketFor } from './events.ts';
import type { RefFor } from './messages.ts';
import {
  isBehindNat,
  isDirectoryAt,
  isInSession,
  isPresent,
  isReader,
  isWithheld,
  type PeerContext,
} from './peer-context.ts';
import { ensureOutgoing } from './peer-outgoing.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { walkAnew } from './peer-walks.ts';
import { limits, timing } from './timing.ts';

type SessionRef = RefFor<'peer', 'outgoing-session'>;

/** Says Hello to the next of those who are to learn where we are; few at a time, since each is looked up first. */
function greetSome(args: Enqueueing, toGreet: readonly string[], atMs: number): void {
  const { context, enqueue } = args;
  for (const name of toGreet.slice(0, limits.greetingsPerSweep)) {
    const id = actorId.outgoingSession(name);
    ensureOutgoing(args, id, { name, nameKnown: true });
    enqueue.sendTo<SessionRef>(id, { type: 'session.renew', atMs });
    if (context.sealedRoot !== undefined && !isWithheld(context, name))
      enqueue.sendTo<SessionRef>(id, { type: 'push.wanted', bytes: context.sealedRoot });
  }
  enqueue.assign({ toGreet: toGreet.slice(limits.greetingsPerSweep) });
}

function readerNames({ readers }: PeerContext): string[] {
  return [...entriesOf(readers)].map(([name]) => String(name));
}

/** Those in session with us, those who read from us, and who waits for a greeting. */
function everybody(context: PeerContext): string[] {
  const inSession = establishedIn(context.contacts)
    .map(({ entry }) => entry.name)
    .filter((name) => name !== '' && name !== context.name);
  return [...new Set([...inSession, ...readerNames(context), ...context.toGreet])];
}

export const readerActions = {
  /** Whoever reads is told of new roots from now on; has it asked for the newest one, that need not be pushed again. */
  noteReader: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'reader.seen');
    const { name, hasNewest, atMs } = event;
    const isCopy = name === context.name;
    if (!isCopy) enqueue({ type: 'rememberReader', params: { name } });
    if (!isCopy && (context.readers.size < limits.readers || entryOf(context.readers, name) !== undefined)) {
      enqueue.assign({ readers: withEntry(context.readers, name, atMs) });
    }
    // What it asks for arrives, whether it hears what is pushed or not.
    if (!context.following.includes(name)) enqueue.assign({ silent: withoutEntry(context.silent, name) });
    const id = actorId.outgoingSession(name);
    // Only by a session of ours can it be asked about our history, which it must be before it learns what is new.
    if (!isInSession(context, name) && isWithheld(context, name)) {
      enqueue.assign({ toGreet: [...new Set([...context.toGreet, name])] });
    }
    if (outgoingOf(context.contacts, id) === undefined) return;
    enqueue.sendTo<SessionRef>(id, { type: 'session.used', atMs });
    if (hasNewest) enqueue.sendTo<SessionRef>(id, { type: 'push.confirmed' });
  }),

  forgetFormerReaders: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'sweep');
    let { readers, silent } = context;
    for (const name of readerNames(context)) {
      if (isReader(context, name, event.atMs)) continue;
      readers = withoutEntry(readers, name);
      if (!context.following.includes(name)) silent = withoutEntry(silent, name);
    }
    if (readers !== context.readers) enqueue.assign({ readers, silent });
  }),

  /** A new root goes to each peer that we hold a session to or that reads from us (protocol §5). */
  pushRoot: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'root.sealed');
    const { bytes } = event;
    enqueue.assign({ sealedRoot: bytes });
    const reached = new Set<string>();
    for (const { id, entry } of establishedIn(context.contacts)) {
      if (isDirectoryAt(context, entry.address)) continue;
      reached.add(entry.name);
      if (isWithheld(context, entry.name)) continue;
      enqueue.sendTo<SessionRef>(id, { type: 'push.wanted', bytes });
    }
    const toGreet = readerNames(context).filter((name) => !reached.has(name));
    enqueue.assign({ toGreet: [...new Set([...toGreet, ...context.toGreet])] });
  }),

  /**
   * Listed elsewhere than before: readers who have not answered since may have looked for us where we were, or have moved as well. From
   * behind a NAT, others are reached only now that the directory knows where we are, and has their NATs opened.
   */
  seekReaders: base.assign(({ context, event }) => {
    assertEvent(event, 'registration.listed');
    const { addresses } = event;
    const added = addresses.filter((address) => !context.listed.some((known) => sameAddress(known, address)));
    if (added.length === 0) return {};
    const hasMoved = context.listed.length > 0 && isBehindNat({ ...context, listed: added });
    const unreached = readerNames(context).filter((name) => !isInSession(context, name));
    return { toGreet: [...new Set([...(hasMoved ? everybody(context) : unreached), ...context.toGreet])] };
  }),

  /**
   * Whoever reads from us, and must be asked about our history before it learns what is new, may have been greeted in vain: one that wakes
   * up reads before the directory lists it again.
   */
  seekWithheld: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'sweep');
    if (context.history === undefined) return;
    const waiting = incomingEntries(context.contacts).flatMap(({ name = '', proven }) => {
      const sinceMs = event.atMs - (entryOf(context.readers, name) ?? Number.NEGATIVE_INFINITY);
      const isRecent = proven && sinceMs < 2 * timing.readerReport;
      return isRecent && !isInSession(context, name) && isWithheld(context, name) ? [name] : [];
    });
    if (waiting.length > 0) enqueue.assign({ toGreet: [...new Set([...waiting, ...context.toGreet])] });
  }),

  /** If it was us who could not be reached, nobody else has noticed that this is over: everybody is greeted, and asked for what is new. */
  catchUp: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, ['registration.listed', 'presence.changed', 'cursor.issued']);
    const wasUnheard = event.type === 'registration.listed' && event.wasUnheard;
    if (!context.isCutOff && !wasUnheard) return;
    enqueue.assign({ isCutOff: false });
    greetSome(args, everybody(context), event.atMs);
    const { following } = context;
    walkAnew(
      args,
      following.filter((name) => isPresent(context, name)),
      event.atMs,
    );
  }),

  /** The directory cannot tell those whom we follow that we are back, nor us where they are: they are greeted where they answered last. */
  seekFollowed: base.assign(({ context: { register, following, toGreet } }) =>
    register ? { toGreet: [...new Set([...toGreet, ...following])] } : {},
  ),

  greetReaders: base.enqueueActions((args) => {
    assertEvent(args.event, ['sweep', 'registration.listed']);
    if (args.context.toGreet.length > 0) greetSome(args, args.context.toGreet, args.event.atMs);
  }),

  /** Wherever we are now: followers, readers and those we follow are to learn it. */
  noteNetwork: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'network.changed');
    const { localIps, why, atMs } = event;
    enqueue.assign({ localIps });
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'ips.changed', ips: localIps });
    if (why === 'start') {
      let { readers } = context;
      for (const name of context.formerReaders) readers = withEntry(readers, name, atMs);
      enqueue.assign({ readers, toGreet: context.formerReaders });
      if (context.root !== undefined) enqueue({ type: 'sealRoot', params: { root: context.root } });
      return;
    }
    enqueue.emit({ type: 'network.changed', why });
    enqueue({ type: 'forgetConnections' });
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'registration.renew', atMs });
    enqueue.assign({ toGreet: everybody(context) });
  }),

  /** Behind a NAT, something goes out often enough that the way in stays open (protocol §5). */
  keepAlive: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, 'sweep');
    const { keepAlive, keptAliveAtMs, contacts, following, sockets } = context;
    if (!isBehindNat(context) || event.atMs - keptAliveAtMs < timing.keepAliveInterval) return;
    enqueue.assign({ keptAliveAtMs: event.atMs });
    if (keepAlive === undefined) {
      enqueue({ type: 'sealKeepAlive' });
      return;
    }
    const wanted = new Set(following);
    for (const { entry } of establishedIn(contacts)) {
      const socket = socketFor(sockets, entry.address);
      if (socket === undefined || !(wanted.has(entry.name) || isDirectoryAt(context, entry.address))) continue;
      enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [keepAlive], to: entry.address });
    }
  }),

  useKeepAlive: base.assign(({ event }) => {
    assertEvent(event, 'keepAlive.sealed');
    return { keepAlive: event.bytes, keptAliveAtMs: 0 };
  }),
};
