/**
 * One retransmitted request for anything but nodes (protocol §6): signs and sends it, repeats it with a doubling timeout, and
 * accepts only an answer that fits and whose signature verifies.
 *
 * An actor of this machine is a slot: its session opens it for one request after another, since spawning costs
 * ten times what sending does.
 */

import { assertEvent, setup } from 'xstate';
import type { PublicKey } from '../src/identity/public-key.ts';
import { appendSignature, type Datagram, encodeDatagram, type ReceivedDatagram } from '../src/wire/datagram.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { effect, type Random } from './effects.ts';
import type { AnswerReceived, NodesAnswered } from './events.ts';
import type { RefFor } from './messages.ts';
import { backedOff, drawId, UNFIT_ANSWER, withJitter } from './retransmission.ts';
import { limits } from './timing.ts';

/** What to ask; the slot adds the id. */
export type Question =
  | { readonly type: 'Hello'; readonly flags: number; readonly name: string }
  | { readonly type: 'RootRequest' };

export interface RequestOrder {
  readonly question: Question;
  readonly to: SocketAddress;
  /** The answer must verify under this key; undefined: the other side has none. */
  readonly answerKey: PublicKey | undefined;
  /** HelloReply must carry this name; undefined: any. */
  readonly answerName: string | undefined;
  readonly firstTimeoutMs: number;
  readonly maxSends: number;
  /** Ids end in a zero byte, for peers that copy only the first three (protocol §11, C). */
  readonly zeroEndingId: boolean;
  /** For whom the session asks; undefined: for itself. */
  readonly requester: RefFor<'outgoing-session', 'merkle-walk'> | undefined;
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
  readonly sends: number;
  /** When it was opened, Unix ms; undefined if a timer caused it: then no round trip is measured. */
  readonly openedAtMs: number | undefined;
  /** When the answer came; undefined for an unanswered request. */
  readonly atMs: number | undefined;
}

export type RequestEvent =
  | {
      readonly type: 'request.open';
      readonly order: RequestOrder;
      readonly socket: RefFor<'request', 'socket'>;
      readonly atMs: number | undefined;
    }
  | { readonly type: 'datagram.signed'; readonly id: number; readonly signature: Uint8Array }
  | AnswerReceived
  /** Nodes, under an id of a request for something else. */
  | NodesAnswered
  | { readonly type: 'answer.verified'; readonly id: number; readonly valid: boolean };

export interface RequestInput {
  readonly slot: number;
  readonly owner: RefFor<'request', 'outgoing-session'>;
  readonly random: Random;
}

/** What the slot is busy with. */
interface CurrentRequest {
  readonly order: RequestOrder;
  readonly socket: RefFor<'request', 'socket'>;
  /** Ids under which it was sent; the last one is in use. */
  readonly ids: readonly number[];
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

export interface RequestContext extends RequestInput {
  /** Once the slot is idle again, its last request. */
  readonly current: CurrentRequest | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** An answer fits if its type belongs to the question; the socket has seen to id and source. */
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
    default:
      return false;
  }
}

function currentId({ current }: RequestContext): number {
  return current?.ids.at(-1) ?? 0;
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
    isCurrent: ({ context, event }) =>
      (event.type === 'datagram.signed' || event.type === 'answer.verified') && event.id === currentId(context),
    isUnfit: ({ context, event }) =>
      event.type === 'answer.received' && (context.current === undefined || !fits(context.current.order, event.answer)),
    isRefusal: ({ event }) => event.type === 'answer.received' && event.answer.datagram.type === 'Error',
    isVerifying: ({ context }) => context.current?.held !== undefined,
    needsVerification: ({ context, event }) =>
      event.type === 'answer.received' && context.current?.order.answerKey !== undefined,
    isGenuine: ({ context, event }) =>
      event.type === 'answer.verified' &&
      event.valid &&
      event.id === currentId(context) &&
      context.current?.held !== undefined,
    isExhausted: ({ context: { current } }) => current === undefined || current.sends >= current.order.maxSends,
    /** The last send of an unanswered Hello goes out with an id ending in zero (protocol §11, C). */
    wantsZeroEndingId: ({ context: { current } }) =>
      current?.order.question.type === 'Hello' &&
      !current.order.zeroEndingId &&
      current.order.maxSends === limits.helloSends &&
      current.sends === current.order.maxSends - 1,
  },
  delays: {
    retransmissionTimeout: ({ context }) => withJitter(context.current?.timeoutMs ?? 0, currentId(context)),
  },
});

/** Changes what the slot is busy with. */
const change = (changes: (current: CurrentRequest, args: RequestArgs) => Partial<CurrentRequest>) =>
  base.assign((args) => {
    const { current } = args.context;
    return current === undefined ? {} : { current: { ...current, ...changes(current, args) } };
  });
type RequestArgs = { readonly context: RequestContext; readonly event: RequestEvent };

function ended({ slot, current }: RequestContext, outcome: RequestOutcome, atMs: number | undefined): RequestEnded {
  const { order, sends, openedAtMs } = current as CurrentRequest;
  return { type: 'request.ended', slot, order, outcome, sends, openedAtMs, atMs };
}

function answered(context: RequestContext, { answer, from, atMs }: AnswerReceived): RequestEnded {
  const zeroEndingId = (answer.datagram.id & 0xff) === 0;
  return ended(context, { kind: 'answered', answer: answer.datagram, from, zeroEndingId }, atMs);
}

const requestSetup = base.extend({
  actions: {
    openOrder: base.assign(({ context, event }) => {
      assertEvent(event, 'request.open');
      const { order, socket, atMs: openedAtMs } = event;
      const id = drawId(context.random, order.zeroEndingId);
      const bytes = encodeDatagram({ ...order.question, id });
      const timeoutMs = order.firstTimeoutMs;
      return {
        current: { order, socket, ids: [id], bytes, openedAtMs, sends: 1, timeoutMs, waitedMs: 0, held: undefined },
      };
    }),

    drawZeroEndingId: change((current, { context }) => {
      const id = drawId(context.random, true);
      const bytes = encodeDatagram({ ...current.order.question, id });
      return { ids: [...current.ids, id], bytes, held: undefined };
    }),

    attachSignature: change(({ bytes }, { event }) => {
      assertEvent(event, 'datagram.signed');
      return { bytes: appendSignature(bytes, event.signature) };
    }),

    backOff: change((current) => backedOff(current)),

    transmit: base.sendTo(
      ({ context }) => (context.current as CurrentRequest).socket,
      ({ context, self }) => {
        const { bytes, order, ids } = context.current as CurrentRequest;
        return { type: 'datagrams.send', datagrams: [bytes], to: order.to, route: { ids, to: self } };
      },
    ),

    dropRoutes: base.sendTo(
      ({ context }) => (context.current as CurrentRequest).socket,
      ({ context }) => ({ type: 'routes.dropped', ids: context.current?.ids ?? [] }),
    ),

    reportDrop: base.sendTo(
      ({ context }) => (context.current as CurrentRequest).socket,
      ({ event }) => ({
        type: 'datagrams.dropped',
        why: UNFIT_ANSWER,
        count: event.type === 'nodes.answered' ? event.answers.length : 1,
      }),
    ),

    reportAnswered: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => {
        assertEvent(event, 'answer.received');
        return answered(context, event);
      },
    ),

    reportVerified: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => answered(context, context.current?.held as AnswerReceived),
    ),

    reportRefused: base.sendTo(
      ({ context }) => context.owner,
      ({ context, event }) => {
        assertEvent(event, 'answer.received');
        const { answer, atMs } = event;
        const text = answer.datagram.type === 'Error' ? answer.datagram.text : '';
        return ended(context, { kind: 'refused', text }, atMs);
      },
    ),

    reportUnanswered: base.sendTo(
      ({ context }) => context.owner,
      ({ context }) => {
        const { waitedMs, timeoutMs } = context.current as CurrentRequest;
        return ended(context, { kind: 'unanswered', waitedMs: waitedMs + timeoutMs }, undefined);
      },
    ),

    hold: change((_, { event }) => {
      assertEvent(event, 'answer.received');
      return { held: event };
    }),

    verifyHeld: base.enqueueActions(({ context, enqueue }) => {
      const { held, order } = context.current ?? {};
      const { signature, signed } = held?.answer ?? {};
      const key = order?.answerKey;
      if (signature === undefined || signed === undefined || key === undefined) return;
      enqueue({ type: 'verify', params: { id: currentId(context), key, signed, signature } });
    }),

    release: change(() => ({ held: undefined })),
  },
});

export const requestMachine = requestSetup.createMachine({
  id: 'request',
  description: 'One retransmitted request: a reusable slot of a session (protocol §6).',
  context: ({ input }) => ({ ...input, current: undefined }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Free for the next request.',
      on: { 'request.open': { target: 'signing', actions: 'openOrder' } },
    },
    signing: {
      description: 'Waiting for our signature over header and body (protocol §7).',
      entry: {
        type: 'sign',
        params: ({ context }) => ({ id: currentId(context), bytes: context.current?.bytes ?? NO_BYTES }),
      },
      on: { 'datagram.signed': { guard: 'isCurrent', target: 'awaitingAnswer', actions: 'attachSignature' } },
    },
    awaitingAnswer: {
      description: 'Sent; repeated with the same id and bytes, the timeout doubling, until an answer fits.',
      entry: 'transmit',
      after: {
        retransmissionTimeout: [
          { guard: 'isExhausted', target: 'idle', actions: ['dropRoutes', 'reportUnanswered'] },
          { guard: 'wantsZeroEndingId', target: 'signing', actions: ['backOff', 'drawZeroEndingId'] },
          { target: 'awaitingAnswer', reenter: true, actions: 'backOff' },
        ],
      },
      on: {
        'nodes.answered': { actions: 'reportDrop' },
        'answer.received': [
          { guard: 'isUnfit', actions: 'reportDrop' },
          { guard: 'isRefusal', target: 'idle', actions: ['dropRoutes', 'reportRefused'] },
          { guard: 'isVerifying', actions: 'reportDrop' },
          { guard: 'needsVerification', actions: ['hold', 'verifyHeld'] },
          { target: 'idle', actions: ['dropRoutes', 'reportAnswered'] },
        ],
        'answer.verified': [
          { guard: 'isGenuine', target: 'idle', actions: ['dropRoutes', 'reportVerified'] },
          { guard: 'isCurrent', actions: ['release', 'reportDrop'] },
        ],
      },
    },
  },
});
