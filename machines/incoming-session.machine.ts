/**
 * A session that somebody else opened towards us, one per source address (protocol §5): learns the key, verifies Hello,
 * answers it, proves the address, and serves our tree.
 */
import { type AnyActorRef, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { type Datagram, encodeDatagram, SIGNATURE_BYTES } from '../src/wire/datagram.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { addressProofMachine } from './address-proof.machine.ts';
import { effect } from './effects.ts';
import type { NodeRequest } from './events.ts';
import {
  affordableHellos,
  allowance,
  helloSize,
  type IncomingSessionContext,
  type IncomingSessionEvent,
  type IncomingSessionInput,
  isAwaited,
  KNOWN_PEER_A,
  type NodeRead,
  nameIn,
  proofOf,
  requested,
} from './incoming-session-context.ts';
import { nameActions } from './named.ts';
import { limits, timing } from './timing.ts';

const base = setup({
  types: {
    context: {} as IncomingSessionContext,
    events: {} as IncomingSessionEvent,
    input: {} as IncomingSessionInput,
  },
  actors: { addressProof: addressProofMachine },
  actions: {
    findKey: effect<{ name: string; from: SocketAddress }>('findKey'),
    verifyHello: effect<{ id: number; key: PublicKey; signed: Uint8Array; signature: Uint8Array }>('verifyHello'),
    /** Signs and hands the bytes to the socket as a `datagrams.send`. */
    sendSigned: effect<{ datagram: Datagram; to: SocketAddress; socket: AnyActorRef }>('sendSigned'),
    /** What the store has for each: `nodes.read`. */
    readNodes: effect<{ requests: readonly NodeRequest[] }>('readNodes'),
  },
  guards: {
    isUntrusted: ({ event }) => event.type === 'key.found' && !event.trusted,
    isKeyless: ({ event }) => event.type === 'key.found' && event.key === undefined,
    isUnsigned: ({ context, event }) =>
      event.type === 'key.found' && event.key !== undefined && context.hello?.received.signature === undefined,
    isGenuine: ({ context, event }) => event.type === 'hello.verified' && event.valid && isAwaited(context, event),
    isAwaited: ({ context, event }) => event.type === 'hello.verified' && isAwaited(context, event),
    isProven: ({ context }) => context.proven,
    isHello: ({ event }) => requested(event)?.type === 'Hello',
    isHelloUnderOtherName: ({ context, event }) => {
      const datagram = requested(event);
      return datagram?.type === 'Hello' && datagram.name !== context.name;
    },
    /** One at a time: else whoever forges them could push out the genuine one while it is verified. */
    isHelloHeld: ({ context, event }) => requested(event)?.type === 'Hello' && context.hello !== undefined,
    isHelloWithoutKey: ({ context, event }) => requested(event)?.type === 'Hello' && context.key === undefined,
    isUnderSameName: ({ context, event }) =>
      event.type === 'session.proven' && event.name === (context.hello ? nameIn(context.hello) : context.name),
    isRootRequest: ({ event }) => requested(event)?.type === 'RootRequest',
    /** What was asked meanwhile entitles to another try; the request that brings it is repeated anyway. */
    isHelloAffordable: ({ context, event }) =>
      context.bytesSent + helloSize(context.ownName) <=
      limits.amplification * (context.bytesReceived + ('size' in event ? event.size : 0)),
    isProofSuccessful: ({ event }) => proofOf(event).proven,
    isExpired: ({ context, event }) =>
      event.type === 'sweep' && event.atMs - context.openedAtMs >= timing.sessionLifetime,
    isForgotten: ({ context, event }) =>
      event.type === 'sweep' && event.atMs - context.openedAtMs >= timing.sessionLifetime + timing.expiredSessionMemory,
  },
});

/** From now on the socket hands us what comes from this address. */
const routeSource = base.sendTo(
  ({ context }) => context.socket,
  ({ context, self }) => ({ type: 'source.routed', source: context.address, to: self }),
);

const countReceived = base.assign(({ context, event }) =>
  'size' in event ? { bytesReceived: context.bytesReceived + event.size } : {},
);

const holdHello = base.assign(({ event }) => {
  if (event.type !== 'request.received') return {};
  const { received, from, size, atMs, socket } = event;
  return { hello: { received, from, size, atMs, socket }, socket };
});

const noteKey = base.assign(({ event }) => (event.type === 'key.found' ? { key: event.key } : {}));

const findKey = base.enqueueActions(({ context, enqueue }) => {
  enqueue({ type: 'findKey', params: { name: nameIn(context.hello), from: context.address } });
});

const verifyHello = base.enqueueActions(({ context, enqueue }) => {
  const { hello, key } = context;
  const signature = hello?.received.signature;
  if (hello === undefined || key === undefined || signature === undefined) return;
  const { signed, datagram } = hello.received;
  enqueue({ type: 'verifyHello', params: { id: datagram.id, key, signed, signature } });
});

/** The Hello is accepted: HelloReply is owed (protocol §5). */
const answerHello = base.enqueueActions(({ context, enqueue }) => {
  const { hello, ownName, address, bytesSent } = context;
  const datagram = hello?.received.datagram;
  if (hello === undefined || datagram?.type !== 'Hello') return;
  enqueue.assign({
    name: datagram.name,
    openedAtMs: hello.atMs,
    mustSign: (datagram.flags & KNOWN_PEER_A) !== 0,
    hello: undefined,
  });
  // The first is always answered; repeats of one that is shorter than our answer, as often as they have paid for it.
  if (bytesSent > 0 && allowance(context) < helloSize(ownName)) return;
  const reply: Datagram = { type: 'HelloReply', id: datagram.id, flags: 0, name: ownName };
  enqueue({ type: 'sendSigned', params: { datagram: reply, to: address, socket: hello.socket } });
  enqueue.assign({ bytesSent: bytesSent + helloSize(ownName) });
});

const forgetHello = base.assign({ hello: undefined });

const holdNewcomer = base.assign(({ event }) => (event.type === 'request.received' ? { newcomer: event } : {}));
const forgetNewcomer = base.assign({ newcomer: undefined });
/** Somebody else is at this address now: all begins anew. */
const admitNewcomer = base.assign(({ context }) => ({
  hello: context.newcomer,
  newcomer: undefined,
  proven: false,
  bytesReceived: context.newcomer?.size ?? 0,
  bytesSent: 0,
}));

const reportAccepted = base.sendTo(
  ({ context }) => context.owner,
  ({ context: { name, address, key, proven, openedAtMs: atMs } }) => {
    return { type: 'session.accepted', name, address, key, proven, atMs };
  },
);
const reportProven = base.sendTo(
  ({ context }) => context.owner,
  ({ context: { name, address, key, openedAtMs: atMs } }) => ({ type: 'address.proven', name, address, key, atMs }),
);

const reportExpired = base.sendTo(
  ({ context }) => context.owner,
  ({ context }) => ({ type: 'session.expired', address: context.address }),
);

const noteProven = base.assign({ proven: true });
/** Who is at an address an hour later may be somebody else. */
const forgetProof = base.assign({ proven: false });
const noteProofTime = base.assign(({ event }) => ({ openedAtMs: proofOf(event).atMs }));

/** Our Hello and its repeats count towards the limit of three times (protocol §5); one Hello is always sent. */
const budgetProof = base.assign(({ context }) => {
  const proofSends = affordableHellos(context);
  return { proofSends, bytesSent: context.bytesSent + proofSends * helloSize(context.ownName) };
});

const noteRoot = base.assign(({ event }) => (event.type === 'root.changed' ? { ownRoot: event.root } : {}));

const sendRoot = base.enqueueActions(({ context, event, enqueue }) => {
  const { ownRoot: hash } = context;
  if (event.type !== 'request.received' || hash === undefined || allowance(context) < 103) return;
  enqueue({
    type: 'sendSigned',
    params: {
      datagram: { type: 'Root', id: event.received.datagram.id, hash },
      to: context.address,
      socket: event.socket,
    },
  });
  enqueue.assign({ bytesSent: context.bytesSent + 103 });
});

const readNodes = base.enqueueActions(({ event, enqueue }) => {
  if (event.type === 'nodes.requested') enqueue({ type: 'readNodes', params: { requests: event.requests } });
});

/** Bytes of an answer with a node. */
function answerSize({ value }: NodeRead, { mustSign }: IncomingSessionContext): number {
  return 7 + 32 + (value?.length ?? 0) + (mustSign ? SIGNATURE_BYTES : 0);
}

/** What cannot be afforded now is not sent: it is asked for again. */
const sendNodes = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'nodes.read') return;
  const { address: to, socket, mustSign, proven, bytesSent } = context;
  const allowed = allowance(context);
  let size = 0;
  const answers: Datagram[] = [];
  for (const node of event.nodes) {
    if (size + answerSize(node, context) > allowed) continue;
    size += answerSize(node, context);
    const { id, hash, value } = node;
    answers.push(value === undefined ? { type: 'NoDatum', id, hash } : { type: 'Datum', id, hash, value });
  }
  if (mustSign) for (const datagram of answers) enqueue({ type: 'sendSigned', params: { datagram, to, socket } });
  else if (answers.length > 0) {
    enqueue.sendTo(socket, { type: 'datagrams.send', datagrams: answers.map(encodeDatagram), to });
  }
  if (!proven) enqueue.assign({ bytesSent: bytesSent + size });
});

/** An Error for each request; of many at once, for as many as the owner would let go out at most. */
const owe = (text: string) =>
  base.enqueueActions(({ context, event, enqueue }) => {
    const asked = event.type === 'nodes.requested' ? event.requests : [requested(event)];
    for (const request of asked.slice(0, limits.errorsPerSource)) {
      const { address: to, socket, owner } = context;
      enqueue.sendTo(owner, { type: 'error.owed', id: request?.id ?? 0, to, text, socket });
    }
  });
const oweNoSession = owe('no session: say Hello first');
const oweExpired = owe('session expired: say Hello again');
const oweUnknownRequest = owe('unknown request type');

nameActions({
  routeSource,
  countReceived,
  holdHello,
  noteKey,
  findKey,
  verifyHello,
  answerHello,
  forgetHello,
  holdNewcomer,
  forgetNewcomer,
  admitNewcomer,
  forgetProof,
  reportAccepted,
  reportProven,
  reportExpired,
  noteProven,
  noteProofTime,
  budgetProof,
  noteRoot,
  sendRoot,
  readNodes,
  sendNodes,
  oweNoSession,
  oweExpired,
  oweUnknownRequest,
});

export const incomingSessionMachine = base.createMachine({
  id: 'incoming-session',
  description: 'A session that somebody opened towards us, one per source address (protocol §5).',
  context: ({ input }) => ({
    ...input,
    newcomer: undefined,
    name: '',
    key: undefined,
    mustSign: false,
    bytesReceived: input.hello.size,
    bytesSent: 0,
    proofSends: 0,
    openedAtMs: input.hello.atMs,
  }),
  output: ({ context }) => ({ address: context.address }),
  entry: routeSource,
  initial: 'identifying',
  on: {
    'root.changed': { actions: noteRoot },
    'session.proven': { guard: 'isUnderSameName', actions: noteProven },
  },
  states: {
    identifying: {
      description: 'Learning the key of whoever says Hello: a pinned one, else the directory is asked.',
      entry: findKey,
      on: {
        'key.found': [
          { guard: 'isUntrusted', target: 'ended' },
          { guard: 'isKeyless', target: 'accepting', actions: noteKey },
          { guard: 'isUnsigned', target: 'ended' },
          { target: 'verifying', actions: noteKey },
        ],
        'request.received': [{ guard: 'isHello', actions: countReceived }, { actions: [countReceived, oweNoSession] }],
        'nodes.requested': { actions: [countReceived, oweNoSession] },
      },
    },
    verifying: {
      description: 'A key is known, so the signature of Hello must verify (protocol §7).',
      entry: verifyHello,
      on: {
        'hello.verified': [
          { guard: 'isGenuine', target: 'accepting' },
          { guard: 'isAwaited', target: 'ended' },
        ],
        'request.received': [{ guard: 'isHello', actions: countReceived }, { actions: [countReceived, oweNoSession] }],
        'nodes.requested': { actions: [countReceived, oweNoSession] },
      },
    },
    accepting: {
      description: 'HelloReply goes out.',
      entry: [answerHello, reportAccepted],
      always: [{ guard: 'isProven', target: 'live.proven' }, { target: 'live.proving' }],
    },
    live: {
      description: 'Requests are answered, for one hour after the last Hello.',
      initial: 'proving',
      on: {
        'request.received': [
          { guard: 'isHelloHeld', actions: countReceived },
          { guard: 'isHelloWithoutKey', actions: [countReceived, holdHello, answerHello] },
          { guard: 'isHello', actions: [countReceived, holdHello, verifyHello] },
          { guard: 'isRootRequest', actions: [countReceived, sendRoot] },
          { actions: [countReceived, oweUnknownRequest] },
        ],
        'nodes.requested': { actions: [countReceived, readNodes] },
        'hello.verified': [
          { guard: 'isGenuine', actions: answerHello },
          { guard: 'isAwaited', actions: forgetHello },
        ],
        'nodes.read': { actions: sendNodes },
        sweep: { guard: 'isExpired', target: 'expired', actions: [forgetProof, reportExpired] },
      },
      states: {
        proving: {
          description: 'Our own Hello must be answered before large answers go to this address.',
          entry: budgetProof,
          invoke: {
            src: 'addressProof',
            id: 'address-proof',
            input: ({ context }) => ({
              address: context.address,
              name: context.name,
              key: context.key,
              ownName: context.ownName,
              socket: context.socket,
              random: context.random,
              maxSends: context.proofSends,
              atMs: context.openedAtMs,
            }),
            onDone: [
              { guard: 'isProofSuccessful', target: 'proven', actions: [noteProven, noteProofTime, reportProven] },
              { guard: 'isProven', target: 'proven' },
              { target: 'unproven' },
            ],
          },
          // Somebody else's Hello from here waits, being repeated, until it is clear who is at this address.
          on: { 'request.received': { guard: 'isHelloUnderOtherName' } },
        },
        proven: {
          description: 'The address is not forged: whatever is asked for is sent.',
          on: {
            'nodes.requested': { actions: readNodes },
            'request.received': { guard: 'isHelloUnderOtherName', target: 'doubting', actions: holdNewcomer },
          },
        },
        doubting: {
          description:
            'Hello came under another name, maybe forged: whoever is in session stays, until a Hello of ours is answered under that name.',
          invoke: {
            src: 'addressProof',
            id: 'address-proof',
            input: ({ context }) => ({
              address: context.address,
              name: nameIn(context.newcomer),
              key: undefined,
              ownName: context.ownName,
              socket: context.socket,
              random: context.random,
              maxSends: limits.doubtSends,
              atMs: context.newcomer?.atMs ?? context.openedAtMs,
            }),
            onDone: [
              { guard: 'isProofSuccessful', target: '#incoming-session.identifying', actions: admitNewcomer },
              { target: 'proven', actions: forgetNewcomer },
            ],
          },
          on: { 'request.received': { guard: 'isHelloUnderOtherName' } },
        },
        unproven: {
          description:
            'Our Hello stayed unanswered: at most three times the bytes received go there, until it is tried again.',
          on: {
            'session.proven': { guard: 'isUnderSameName', target: 'proven', actions: noteProven },
            'request.received': [
              {
                guard: 'isHello',
                target: '#incoming-session.identifying',
                actions: [countReceived, holdHello],
              },
              { guard: 'isHelloAffordable', target: 'proving', actions: countReceived },
            ],
            'nodes.requested': { guard: 'isHelloAffordable', target: 'proving', actions: countReceived },
          },
        },
      },
    },
    expired: {
      description: 'The hour is over; remembered for another, to say so to whoever still asks.',
      on: {
        'request.received': [
          { guard: 'isHello', target: 'identifying', actions: [countReceived, holdHello] },
          { actions: oweExpired },
        ],
        'nodes.requested': { actions: oweExpired },
        sweep: { guard: 'isForgotten', target: 'ended' },
      },
    },
    ended: { type: 'final', description: 'Nothing is owed to this address any more.' },
  },
});
