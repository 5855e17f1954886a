/**
 * The root peer actor: owns the sockets, the directory client, all sessions and walks, and decides what strangers and
 * unsolicited datagrams get (protocol §4, §5, §8, §9). What happens to it is emitted as facts.
 */
import { type AnyActorRef, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { emptyTable, entriesOf, entryOf, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import { type Datagram, encodeDatagram } from '../src/wire/datagram.ts';
import type { Hash } from '../src/wire/hash.ts';
import { formatAddress, isIPv6, type SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { directoryClientMachine } from './directory-client.machine.ts';
import { effect } from './effects.ts';
import { type Delivery, socketFor } from './events.ts';
import { incomingSessionMachine } from './incoming-session.machine.ts';
import { merkleWalkMachine } from './merkle-walk.machine.ts';
import { failedWalk, type MerkleWalkOutput } from './merkle-walk-context.ts';
import { nameActions } from './named.ts';
import { outgoingSessionMachine } from './outgoing-session.machine.ts';
import {
  evictable,
  initialPeerContext,
  isDirectoryAt,
  isDirectoryInSession,
  knownPeerAt,
  mayOweError,
  type PeerContext,
  type PeerEvent,
  type PeerFact,
  type PeerInput,
} from './peer-context.ts';
import { socketMachine } from './socket.machine.ts';
import { limits, timing } from './timing.ts';

const base = setup({
  types: {
    context: {} as PeerContext,
    events: {} as PeerEvent,
    input: {} as PeerInput,
    emitted: {} as PeerFact,
  },
  actors: {
    socket: socketMachine,
    directoryClient: directoryClientMachine,
    outgoingSession: outgoingSessionMachine,
    incomingSession: incomingSessionMachine,
    merkleWalk: merkleWalkMachine,
  },
  actions: {
    /** Signs and hands the bytes to the socket as a `datagrams.send`. */
    sendSigned: effect<{ datagram: Datagram; to: SocketAddress; socket: AnyActorRef }>('sendSigned'),
    /** Signs our Root with id 0, once for all it is pushed to: `root.sealed`. */
    sealRoot: effect<{ root: Hash }>('sealRoot'),
    verifyAnnouncement: effect<{
      name: string;
      root: Hash;
      key: PublicKey;
      signed: Uint8Array;
      signature: Uint8Array;
      atMs: number;
    }>('verifyAnnouncement'),
  },
  guards: {
    isHello: ({ event }) => datagramOf(event)?.type === 'Hello',
    isAnnouncement: ({ context, event }) => announcementIn(context, event) !== undefined,
    isError: ({ event }) => datagramOf(event)?.type === 'Error',
    isTraversalOrder: ({ context, event }) =>
      datagramOf(event)?.type === 'NatTraversalServer' &&
      isDirectoryInSession(context, (event as unknown as Delivery).from) &&
      context.traversals < limits.traversalsPerSweep,
    isForged: ({ event }) => event.type === 'announcement.verified' && !event.valid,
    mayOweError: ({ context, event }) => event.type === 'error.owed' && mayOweError(context, event.to),
    isSyncing: ({ context, event }) => 'name' in event && entryOf(context.walks, event.name as string) !== undefined,
    isFollowDue: ({ context, event }) =>
      event.type === 'sweep' && context.isListed && event.atMs - context.followedAtMs >= timing.followInterval,
  },
});

type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

function datagramOf(event: PeerEvent): Datagram | undefined {
  return event.type === 'stranger.asked' || event.type === 'datagram.unsolicited' ? event.received.datagram : undefined;
}

/** A signed Root from somebody with a key whom we follow, over a session in either direction (protocol §5). */
function announcementIn(context: PeerContext, event: PeerEvent) {
  const datagram = datagramOf(event);
  if (event.type !== 'datagram.unsolicited' || datagram?.type !== 'Root') return undefined;
  const { signature, signed } = event.received;
  const peer = knownPeerAt(context, event.from);
  if (signature === undefined || peer?.key === undefined || !context.following.includes(peer.name)) return undefined;
  return { name: peer.name, key: peer.key, root: datagram.hash, signed, signature, atMs: event.atMs };
}

/* Sockets */

const openSockets = base.enqueueActions(({ context, enqueue, self }) => {
  context.binds.forEach((bind, index) => {
    enqueue.spawnChild('socket', { id: actorId.socket(index), input: { index, bind, owner: self } });
  });
});

const noteSocket = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'socket.ready') return;
  const { ipv4, ipv6 } = context.sockets;
  const sockets = isIPv6(event.address)
    ? { ...context.sockets, ipv6: ipv6 ?? event.socket }
    : { ...context.sockets, ipv4: ipv4 ?? event.socket };
  enqueue.assign({ sockets });
  enqueue.emit({ type: 'socket.bound', address: event.address });
  for (const [id] of entriesOf(context.outgoing)) enqueue.sendTo(id as string, { type: 'sockets.changed', sockets });
});

const tellSocketFailed = base.emit(({ event }) => ({
  type: 'socket.failed',
  why: event.type === 'socket.lost' ? event.why : '',
}));

/* The directory */

const startDirectoryClient = base.spawnChild('directoryClient', {
  id: actorId.directoryClient,
  input: ({ context, self }) => ({ owner: self, register: context.register }),
});

const noteDirectory = base.assign(({ event }) =>
  event.type === 'directory.known' ? { directoryAddresses: event.addresses, directoryKey: event.key } : {},
);

function ensureOutgoing(
  { context, enqueue, self }: Enqueueing,
  id: string,
  peer: {
    name: string;
    nameKnown: boolean;
    located?: { addresses: readonly SocketAddress[]; key: PublicKey | undefined };
  },
): void {
  if (entryOf(context.outgoing, id) !== undefined) return;
  const { name: ownName, random, sockets } = context;
  const { name, nameKnown, located } = peer;
  const input = { id, name, ownName, owner: self, random, sockets, located, nameKnown };
  enqueue.spawnChild('outgoingSession', { id, input });
  const entry = { name, address: undefined, key: undefined };
  enqueue.assign(({ context: now }) => ({ outgoing: withEntry(now.outgoing, id, entry) }));
}

const greetDirectory = base.enqueueActions((args) => {
  const { context, event, enqueue } = args;
  if (event.type !== 'directory.greetingWanted') return;
  for (const address of context.directoryAddresses) {
    if (socketFor(context.sockets, address) === undefined) continue;
    const id = actorId.outgoingSessionTo(address);
    const located = { addresses: [address], key: context.directoryKey };
    ensureOutgoing(args, id, { name: '', nameKnown: true, located });
    enqueue.sendTo(id, { type: 'session.greet', atMs: event.atMs });
  }
});

const noteListed = base.assign({ isListed: true });
const tellListed = base.emit(({ event }) => ({
  type: 'peer.listed',
  addresses: event.type === 'registration.listed' ? event.addresses : [],
}));
const tellDirectoryFailed = base.enqueueActions(({ event, enqueue }) => {
  if (event.type !== 'registration.failed') return;
  const { failure, retryInMs } = event;
  enqueue.emit({ type: 'directory.unreachable', failure, retryInMs });
});

/* Outgoing sessions */

const openSession = base.enqueueActions((args) => {
  const { event, enqueue } = args;
  if (event.type !== 'session.wanted') return;
  const id = actorId.outgoingSession(event.name);
  ensureOutgoing(args, id, { name: event.name, nameKnown: true });
  enqueue.sendTo(id, { type: 'session.open', waiter: event.requester, atMs: event.atMs });
});

const helloAddress = base.enqueueActions((args) => {
  const { event, enqueue } = args;
  if (event.type !== 'hello.wanted') return;
  const id = actorId.outgoingSessionTo(event.address);
  ensureOutgoing(args, id, { name: '', nameKnown: false, located: { addresses: [event.address], key: undefined } });
  enqueue.sendTo(id, { type: 'session.open', waiter: undefined, atMs: event.atMs });
});

const noteEstablished = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'session.established' || entryOf(context.outgoing, event.session) === undefined) return;
  const { session, name, address, key } = event;
  enqueue.assign({ outgoing: withEntry(context.outgoing, session, { name, address, key }) });
  enqueue.emit({ type: 'session.opened', direction: 'outgoing', name, address, authenticated: key !== undefined });
  if (entryOf(context.incoming, formatAddress(address)) !== undefined) {
    enqueue.sendTo(actorId.incomingSession(address), { type: 'session.proven' });
  }
});

const noteLost = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'session.lost' || entryOf(context.outgoing, event.session) === undefined) return;
  const { session, name, failure } = event;
  enqueue.assign({ outgoing: withEntry(context.outgoing, session, { name, address: undefined, key: undefined }) });
  if (failure !== undefined) enqueue.emit({ type: 'session.failed', name, failure });
});

/** NatTraversalClient to each directory address we hold a session with (protocol §8). */
const askForTraversal = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'traversal.wanted') return;
  const bytes = encodeDatagram({ type: 'NatTraversalClient', id: 0, address: event.address });
  for (const [, { address }] of entriesOf(context.outgoing)) {
    if (address === undefined || !isDirectoryAt(context, address)) continue;
    const socket = socketFor(context.sockets, address);
    if (socket !== undefined) enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to: address });
  }
});

/** The other side’s NAT opens for us when something of ours has gone out towards it (protocol §8). */
const openOwnNat = base.enqueueActions(({ context, event, enqueue }) => {
  const datagram = datagramOf(event);
  if (datagram?.type !== 'NatTraversalServer') return;
  const to = datagram.address;
  const socket = socketFor(context.sockets, to);
  enqueue.assign({ traversals: context.traversals + 1 });
  if (socket === undefined) return;
  const reply: Datagram = { type: 'HelloReply', id: 0, flags: 0, name: context.name };
  enqueue({ type: 'sendSigned', params: { datagram: reply, to, socket } });
});

/* Incoming sessions */

const admit = base.enqueueActions(({ context, event, enqueue, self }) => {
  if (event.type !== 'stranger.asked') return;
  const { received, from, size, atMs, socket } = event;
  let { incoming } = context;
  if (incoming.size >= limits.incomingSessions) {
    const evicted = evictable(context);
    if (evicted === undefined) return;
    enqueue.stopChild(actorId.incomingSession(evicted.address));
    enqueue.sendTo(evicted.socket, { type: 'source.unrouted', source: evicted.address });
    incoming = withoutEntry(incoming, formatAddress(evicted.address));
  }
  const id = actorId.incomingSession(from);
  const proven = knownPeerAt(context, from) !== undefined || isDirectoryAt(context, from);
  const { name: ownName, root: ownRoot, random } = context;
  const hello: Delivery = { received, from, size, atMs, socket };
  enqueue.spawnChild('incomingSession', {
    id,
    input: { address: from, ownName, ownRoot, owner: self, socket, random, hello, proven },
  });
  const entry = { name: undefined, key: undefined, proven, openedAtMs: atMs, address: from, socket };
  enqueue.assign({ incoming: withEntry(incoming, formatAddress(from), entry) });
});

const noteAccepted = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'session.accepted') return;
  const { name, address, key, atMs } = event;
  const text = formatAddress(address);
  const entry = entryOf(context.incoming, text);
  if (entry === undefined) return;
  enqueue.assign({ incoming: withEntry(context.incoming, text, { ...entry, name, key, openedAtMs: atMs }) });
  enqueue.emit({ type: 'session.opened', direction: 'incoming', name, address, authenticated: key !== undefined });
});

/** The answered Hello is at the same time our session towards that peer (protocol §5). */
const noteProven = base.enqueueActions((args) => {
  const { context, event, enqueue } = args;
  if (event.type !== 'address.proven') return;
  const { name, address, key, atMs } = event;
  const text = formatAddress(address);
  const entry = entryOf(context.incoming, text);
  if (entry !== undefined) {
    enqueue.assign({ incoming: withEntry(context.incoming, text, { ...entry, proven: true }) });
  }
  const id = actorId.outgoingSession(name);
  const hasRoom = entryOf(context.outgoing, id) !== undefined || context.outgoing.size < limits.outgoingSessions;
  if (name === '' || !hasRoom) return;
  ensureOutgoing(args, id, { name, nameKnown: true });
  enqueue.sendTo(id, { type: 'session.adopt', address, key, atMs });
});

/* Errors */

const sendError = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'error.owed') return;
  const { id, to, text, socket } = event;
  const source = formatAddress(to);
  enqueue.assign({
    errorsSent: context.errorsSent + 1,
    errorsTo: withEntry(context.errorsTo, source, (entryOf(context.errorsTo, source) ?? 0) + 1),
  });
  const bytes = encodeDatagram({ type: 'Error', id, text });
  enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to });
});

const refuseStranger = base.raise(({ event }) => {
  const { received, from, socket } = event as unknown as Delivery;
  return { type: 'error.owed', id: received.datagram.id, to: from, text: 'no session: say Hello first', socket };
});

const tellError = base.enqueueActions(({ context, event, enqueue }) => {
  const datagram = datagramOf(event);
  if (event.type !== 'datagram.unsolicited' || datagram?.type !== 'Error') return;
  const name = knownPeerAt(context, event.from)?.name;
  enqueue.emit({ type: 'error.received', from: event.from, name, text: datagram.text });
});

/* Walks */

function startWalk(
  { context, enqueue, self }: Enqueueing,
  name: string,
  announced: Hash | undefined,
  atMs: number,
): void {
  const input = { name, owner: self, announced, quota: context.quota, atMs };
  enqueue.spawnChild('merkleWalk', { id: actorId.merkleWalk(name), input });
  enqueue.assign(({ context: now }) => ({ walks: withEntry(now.walks, name, null) }));
}

const walkWanted = base.enqueueActions((args) => {
  const { event } = args;
  if (event.type === 'sync.wanted') startWalk(args, event.name, undefined, event.atMs);
  if (event.type === 'announcement.verified') startWalk(args, event.name, event.root, event.atMs);
});

const rememberAnnounced = base.assign(({ context, event }) =>
  event.type === 'announcement.verified' ? { walks: withEntry(context.walks, event.name, event.root) } : {},
);

const verifyAnnouncement = base.enqueueActions(({ context, event, enqueue }) => {
  const announcement = announcementIn(context, event);
  if (announcement !== undefined) enqueue({ type: 'verifyAnnouncement', params: announcement });
});

const walkFollowed = base.enqueueActions((args) => {
  const { context, event, enqueue } = args;
  const { atMs } = event as Extract<PeerEvent, { type: 'registration.listed' | 'following.changed' | 'sweep' }>;
  for (const name of context.following) {
    if (entryOf(context.walks, name) === undefined) startWalk(args, name, undefined, atMs);
  }
  enqueue.assign({ followedAtMs: atMs });
});

const noteFollowing = base.assign(({ event }) =>
  event.type === 'following.changed' ? { following: event.names } : {},
);

const tellProgress = base.enqueueActions(({ event, enqueue }) => {
  if (event.type === 'sync.progressed') enqueue.emit(event);
});

/* Publishing */

const noteRoot = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'root.published') return;
  enqueue.assign({ root: event.root });
  enqueue.emit({ type: 'root.published', root: event.root });
  enqueue({ type: 'sealRoot', params: { root: event.root } });
  for (const [, { address }] of entriesOf(context.incoming)) {
    enqueue.sendTo(actorId.incomingSession(address), { type: 'root.changed', root: event.root });
  }
});

/** A new root goes to each peer that we hold a session to (protocol §5). */
const pushRoot = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'root.sealed') return;
  for (const [, { address: to }] of entriesOf(context.outgoing)) {
    if (to === undefined || isDirectoryAt(context, to)) continue;
    const socket = socketFor(context.sockets, to);
    if (socket !== undefined) enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [event.bytes], to });
  }
});

/* Time, and children that end */

const sweepSessions = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'sweep') return;
  for (const [id] of entriesOf(context.outgoing)) enqueue.sendTo(id as string, event);
  for (const [, { address }] of entriesOf(context.incoming)) enqueue.sendTo(actorId.incomingSession(address), event);
  enqueue.assign({ errorsSent: 0, errorsTo: emptyTable<number>(), traversals: 0, restarts: 0 });
});

/** A child that is done stays in `children` until it is stopped. */
const reap = base.enqueueActions((args) => {
  const { event, enqueue } = args;
  const { actorId: id, output } = event as unknown as { actorId: string; output: unknown };
  enqueue.stopChild(id);
  if (id.startsWith(actorId.merkleWalk(''))) endWalk(args, output as MerkleWalkOutput);
  if (id.startsWith(actorId.outgoingSession(''))) enqueue.assign({ outgoing: withoutEntry(args.context.outgoing, id) });
  if (id.startsWith('incoming-session.')) endIncoming(args, (output as { address: SocketAddress }).address);
});

function endWalk(args: Enqueueing, { report, atMs }: MerkleWalkOutput): void {
  const { context, enqueue } = args;
  const announced = entryOf(context.walks, report.peer);
  enqueue.assign({ walks: withoutEntry(context.walks, report.peer) });
  enqueue.emit({ type: 'sync.finished', report });
  if (announced && announced !== report.root) startWalk(args, report.peer, announced, atMs);
}

function endIncoming({ context, enqueue }: Enqueueing, address: SocketAddress): void {
  const text = formatAddress(address);
  const entry = entryOf(context.incoming, text);
  enqueue.assign({ incoming: withoutEntry(context.incoming, text) });
  if (entry !== undefined) enqueue.sendTo(entry.socket, { type: 'source.unrouted', source: address });
}

/** A child that failed never takes the root down: it is put away, reported, and started again within bounds. */
const mend = base.enqueueActions((args) => {
  const { context, event, enqueue, self } = args;
  const { actorId: id, error } = event as unknown as { actorId: string; error: unknown };
  enqueue.stopChild(id);
  enqueue.assign({ restarts: context.restarts + 1 });
  const what = error instanceof Error ? error.message : String(error);
  enqueue.emit({ type: 'peer.warning', message: `${id} failed and was put away: ${what}` });
  if (id.startsWith(actorId.merkleWalk(''))) {
    endWalk(args, failedWalk(id.slice(actorId.merkleWalk('').length), what, context.followedAtMs));
  }
  for (const [, { address }] of entriesOf(context.incoming)) {
    if (actorId.incomingSession(address) === id) endIncoming(args, address);
  }
  if (entryOf(context.outgoing, id) !== undefined) enqueue.assign({ outgoing: withoutEntry(context.outgoing, id) });
  if (context.restarts >= limits.restarts) return;
  if (id === actorId.directoryClient) {
    enqueue.spawnChild('directoryClient', { id, input: { owner: self, register: context.register } });
  }
  context.binds.forEach((bind, index) => {
    if (actorId.socket(index) === id) enqueue.spawnChild('socket', { id, input: { index, bind, owner: self } });
  });
});

nameActions({
  openSockets,
  noteSocket,
  tellSocketFailed,
  startDirectoryClient,
  noteDirectory,
  greetDirectory,
  noteListed,
  tellListed,
  tellDirectoryFailed,
  openSession,
  helloAddress,
  noteEstablished,
  noteLost,
  askForTraversal,
  openOwnNat,
  admit,
  noteAccepted,
  noteProven,
  sendError,
  refuseStranger,
  tellError,
  walkWanted,
  rememberAnnounced,
  verifyAnnouncement,
  walkFollowed,
  noteFollowing,
  tellProgress,
  noteRoot,
  pushRoot,
  sweepSessions,
  reap,
  mend,
});

export const peerMachine = base.createMachine({
  id: 'peer',
  description: 'The root peer actor: supervises sockets, directory client, sessions and walks.',
  context: ({ input }) => initialPeerContext(input),
  initial: 'running',
  states: {
    running: {
      description: 'Sockets are open, or being opened; everything else follows from what comes in.',
      entry: [openSockets, startDirectoryClient],
      on: {
        'socket.ready': { actions: noteSocket },
        'socket.lost': { actions: tellSocketFailed },

        'stranger.asked': [{ guard: 'isHello', actions: admit }, { actions: refuseStranger }],
        'datagram.unsolicited': [
          { guard: 'isAnnouncement', actions: verifyAnnouncement },
          { guard: 'isTraversalOrder', actions: openOwnNat },
          { guard: 'isError', actions: tellError },
        ],
        'error.owed': { guard: 'mayOweError', actions: sendError },

        'directory.known': { actions: noteDirectory },
        'directory.greetingWanted': { actions: greetDirectory },
        'registration.listed': { actions: [noteListed, tellListed, walkFollowed] },
        'registration.failed': { actions: tellDirectoryFailed },

        'session.wanted': { actions: openSession },
        'hello.wanted': { actions: helloAddress },
        'session.established': { actions: noteEstablished },
        'session.lost': { actions: noteLost },
        'traversal.wanted': { actions: askForTraversal },
        'session.accepted': { actions: noteAccepted },
        'address.proven': { actions: noteProven },

        'sync.wanted': [{ guard: 'isSyncing' }, { actions: walkWanted }],
        'sync.progressed': { actions: tellProgress },
        'following.changed': { actions: [noteFollowing, walkFollowed] },
        'announcement.verified': [
          { guard: 'isForged' },
          { guard: 'isSyncing', actions: rememberAnnounced },
          { actions: walkWanted },
        ],

        'root.published': { actions: noteRoot },
        'root.sealed': { actions: pushRoot },

        sweep: [{ guard: 'isFollowDue', actions: [sweepSessions, walkFollowed] }, { actions: sweepSessions }],
        'xstate.done.actor.*': { actions: reap },
        'xstate.error.actor.*': { actions: mend },
        'peer.stop': 'stopped',
      },
    },
    stopped: { type: 'final', description: 'Every child is stopped; the sockets are released outside.' },
  },
});
