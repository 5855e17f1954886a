/**
 * How the root peer actor notices that somebody whom it follows is back, or elsewhere: a directory that has a cursor is asked with
 * every sweep what has changed in its list, one request for all; another one is asked for those that we have no session with.
 */
import { assertEvent } from 'xstate';
import { emptyTable, entryOf, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { outgoingOf } from './contacts.ts';
import type { RefFor } from './messages.ts';
import { isItsTurn } from './peer-checks.ts';
import { isInSession, type PeerContext } from './peer-context.ts';
import { doubtPosition } from './peer-directory.ts';
import type { Listing } from './peer-events.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import { startWaiting, startWalk, walkAnew } from './peer-walks.ts';
import { limits } from './timing.ts';

/** Followed peers that we have no session with. */
function absent(context: PeerContext): string[] {
  return context.following.filter((name) => !isInSession(context, name));
}

/** Followed peers that have said Hello before they were listed: under which key, only the directory can tell. */
function withoutKey({ following, contacts }: PeerContext): string[] {
  return following.filter((name) => {
    const session = outgoingOf(contacts, actorId.outgoingSession(name));
    return session?.address !== undefined && session.key === undefined;
  });
}

/** Of both, whose listing no cursor would tell: nobody has asked for it yet. Without a cursor, all of them. */
function unknown(context: PeerContext): string[] {
  if (context.cursor === '') return [];
  const names = [...absent(context), ...withoutKey(context)];
  return context.cursor === undefined ? names : names.filter((name) => entryOf(context.presence, name) === undefined);
}

/** As often as followed peers are checked, the directory is, where nothing else would tell that it, or UDP, is lost. */
function isCheckDue({ context, event }: Enqueueing): boolean {
  return event.type === 'sweep' && isItsTurn(context, limits.sweepsBetweenChecks - 1);
}

function lookFor({ enqueue }: Enqueueing, names: readonly string[]): void {
  if (names.length > 0) enqueue({ type: 'lookForPeers', params: { names } });
}

function askForChanges({ context, enqueue }: Enqueueing): void {
  const { cursor, following: names } = context;
  if (cursor !== undefined) enqueue({ type: 'askForChanges', params: { cursor, names } });
}

function areSame(some: readonly SocketAddress[] | undefined, others: readonly SocketAddress[]): boolean {
  return some?.map(formatAddress).join() === others.map(formatAddress).join();
}

/** Our session with that peer, if there is one, learns where it is now. */
function tellListing({ context, enqueue }: Enqueueing, { name, addresses, key }: Listing, atMs: number): void {
  const id = actorId.outgoingSession(name);
  if (outgoingOf(context.contacts, id) === undefined) return;
  enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'listing.changed', addresses, key, atMs });
}

export const presenceActions = {
  /** Whether somebody whom we follow is back, is asked far more often than that somebody is greeted in vain. */
  lookForAbsent: base.enqueueActions((args) => {
    const { context, enqueue } = args;
    const lookedFor = unknown(context);
    // Whoever follows nobody only wants to know when the directory can be asked again.
    const isAsking = context.cursor !== undefined && (context.following.length > 0 || context.isCutOff);
    const isQuiet = !isAsking || !context.following.some((name) => isInSession(context, name));
    if (context.isPresenceAwaited || (isQuiet && isCheckDue(args))) doubtPosition(args);
    enqueue.assign({ isPresenceAwaited: isAsking || lookedFor.length > 0 });
    if (isAsking) askForChanges(args);
    lookFor(args, lookedFor);
  }),

  notePresenceAnswered: base.assign(({ event }) => {
    assertEvent(event, ['presence.found', 'presence.changed', 'cursor.issued', 'cursor.unavailable']);
    return { isPresenceAwaited: false, presenceAnsweredAtMs: event.atMs };
  }),

  /** It does not answer over the path in use, or there is no session with it any more. */
  noteSilent: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['session.silent', 'session.lost']);
    const { name } = event;
    const isMissed = context.following.includes(name) || entryOf(context.readers, name) !== undefined;
    if (!isMissed || (event.type === 'session.lost' && event.failure === undefined)) return;
    enqueue.assign({ silent: withEntry(context.silent, name, true) });
    if (event.type === 'session.silent') enqueue.emit({ type: 'peer.silent', name, address: event.address });
  }),

  /** What it has pushed meanwhile did not arrive, so it is asked what it has now. */
  noteAnswers: base.enqueueActions(({ context, event, enqueue }) => {
    assertEvent(event, ['session.answers', 'session.established', 'session.renewed']);
    const { name } = event;
    if (entryOf(context.silent, name) === undefined) return;
    enqueue.assign({ silent: withoutEntry(context.silent, name) });
    enqueue.emit({ type: 'peer.answers', name, address: event.address });
    if (!context.following.includes(name)) return;
    const id = actorId.outgoingSession(name);
    enqueue.sendTo<RefFor<'peer', 'outgoing-session'>>(id, { type: 'path.check' });
  }),

  /** Its client finds out why it cannot be asked. */
  noteCutOff: base.enqueueActions(({ enqueue }) => {
    enqueue.assign({ isCutOff: true });
    enqueue.sendTo<RefFor<'peer', 'directory-client'>>(actorId.directoryClient, { type: 'listing.wanted' });
  }),

  /** Somebody could not be told what is new: it may be us who are cut off. */
  doubtNetwork: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'session.lost');
    if (!event.hasPush || event.failure === undefined || context.hasDoubted) return;
    enqueue.assign({ hasDoubted: true });
    askForChanges(args);
  }),

  /** What was known of the list before this cursor may have changed since. */
  noteCursor: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, ['presence.changed', 'cursor.issued', 'cursor.unavailable']);
    const cursor = event.type === 'cursor.unavailable' ? undefined : event.cursor;
    // One that has forgotten the cursor before may have forgotten us.
    if (event.type === 'cursor.issued' && context.cursor !== '') doubtPosition(args);
    if (event.type === 'cursor.issued') enqueue.assign({ cursor, presence: emptyTable<readonly SocketAddress[]>() });
    else if (cursor !== context.cursor) enqueue.assign({ cursor });
  }),

  lookForAll: base.enqueueActions((args) => lookFor(args, unknown(args.context))),

  /** Any of them may have started anew without our hearing of it. */
  walkConnected: base.enqueueActions((args) => {
    const { context, event } = args;
    assertEvent(event, 'cursor.issued');
    const gone = new Set(absent(context));
    const connected = context.following.filter((name) => !gone.has(name));
    startWaiting(args, [...connected, ...context.toWalk], context.walks, event.atMs);
  }),

  /** Listed at another address than before: it may have something new. */
  walkReturned: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'presence.found');
    let { presence } = context;
    const returned: string[] = [];
    const listed = new Map(event.listings.map((listing) => [listing.name, listing]));
    for (const name of withoutKey(context)) {
      const listing = listed.get(name);
      if (listing === undefined) continue;
      presence = withEntry(presence, name, listing.addresses);
      tellListing(args, listing, event.atMs);
    }
    for (const name of absent(context)) {
      const listing = listed.get(name);
      if (listing === undefined || areSame(entryOf(presence, name), listing.addresses)) continue;
      presence = withEntry(presence, name, listing.addresses);
      if (listing.addresses.length === 0) continue;
      // It may be greeted in vain where it answered last.
      tellListing(args, listing, event.atMs);
      returned.push(name);
    }
    enqueue.assign({ presence });
    // Before those who wait already, most of whom may be offline.
    startWaiting(args, [...returned, ...context.toWalk], context.walks, event.atMs);
  }),

  /** Proven anew: it has just started or moved, and may know nobody who reads from it. Sessions learn where it is now. */
  walkChanged: base.enqueueActions((args) => {
    const { context, event, enqueue } = args;
    assertEvent(event, 'presence.changed');
    const { listings, removed, atMs } = event;
    // As nearly always.
    if (listings.length + removed.length === 0) return;
    let { presence } = context;
    for (const listing of listings) {
      presence = withEntry(presence, listing.name, listing.addresses);
      tellListing(args, listing, atMs);
    }
    for (const name of removed) presence = withEntry(presence, name, []);
    enqueue.assign({ presence });
    walkAnew(
      args,
      listings.map(({ name }) => name),
      atMs,
    );
  }),

  /** A followed peer that says Hello from a new address has just started or moved. */
  walkArrived: base.enqueueActions((args) => {
    const { context, event } = args;
    assertEvent(event, 'address.proven');
    const { name, atMs } = event;
    if (context.following.includes(name) && entryOf(context.walks, name) === undefined) {
      startWalk(args, name, undefined, atMs);
    }
  }),
};
