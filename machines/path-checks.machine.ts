/**
 * Asks each followed peer in session, by one datagram, whether it still answers and has nothing new (protocol §5). A peer whose answer
 * names the known root has passed. That answer is not verified, because nothing is believed because of it (docs/adr/0028). All
 * others are reported to the owner, which makes their sessions send an ordinary request.
 */
import { assertEvent, setup } from 'xstate';
import { encodeDatagram } from '../src/wire/datagram.ts';
import type { Hash } from '../src/wire/hash.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { effect, type Random } from './effects.ts';
import type { AnswerReceived } from './events.ts';
import type { RefFor, SocketRef } from './messages.ts';
import { drawId } from './retransmission.ts';
import { timing } from './timing.ts';

/** A peer to ask, over the path that its session uses. */
export interface Check {
  /** The id of its session. */
  readonly session: string;
  readonly to: SocketAddress;
  readonly socket: SocketRef;
  /** The root that it is known to have. */
  readonly root: Hash;
}

interface OpenCheck extends Check {
  readonly id: number;
}

/** Signed RootRequests to send over one socket. Answers go to `by`, until `routes.dropped`. */
export interface ChecksSend {
  readonly type: 'checks.send';
  readonly checks: readonly { readonly id: number; readonly bytes: Uint8Array; readonly to: SocketAddress }[];
  readonly by: RefFor<'socket', 'path-checks'>;
}

export type PathChecksEvent =
  | { readonly type: 'checks.wanted'; readonly checks: readonly Check[] }
  /** Without those that could not be signed. */
  | { readonly type: 'checks.signed'; readonly signed: readonly { readonly id: number; readonly bytes: Uint8Array }[] }
  | AnswerReceived;

export interface PathChecksInput {
  readonly owner: RefFor<'path-checks', 'peer'>;
  readonly random: Random;
}

export interface PathChecksContext extends PathChecksInput {
  /** Not answered yet. BOUNDED: one for each followed peer. */
  readonly open: readonly OpenCheck[];
  /** All of the latest round: their sockets send answers here until the next round. BOUNDED: as above. */
  readonly asked: readonly OpenCheck[];
}

const base = setup({
  types: { context: {} as PathChecksContext, events: {} as PathChecksEvent, input: {} as PathChecksInput },
  actions: {
    /** Signs them all, and answers with `checks.signed`. */
    signChecks: effect<{ checks: readonly { readonly id: number; readonly bytes: Uint8Array }[] }>('signChecks'),
  },
  guards: {
    /** Its root is the one that we know. */
    isAsKnown: ({ context, event }) => {
      assertEvent(event, 'answer.received');
      const { datagram } = event.answer;
      return datagram.type === 'Root' && checkOf(context, event)?.root === datagram.hash;
    },
    isOpen: ({ context, event }) => {
      assertEvent(event, 'answer.received');
      return checkOf(context, event) !== undefined;
    },
    areAllAnswered: ({ context }) => context.open.length === 0,
  },
  delays: { pathCheckPatience: timing.pathCheckPatience },
});

function checkOf({ open }: PathChecksContext, { answer }: AnswerReceived): OpenCheck | undefined {
  return open.find(({ id }) => id === answer.datagram.id);
}

const pathChecksSetup = base.extend({
  actions: {
    open: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'checks.wanted');
      for (const [socket, checks] of Map.groupBy(context.asked, (check) => check.socket)) {
        enqueue.sendTo(socket, { type: 'routes.dropped', ids: checks.map(({ id }) => id) });
      }
      const asked = event.checks.map((check): OpenCheck => ({ ...check, id: drawId(context.random, false) }));
      enqueue.assign({ open: asked, asked });
    }),

    transmit: base.enqueueActions(({ context, event, enqueue, self }) => {
      assertEvent(event, 'checks.signed');
      const bytesOf = new Map(event.signed.map(({ id, bytes }) => [id, bytes]));
      for (const [socket, checks] of Map.groupBy(context.open, (check) => check.socket)) {
        const sent = checks.flatMap(({ id, to }) => {
          const bytes = bytesOf.get(id);
          return bytes === undefined ? [] : [{ id, bytes, to }];
        });
        enqueue.sendTo(socket, { type: 'checks.send', checks: sent, by: self });
      }
    }),

    settle: base.assign(({ context, event }) => {
      assertEvent(event, 'answer.received');
      return { open: context.open.filter(({ id }) => id !== event.answer.datagram.id) };
    }),

    reportAnswer: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'answer.received');
      const sessions = [checkOf(context, event)?.session ?? ''];
      enqueue.sendTo(context.owner, { type: 'checks.failed', sessions });
    }),

    reportSilence: base.enqueueActions(({ context, enqueue }) => {
      const sessions = context.open.map(({ session }) => session);
      enqueue.sendTo(context.owner, { type: 'checks.failed', sessions });
      enqueue.assign({ open: [] });
    }),
  },
});

export const pathChecksMachine = pathChecksSetup.createMachine({
  id: 'path-checks',
  description: 'Asks each followed peer, by one datagram, whether it still answers and has nothing new.',
  context: ({ input }) => ({ ...input, open: [], asked: [] }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Waiting for the next round.',
      on: { 'checks.wanted': { target: 'signing', actions: 'open' } },
    },
    signing: {
      description: 'Waiting for our signatures (protocol §7).',
      entry: {
        type: 'signChecks',
        params: ({ context }) => ({
          checks: context.open.map(({ id }) => ({ id, bytes: encodeDatagram({ type: 'RootRequest', id }) })),
        }),
      },
      on: { 'checks.signed': { target: 'awaitingAnswers', actions: 'transmit' } },
    },
    awaitingAnswers: {
      description: 'Sent once each. The sessions of peers that stay silent will ask again.',
      always: { guard: 'areAllAnswered', target: 'idle' },
      on: {
        'answer.received': [
          { guard: 'isAsKnown', actions: 'settle' },
          { guard: 'isOpen', actions: ['reportAnswer', 'settle'] },
        ],
      },
      after: { pathCheckPatience: { target: 'idle', actions: 'reportSilence' } },
    },
  },
});
