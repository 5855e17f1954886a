/**
 * Requests for nodes that were sent together (protocol §6): each is a GetDatum of its own on the wire, with an id of its own;
 * those that stay unanswered are repeated, each with the same id and bytes, on one timer whose timeout doubles.
 *
 * Together, because an event for each node of a large tree costs more than everything else that is done with the node. An
 * actor of this machine is a slot, which its session uses again and again.
 */

import { assertEvent, setup } from 'xstate';
import { encodeDatagram } from '../src/wire/datagram.ts';
import { type Hash, hashOf } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import type { Random } from './effects.ts';
import type { AnswerReceived, NodeAnswer, NodesAnswered, ReceivedNode } from './events.ts';
import type { RefFor } from './messages.ts';
import { backedOff, drawId, UNFIT_ANSWER, withJitter } from './retransmission.ts';

export interface NodesOrder {
  /** No hash twice. */
  readonly hashes: readonly Hash[];
  readonly to: SocketAddress;
  readonly firstTimeoutMs: number;
  readonly maxSends: number;
  /** Ids end in a zero byte, for peers that copy only the first three (protocol §11, C). */
  readonly zeroEndingIds: boolean;
  readonly requester: RefFor<'outgoing-session', 'history-check'>;
  /** The requester's own mark, handed back to it. */
  readonly ticket: number;
}

export type NodesOutcome =
  | { readonly kind: 'answered'; readonly nodes: readonly ReceivedNode[]; readonly absent: readonly Hash[] }
  | { readonly kind: 'refused'; readonly hash: Hash; readonly text: string }
  | { readonly kind: 'unanswered'; readonly hashes: readonly Hash[]; readonly waitedMs: number };

/** What a slot tells its owner when some of its requests are over. */
export interface NodesEnded {
  readonly type: 'nodes.ended';
  readonly slot: number;
  /** None is open any more: the slot is free again. */
  readonly isLast: boolean;
  readonly order: NodesOrder;
  readonly outcome: NodesOutcome;
  /** How often each of these was sent. */
  readonly sends: number;
  /** When they were sent first, Unix ms; undefined if a timer caused it: then no round trip is measured. */
  readonly openedAtMs: number | undefined;
  /** When this came, Unix ms; undefined for unanswered requests. */
  readonly atMs: number | undefined;
}

export type NodeRequestsEvent =
  | {
      readonly type: 'nodes.request';
      readonly order: NodesOrder;
      readonly socket: RefFor<'node-requests', 'socket'>;
      readonly atMs: number | undefined;
    }
  | NodesAnswered
  | AnswerReceived;

export interface NodeRequestsInput {
  readonly slot: number;
  readonly owner: RefFor<'node-requests', 'outgoing-session'>;
  readonly random: Random;
}

interface OpenRequest {
  readonly hash: Hash;
  readonly id: number;
}

/** What the slot is busy with. */
interface CurrentRequests {
  readonly order: NodesOrder;
  readonly socket: RefFor<'node-requests', 'socket'>;
  /** Under which the socket routes answers. */
  readonly ids: readonly number[];
  /** Those that are not answered yet. */
  readonly open: readonly OpenRequest[];
  readonly openedAtMs: number | undefined;
  readonly sends: number;
  readonly timeoutMs: number;
  readonly waitedMs: number;
}

export interface NodeRequestsContext extends NodeRequestsInput {
  /** Once the slot is idle again, its last requests. */
  readonly current: CurrentRequests | undefined;
}

const base = setup({
  types: {
    context: {} as NodeRequestsContext,
    events: {} as NodeRequestsEvent,
    input: {} as NodeRequestsInput,
  },
  guards: {
    isAllAnswered: ({ context: { current } }) => current === undefined || current.open.length === 0,
    isExhausted: ({ context: { current } }) => current === undefined || current.sends >= current.order.maxSends,
    isRefusal: ({ context, event }) => refused(context, event) !== undefined,
  },
  delays: {
    retransmissionTimeout: ({ context: { current } }) =>
      current === undefined ? 0 : withJitter(current.timeoutMs, current.ids[0] ?? 0),
  },
});

/** The open request that an Error answers. */
function refused({ current }: NodeRequestsContext, event: NodeRequestsEvent): OpenRequest | undefined {
  if (event.type !== 'answer.received' || event.answer.datagram.type !== 'Error') return undefined;
  const { id } = event.answer.datagram;
  return current?.open.find((request) => request.id === id);
}

/** A Datum or NoDatum fits if it is about the node that was asked for; the socket has seen to the source. */
function fits(request: OpenRequest | undefined, answer: NodeAnswer): boolean {
  if (request?.id !== answer.id) return false;
  return answer.type === 'NoDatum' || hashOf(answer.value) === answer.hash;
}

type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

/** Tells the owner what became of some requests; `left` are still open. */
function conclude(
  { context, enqueue }: Enqueueing,
  left: readonly OpenRequest[],
  outcome: NodesOutcome,
  atMs: number | undefined,
): void {
  const { slot, owner } = context;
  const current = context.current as CurrentRequests;
  const { order, sends, openedAtMs } = current;
  const isLast = left.length === 0;
  const ended: NodesEnded = { type: 'nodes.ended', slot, isLast, order, outcome, sends, openedAtMs, atMs };
  enqueue.assign({ current: { ...current, open: left } });
  enqueue.sendTo(owner, ended);
}

function countDropped({ context, enqueue }: Enqueueing, count: number): void {
  if (count === 0 || context.current === undefined) return;
  enqueue.sendTo(context.current.socket, { type: 'datagrams.dropped', why: UNFIT_ANSWER, count });
}

const nodeRequestsSetup = base.extend({
  actions: {
    open: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.request');
      const { order, socket, atMs } = event;
      const requests = order.hashes.map((hash) => ({ hash, id: drawId(context.random, order.zeroEndingIds) }));
      const ids = requests.map(({ id }) => id);
      const timeoutMs = order.firstTimeoutMs;
      return { current: { order, socket, ids, open: requests, openedAtMs: atMs, sends: 1, timeoutMs, waitedMs: 0 } };
    }),

    backOff: base.assign(({ context: { current } }) =>
      current === undefined ? {} : { current: { ...current, ...backedOff(current) } },
    ),

    transmit: base.sendTo(
      ({ context }) => (context.current as CurrentRequests).socket,
      ({ context, self }) => {
        const { order, open: requests, ids } = context.current as CurrentRequests;
        const datagrams = requests.map(({ hash, id }) => encodeDatagram({ type: 'GetDatum', id, hash }));
        return { type: 'datagrams.send', datagrams, to: order.to, route: { ids, to: self } };
      },
    ),

    dropRoutes: base.sendTo(
      ({ context }) => (context.current as CurrentRequests).socket,
      ({ context }) => ({ type: 'routes.dropped', ids: context.current?.ids ?? [] }),
    ),

    /** Takes what fits; a forged answer ends no request. */
    takeAnswers: base.enqueueActions((args) => {
      const { context, event } = args;
      assertEvent(event, 'nodes.answered');
      if (context.current === undefined) return;
      const left = new Map(context.current.open.map((request) => [request.hash, request]));
      const nodes: ReceivedNode[] = [];
      const absent: Hash[] = [];
      for (const answer of event.answers) {
        if (!fits(left.get(answer.hash), answer)) continue;
        left.delete(answer.hash);
        if (answer.type === 'Datum') nodes.push({ hash: answer.hash, value: answer.value });
        else absent.push(answer.hash);
      }
      const taken = nodes.length + absent.length;
      countDropped(args, event.answers.length - taken);
      if (taken > 0) conclude(args, [...left.values()], { kind: 'answered', nodes, absent }, event.atMs);
    }),

    takeRefusal: base.enqueueActions((args) => {
      const { context, event } = args;
      const request = refused(context, event);
      assertEvent(event, 'answer.received');
      if (request === undefined || event.answer.datagram.type !== 'Error') return;
      const left = context.current?.open.filter((other) => other !== request) ?? [];
      conclude(args, left, { kind: 'refused', hash: request.hash, text: event.answer.datagram.text }, event.atMs);
    }),

    giveUp: base.enqueueActions((args) => {
      const { current } = args.context;
      if (current === undefined) return;
      const { open: requests, waitedMs, timeoutMs } = current;
      const hashes = requests.map(({ hash }) => hash);
      conclude(args, [], { kind: 'unanswered', hashes, waitedMs: waitedMs + timeoutMs }, undefined);
    }),

    reportDrop: base.enqueueActions((args) => countDropped(args, 1)),
  },
});

export const nodeRequestsMachine = nodeRequestsSetup.createMachine({
  id: 'node-requests',
  description: 'Requests for nodes that were sent together: a reusable slot of a session (protocol §6).',
  context: ({ input }) => ({ ...input, current: undefined }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Free for the next requests.',
      on: { 'nodes.request': { target: 'awaitingAnswers', actions: ['open', 'transmit'] } },
    },
    awaitingAnswers: {
      description: 'Sent; what is not answered is repeated with the same ids and bytes, the timeout doubling.',
      after: {
        retransmissionTimeout: [
          { guard: 'isExhausted', target: 'idle', actions: ['giveUp', 'dropRoutes'] },
          { target: 'awaitingAnswers', reenter: true, actions: ['backOff', 'transmit'] },
        ],
      },
      on: {
        'nodes.answered': { actions: 'takeAnswers' },
        'answer.received': [{ guard: 'isRefusal', actions: 'takeRefusal' }, { actions: 'reportDrop' }],
      },
      always: { guard: 'isAllAnswered', target: 'idle', actions: 'dropRoutes' },
    },
  },
});
