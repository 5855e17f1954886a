/** What the directory asks itself before it acts, and what it does then. */
import { type AnyActorRef, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { emptyTable, entriesOf, entryOf, type Table, withEntry, withoutEntry } from '../src/merkle/hash-table.ts';
import { isYounger } from '../src/wire/age.ts';
import { type Datagram, encodeDatagram } from '../src/wire/datagram.ts';
import { EMPTY_ROOT } from '../src/wire/hash.ts';
import { formatAddress, type SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { type AddressProofOutput, addressProofMachine } from './address-proof.machine.ts';
import type {
  DirectoryContext,
  DirectoryEvent,
  DirectoryFact,
  DirectoryInput,
  ProofRow,
  SessionRow,
} from './directory-context.ts';
import { effect } from './effects.ts';
import { type Delivery, socketFor, withSocket } from './events.ts';
import { nameActions } from './named.ts';
import { socketMachine } from './socket.machine.ts';
import { limits, timing } from './timing.ts';

/** A proof is not repeated for a Hello that follows it this closely: it is the same Hello, sent again. */
const PROOF_IS_FRESH_MS = 10_000;
const MAX_SESSIONS = 65_536;
/** Sessions that go at once when there are too many: looking for the oldest one for each Hello of a flood would cost too much. */
const EVICTED_AT_ONCE = MAX_SESSIONS / 16;
const MAX_PROOFS = 1_024;
/** Bytes of our Hello, and of our HelloReply: header, flags, an empty name, signature. */
const GREETING_BYTES = 7 + 5 + 64;

export const base = setup({
  types: {
    context: {} as DirectoryContext,
    events: {} as DirectoryEvent,
    input: {} as DirectoryInput,
    emitted: {} as DirectoryFact,
  },
  actors: { socket: socketMachine, addressProof: addressProofMachine },
  actions: {
    /** Looks the name up and verifies the signature: `hello.checked`. */
    checkHello: effect<{ hello: Delivery }>('checkHello'),
    /** Is the target listed? `traversal.checked`. */
    checkTraversal: effect<{ sender: SocketAddress; target: SocketAddress }>('checkTraversal'),
    listAddress: effect<{ name: string; key: PublicKey | undefined; address: SocketAddress }>('listAddress'),
    forgetExpired: effect<void>('forgetExpired'),
    /** Signs, if this directory signs, and hands the bytes to the socket as a `datagrams.send`. */
    sendSigned: effect<{ datagram: Datagram; to: SocketAddress; socket: AnyActorRef }>('sendSigned'),
  },
  guards: {
    isHello: ({ event }) => datagramOf(event)?.type === 'Hello',
    isRootRequest: ({ context, event }) =>
      datagramOf(event)?.type === 'RootRequest' && sessionOf(context, event) !== undefined,
    isGetDatum: ({ context, event }) =>
      datagramOf(event)?.type === 'GetDatum' && sessionOf(context, event) !== undefined,
    isTraversalRequest: ({ context, event }) =>
      datagramOf(event)?.type === 'NatTraversalClient' && sessionOf(context, event) !== undefined,
    isForged: ({ event }) => event.type === 'hello.checked' && event.status === 'forged',
    mustProve: ({ context, event }) => mustProve(context, event),
    mayForward: ({ context, event }) =>
      event.type === 'traversal.checked' &&
      event.isListed &&
      [event.sender, event.target].every(
        (address) => (entryOf(context.traversals, formatAddress(address)) ?? 0) < limits.traversalsPerSweep,
      ),
    mayOweError: ({ context, event }) =>
      event.type === 'stranger.asked' &&
      context.errorsSent < limits.errorsInAll &&
      (entryOf(context.errorsTo, formatAddress(event.from)) ?? 0) < limits.errorsPerSource,
    isProofSuccessful: ({ event }) => proofOf(event).proven,
  },
});

function datagramOf(event: DirectoryEvent): Datagram | undefined {
  return event.type === 'stranger.asked' || event.type === 'datagram.unsolicited' ? event.received.datagram : undefined;
}

function sessionOf(context: DirectoryContext, event: DirectoryEvent): SessionRow | undefined {
  if (event.type !== 'stranger.asked' && event.type !== 'datagram.unsolicited') return undefined;
  const row = entryOf(context.sessions, formatAddress(event.from));
  return row !== undefined && isYounger(row.openedAtMs, timing.sessionLifetime, event.atMs) ? row : undefined;
}

function proofOf(event: unknown): AddressProofOutput {
  return (event as { output: AddressProofOutput }).output;
}

function nameIn(hello: Delivery): string {
  const { datagram } = hello.received;
  return datagram.type === 'Hello' ? datagram.name : '';
}

function mustProve(context: DirectoryContext, event: DirectoryEvent): boolean {
  if (event.type !== 'hello.checked' || event.status !== 'registered') return false;
  const source = formatAddress(event.hello.from);
  if (entryOf(context.proving, source)) return false;
  const row = entryOf(context.sessions, source);
  const isFresh =
    row?.name === nameIn(event.hello) &&
    row.provenAtMs !== undefined &&
    isYounger(row.provenAtMs, PROOF_IS_FRESH_MS, event.hello.atMs);
  return !isFresh;
}

export const openSockets = base.enqueueActions(({ context, enqueue, self }) => {
  context.binds.forEach((bind, index) => {
    enqueue.spawnChild('socket', { id: actorId.socket(index), input: { index, bind, owner: self } });
  });
});

export const noteSocket = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'socket.ready') return;
  enqueue.assign({ sockets: withSocket(context.sockets, event.address, event.socket) });
  enqueue.emit({ type: 'socket.bound', index: event.index, address: event.address });
});

export const tellSocketFailed = base.emit(({ event }) => ({
  type: 'socket.failed',
  why: event.type === 'socket.lost' ? event.why : '',
}));

export const checkHello = base.enqueueActions(({ event, enqueue }) => {
  if (event.type !== 'stranger.asked') return;
  const { received, from, size, atMs, socket } = event;
  enqueue({ type: 'checkHello', params: { hello: { received, from, size, atMs, socket } } });
});

export const tellIgnored = base.emit(({ event }) => {
  const { hello } = event as Extract<DirectoryEvent, { type: 'hello.checked' }>;
  return { type: 'hello.ignored', name: nameIn(hello), address: hello.from };
});

/** Proven sessions stay; of the others the oldest go (protocol §9). */
function withRoom(sessions: Table<SessionRow>): Table<SessionRow> {
  if (sessions.size < MAX_SESSIONS) return sessions;
  const unproven = [...entriesOf(sessions)].filter(([, { provenAtMs }]) => provenAtMs === undefined);
  unproven.sort(([, left], [, right]) => left.openedAtMs - right.openedAtMs);
  return unproven.slice(0, EVICTED_AT_ONCE).reduce((rest, [text]) => withoutEntry(rest, text), sessions);
}

/** What goes to an address that is not proven is at most three times what came from it; one Hello is always sent (protocol §5). */
function affordableHellos(helloBytes: number): number {
  const sends = Math.floor((limits.amplification * helloBytes - GREETING_BYTES) / GREETING_BYTES);
  return Math.max(1, Math.min(limits.helloSends, sends));
}

/** HelloReply is owed for every Hello that is not ignored (protocol §5). */
export const answerHello = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'hello.checked') return;
  const { received, from, size, atMs, socket } = event.hello;
  const name = nameIn(event.hello);
  const text = formatAddress(from);
  const known = entryOf(context.sessions, text);
  const sessions = known === undefined ? withRoom(context.sessions) : context.sessions;
  if (known === undefined && sessions.size >= MAX_SESSIONS) return;
  const provenAtMs = known?.name === name ? known.provenAtMs : undefined;
  // The first is always answered; repeats of one that is shorter than our answer, as often as they have paid for it.
  const paid = (known?.paid ?? 0) + limits.amplification * size;
  const isReplyOwed = known === undefined || provenAtMs !== undefined || paid >= GREETING_BYTES;
  const row: SessionRow = { address: from, openedAtMs: atMs, provenAtMs, name, paid: isReplyOwed ? 0 : paid };
  enqueue.assign({ sessions: withEntry(sessions, text, row) });
  if (!isReplyOwed) return;
  const datagram: Datagram = { type: 'HelloReply', id: received.datagram.id, flags: 0, name: '' };
  enqueue({ type: 'sendSigned', params: { datagram, to: from, socket } });
  enqueue.emit({ type: 'hello.answered', name, address: from });
});

/** Who is really there answers within a round trip: what has been waiting longest makes room (protocol §9). */
function oldestProof(proving: Table<ProofRow>): ProofRow | undefined {
  let oldest: ProofRow | undefined;
  for (const [, row] of entriesOf(proving)) if (oldest === undefined || row.atMs < oldest.atMs) oldest = row;
  return oldest;
}

export const proveAddress = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'hello.checked') return;
  const { from: address, size, atMs, socket } = event.hello;
  const id = actorId.addressProof(address);
  const { random } = context;
  const name = nameIn(event.hello);
  const maxSends = affordableHellos(size);
  let { proving } = context;
  const oldest = proving.size < MAX_PROOFS ? undefined : oldestProof(proving);
  if (oldest !== undefined) {
    enqueue.stopChild(actorId.addressProof(oldest.address));
    enqueue.sendTo(oldest.socket, { type: 'source.unrouted', source: oldest.address, isCutOff: true });
    proving = withoutEntry(proving, formatAddress(oldest.address));
  }
  enqueue.spawnChild('addressProof', {
    id,
    input: { address, name, key: event.key, ownName: '', socket, random, maxSends, atMs },
  });
  enqueue.assign({ proving: withEntry(proving, formatAddress(address), { address, socket, atMs }) });
});

export const listProven = base.enqueueActions(({ context, event, enqueue }) => {
  const { name, key, address, atMs } = proofOf(event);
  const text = formatAddress(address);
  const row = entryOf(context.sessions, text);
  if (row !== undefined) {
    enqueue.assign({ sessions: withEntry(context.sessions, text, { ...row, name, provenAtMs: atMs }) });
  }
  enqueue({ type: 'listAddress', params: { name, key, address } });
  enqueue.emit({ type: 'address.proven', name, address });
});

export const tellUnproven = base.emit(({ event }) => {
  const { name, address } = proofOf(event);
  return { type: 'address.unproven', name, address };
});

/** A child that is done stays in `children` until it is stopped. */
export const reap = base.enqueueActions(({ context, event, enqueue }) => {
  enqueue.stopChild((event as unknown as { actorId: string }).actorId);
  enqueue.assign({ proving: withoutEntry(context.proving, formatAddress(proofOf(event).address)) });
});

export const mend = base.enqueueActions(({ context, event, enqueue, self }) => {
  const { actorId: id, error } = event as unknown as { actorId: string; error: unknown };
  enqueue.stopChild(id);
  enqueue.emit({ type: 'directory.warning', message: `${id} failed and was put away: ${String(error)}` });
  enqueue.assign({ proving: withoutEntry(context.proving, id.replace('address-proof.', '')) });
  context.binds.forEach((bind, index) => {
    if (actorId.socket(index) === id) enqueue.spawnChild('socket', { id, input: { index, bind, owner: self } });
  });
});

export const sendEmptyRoot = base.enqueueActions(({ event, enqueue }) => {
  if (event.type !== 'stranger.asked') return;
  const datagram: Datagram = { type: 'Root', id: event.received.datagram.id, hash: EMPTY_ROOT };
  enqueue({ type: 'sendSigned', params: { datagram, to: event.from, socket: event.socket } });
});

/** Signed, though it need not be: one known peer panics on an unsigned answer from a directory (protocol §11, A). */
export const sendNoDatum = base.enqueueActions(({ event, enqueue }) => {
  const asked = datagramOf(event);
  if (event.type !== 'stranger.asked' || asked?.type !== 'GetDatum') return;
  const datagram: Datagram = { type: 'NoDatum', id: asked.id, hash: asked.hash };
  enqueue({ type: 'sendSigned', params: { datagram, to: event.from, socket: event.socket } });
});

export const sendError = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'stranger.asked') return;
  const { from: to, socket, received } = event;
  const source = formatAddress(to);
  const hadSession = entryOf(context.sessions, source) !== undefined;
  const refusal = hadSession ? 'session expired: say Hello again' : 'no session: say Hello first';
  const text = sessionOf(context, event) ? 'unknown request type' : refusal;
  enqueue.assign({
    errorsSent: context.errorsSent + 1,
    errorsTo: withEntry(context.errorsTo, source, (entryOf(context.errorsTo, source) ?? 0) + 1),
  });
  const bytes = encodeDatagram({ type: 'Error', id: received.datagram.id, text });
  enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: [bytes], to });
});

export const checkTraversal = base.enqueueActions(({ event, enqueue }) => {
  const asked = datagramOf(event);
  if (event.type !== 'datagram.unsolicited' || asked?.type !== 'NatTraversalClient') return;
  enqueue({ type: 'checkTraversal', params: { sender: event.from, target: asked.address } });
});

export const forwardTraversal = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'traversal.checked') return;
  const { sender, target } = event;
  const socket = socketFor(context.sockets, target);
  if (socket === undefined) return;
  let { traversals } = context;
  for (const address of [sender, target].map(formatAddress)) {
    traversals = withEntry(traversals, address, (entryOf(traversals, address) ?? 0) + 1);
  }
  enqueue.assign({ traversals });
  const datagram: Datagram = { type: 'NatTraversalServer', id: 0, address: sender };
  enqueue({ type: 'sendSigned', params: { datagram, to: target, socket } });
  enqueue.emit({ type: 'traversal.forwarded', sender, target });
});

export const sweep = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'sweep') return;
  let { sessions } = context;
  const rememberedMs = timing.sessionLifetime + timing.expiredSessionMemory;
  for (const [text, { openedAtMs }] of entriesOf(sessions)) {
    if (!isYounger(openedAtMs, rememberedMs, event.atMs)) sessions = withoutEntry(sessions, text);
  }
  enqueue.assign({ sessions, errorsSent: 0, errorsTo: emptyTable<number>(), traversals: emptyTable<number>() });
  enqueue('forgetExpired');
});

nameActions({
  openSockets,
  noteSocket,
  tellSocketFailed,
  checkHello,
  tellIgnored,
  answerHello,
  proveAddress,
  listProven,
  tellUnproven,
  reap,
  mend,
  sendEmptyRoot,
  sendNoDatum,
  sendError,
  checkTraversal,
  forwardTraversal,
  sweep,
});
