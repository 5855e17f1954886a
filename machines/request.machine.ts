/**
 * One retransmitted request (protocol §6): sends it, repeats it with a doubling timeout, and accepts only an answer that fits.
 *
 * An actor of this machine is a slot: its session opens it for one request after another, since spawning costs
 * ten times what sending does.
 */
import { type AnyActorRef, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { appendSignature, type Datagram, encodeDatagram, type ReceivedDatagram } from '../src/wire/datagram.ts';
import { type Hash, hashOf } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { effect, type Random } from './effects.ts';
import { nameActions } from './named.ts';
import { limits, timing } from './timing.ts';

/** What to ask; the slot adds the id. */
export type Question =
  | { readonly type: 'Hello'; readonly flags: number; readonly name: string }
  | { readonly type: 'RootRequest' }
  | { readonly type: 'GetDatum'; readonly hash: Hash };

export interface RequestOrder {
  readonly question: Question;
  readonly to: SocketAddress;
  readonly signed: boolean;
  /** HelloReply and Root must verify under this key; undefined: the other side has none. */
  readonly answerKey: PublicKey | undefined;
  /** HelloReply must carry this name; undefined: any. */
  readonly answerName: string | undefined;
  readonly firstTimeoutMs: number;
  readonly maxSends: number;
  /** Ids end in a zero byte, for peers that copy only the first three (protocol §11, C). */
  readonly zeroEndingId: boolean;
  /** For whom the session asks; undefined: for itself. */
  readonly requester: AnyActorRef | undefined;
  /** The requester's own mark, handed back to it. */
  readonly ticket: number;
}

export type RequestOutcome =
  | {
      readonly kind: 'answered';
      readonly answer: Datagram;
      readonly from: SocketAddress;
      readonly zeroEndingId: boolean;
    }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'unanswered'; readonly waitedMs: number };

/** What a slot tells its owner when the request is over; the slot is free again. */
export interface RequestEnded {
  readonly type: 'request.ended';
  readonly slot: number;
  readonly order: RequestOrder;
  readonly outcome: RequestOutcome;
  /** Under which it was sent: the socket still routes answers by them, until the slot's next request or `routes.dropped`. */
  readonly ids: readonly number[];
  readonly sends: number;
  /** When it was opened, Unix ms; undefined if a timer caused it: then no round trip is measured. */
  readonly openedAtMs: number | undefined;
  /** Round trip in ms; undefined where Karn's rule forbids to measure. */
  readonly rttMs: number | undefined;
  /** When the answer came; undefined for an unanswered request. */
  readonly atMs: number | undefined;
}

export type RequestEvent =
  | {
      readonly type: 'request.open';
      readonly order: RequestOrder;
      readonly socket: AnyActorRef;
      readonly atMs: number | undefined;
    }
  | { readonly type: 'datagram.signed'; readonly id: number; readonly signature: Uint8Array }
  | {
      readonly type: 'answer.received';
      readonly answer: ReceivedDatagram;
      readonly from: SocketAddress;
      readonly atMs: number;
    }
  | { readonly type: 'answer.verified'; readonly id: number; readonly valid: boolean };

export interface RequestInput {
  readonly slot: number;
  readonly owner: AnyActorRef;
  readonly random: Random;
}

type AnswerReceived = Extract<RequestEvent, { type: 'answer.received' }>;

export interface RequestContext extends RequestInput {
  readonly order: RequestOrder | undefined;
  readonly socket: AnyActorRef | undefined;
  /** Ids under which this request was sent; the last one is in use. */
  readonly ids: readonly number[];
  /** Ids of the request before: the socket forgets them with the next send. */
  readonly staleIds: readonly number[];
  readonly bytes: Uint8Array;
  /** When it was opened, Unix ms; undefined if a timer caused it: then no round trip is measured. */
  readonly openedAtMs: number | undefined;
  /** How often it was sent, the send that is being prepared included. */
  readonly sends: number;
  readonly timeoutMs: number;
  readonly waitedMs: number;
  /** An answer whose signature is being verified. */
  readonly held: AnswerReceived | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** A fresh id: unpredictable and never 0 (protocol §4). */
function drawId(random: Random, zeroEnding: boolean): number {
  for (;;) {
    const id = zeroEnding ? (random.uint32() & 0xffffff00) >>> 0 : random.uint32();
    if (id !== 0) return id;
  }
}

/** An answer fits if its type, and for a Datum or NoDatum its hash, belong to the question; the socket has seen to id and source. */
function fits(order: RequestOrder, { datagram, signature }: ReceivedDatagram): boolean {
  switch (datagram.type) {
    case 'Error':
      return true;
    case 'HelloReply':
      return (
        order.question.type === 'Hello' &&
        (order.answerName === undefined || datagram.name === order.answerName) &&
        (order.answerKey === undefined || signature !== undefined)
      );
    case 'Root':
      return order.question.type === 'RootRequest' && (order.answerKey === undefined || signature !== undefined);
    case 'NoDatum':
      return order.question.type === 'GetDatum' && datagram.hash === order.question.hash;
    case 'Datum':
      return (
        order.question.type === 'GetDatum' &&
        datagram.hash === order.question.hash &&
        hashOf(datagram.value) === datagram.hash
      );
    default:
      return false;
  }
}

function currentId(context: RequestContext): number {
  return context.ids[context.ids.length - 1] ?? 0;
}

const base = setup({
  types: {
    context: {} as RequestContext,
    events: {} as RequestEvent,
    input: {} as RequestInput,
  },
  actions: {
    sign: effect<{ id: number; bytes: Uint8Array }>('sign'),
    verify: effect<{ id: number; key: PublicKey; signed: Uint8Array; signature: Uint8Array }>('verify'),
  },
  guards: {
    isSigned: ({ context, event }) =>
      event.type === 'request.open' ? event.order.signed : context.order?.signed === true,
    isCurrent: ({ context, event }) =>
      (event.type === 'datagram.signed' || event.type === 'answer.verified') && event.id === currentId(context),
    isUnfit: ({ context, event }) =>
      event.type === 'answer.received' && (context.order === undefined || !fits(context.order, event.answer)),
    /** By far the most answers, and signed by their hash. */
    isNode: ({ event }) => event.type === 'answer.received' && event.answer.datagram.type === 'Datum',
    isRefusal: ({ event }) => event.type === 'answer.received' && event.answer.datagram.type === 'Error',
    isVerifying: ({ context }) => context.held !== undefined,
    needsVerification: ({ context, event }) =>
      event.type === 'answer.received' &&
      context.order?.answerKey !== undefined &&
      (event.answer.datagram.type === 'HelloReply' || event.answer.datagram.type === 'Root'),
    isGenuine: ({ context, event }) =>
      event.type === 'answer.verified' && event.valid && event.id === currentId(context) && context.held !== undefined,
    isExhausted: ({ context }) => context.order === undefined || context.sends >= context.order.maxSends,
    /** The last send of an unanswered Hello goes out with an id ending in zero (protocol §11, C). */
    wantsZeroEndingId: ({ context }) =>
      context.order?.question.type === 'Hello' &&
      !context.order.zeroEndingId &&
      context.order.maxSends === limits.helloSends &&
      context.sends === context.order.maxSends - 1,
  },
  delays: {
    // The id is random, and serves as the jitter as well: requests that went out together come again apart.
    retransmissionTimeout: ({ context }) =>
      Math.round(context.timeoutMs * (1 + timing.timeoutJitter * (currentId(context) / 2 ** 31 - 1))),
  },
});

const openOrder = base.assign(({ context, event }) => {
  if (event.type !== 'request.open') return {};
  const { order, socket, atMs } = event;
  const id = drawId(context.random, order.zeroEndingId);
  return {
    order,
    socket,
    ids: [id],
    staleIds: context.ids,
    bytes: encodeDatagram({ ...order.question, id } as Datagram),
    openedAtMs: atMs,
    sends: 1,
    timeoutMs: order.firstTimeoutMs,
    waitedMs: 0,
    held: undefined,
  };
});

const drawZeroEndingId = base.assign(({ context }) => {
  if (context.order === undefined) return {};
  const id = drawId(context.random, true);
  return {
    ids: [...context.ids, id],
    bytes: encodeDatagram({ ...context.order.question, id } as Datagram),
    held: undefined,
  };
});

const attachSignature = base.assign(({ context, event }) =>
  event.type === 'datagram.signed' ? { bytes: appendSignature(context.bytes, event.signature) } : {},
);

const backOff = base.assign(({ context }) => ({
  sends: context.sends + 1,
  waitedMs: context.waitedMs + context.timeoutMs,
  timeoutMs: Math.min(context.timeoutMs * 2, timing.maximumTimeout),
}));

const transmit = base.sendTo(
  ({ context }) => context.socket as AnyActorRef,
  ({ context, self }) => ({
    type: 'datagram.send',
    bytes: context.bytes,
    to: context.order?.to,
    route: { ids: context.ids, staleIds: context.staleIds, to: self },
  }),
);

const reportDrop = base.sendTo(({ context }) => context.socket as AnyActorRef, {
  type: 'datagram.dropped',
  why: 'answer does not fit its request',
});

function ended(context: RequestContext, outcome: RequestOutcome, atMs: number | undefined): RequestEnded {
  const { openedAtMs } = context;
  return {
    type: 'request.ended',
    slot: context.slot,
    order: context.order as RequestOrder,
    outcome,
    ids: context.ids,
    sends: context.sends,
    openedAtMs,
    rttMs: atMs !== undefined && openedAtMs !== undefined && context.sends === 1 ? atMs - openedAtMs : undefined,
    atMs,
  };
}

function answered(context: RequestContext, { answer, from, atMs }: AnswerReceived): RequestEnded {
  const zeroEndingId = (answer.datagram.id & 0xff) === 0;
  return ended(context, { kind: 'answered', answer: answer.datagram, from, zeroEndingId }, atMs);
}

const reportAnswered = base.sendTo(
  ({ context }) => context.owner,
  ({ context, event }) => answered(context, event as AnswerReceived),
);

const reportVerified = base.sendTo(
  ({ context }) => context.owner,
  ({ context }) => answered(context, context.held as AnswerReceived),
);

const reportRefused = base.sendTo(
  ({ context }) => context.owner,
  ({ context, event }) => {
    const { answer, atMs } = event as AnswerReceived;
    const text = answer.datagram.type === 'Error' ? answer.datagram.text : '';
    return ended(context, { kind: 'refused', text }, atMs);
  },
);

const reportUnanswered = base.sendTo(
  ({ context }) => context.owner,
  ({ context }) => ended(context, { kind: 'unanswered', waitedMs: context.waitedMs + context.timeoutMs }, undefined),
);

const hold = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'answer.received') return;
  const { signature, signed } = event.answer;
  const key = context.order?.answerKey;
  if (signature === undefined || key === undefined) return;
  enqueue.assign({ held: event });
  enqueue({ type: 'verify', params: { id: currentId(context), key, signed, signature } });
});

const release = base.assign({ held: undefined });

nameActions({
  release,
  openOrder,
  drawZeroEndingId,
  attachSignature,
  backOff,
  transmit,
  reportDrop,
  reportAnswered,
  reportVerified,
  reportRefused,
  reportUnanswered,
  hold,
});

export const requestMachine = base.createMachine({
  id: 'request',
  description: 'One retransmitted request: a reusable slot of a session (protocol §6).',
  context: ({ input }) => ({
    ...input,
    order: undefined,
    socket: undefined,
    ids: [],
    staleIds: [],
    bytes: NO_BYTES,
    openedAtMs: undefined,
    sends: 0,
    timeoutMs: 0,
    waitedMs: 0,
    held: undefined,
  }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Free for the next request; late answers to the last one are ignored.',
      on: {
        'request.open': [
          { guard: 'isSigned', target: 'signing', actions: openOrder },
          { target: 'awaitingAnswer', actions: openOrder },
        ],
      },
    },
    signing: {
      description: 'Waiting for our signature over header and body (protocol §7).',
      entry: {
        type: 'sign',
        params: ({ context }) => ({ id: currentId(context), bytes: context.bytes }),
      },
      on: {
        'datagram.signed': { guard: 'isCurrent', target: 'awaitingAnswer', actions: attachSignature },
      },
    },
    awaitingAnswer: {
      description: 'Sent; repeated with the same id and bytes, the timeout doubling, until an answer fits.',
      entry: transmit,
      after: {
        retransmissionTimeout: [
          { guard: 'isExhausted', target: 'idle', actions: reportUnanswered },
          { guard: 'wantsZeroEndingId', target: 'renumbering', actions: [backOff, drawZeroEndingId] },
          { target: 'awaitingAnswer', reenter: true, actions: backOff },
        ],
      },
      on: {
        'answer.received': [
          { guard: 'isUnfit', actions: reportDrop },
          { guard: 'isNode', target: 'idle', actions: reportAnswered },
          { guard: 'isRefusal', target: 'idle', actions: reportRefused },
          { guard: 'isVerifying', actions: reportDrop },
          { guard: 'needsVerification', actions: hold },
          { target: 'idle', actions: reportAnswered },
        ],
        'answer.verified': [
          { guard: 'isGenuine', target: 'idle', actions: reportVerified },
          { guard: 'isCurrent', actions: [release, reportDrop] },
        ],
      },
    },
    renumbering: {
      description: 'The last Hello gets an id ending in zero: one known peer answers no other (protocol §11, C).',
      always: [{ guard: 'isSigned', target: 'signing' }, { target: 'awaitingAnswer' }],
    },
  },
});
