/**
 * Asks each followed peer in session, by one datagram, whether it still answers and has nothing new (protocol §5). A peer whose answer
 * names the known root has passed. That answer is not verified, because nothing is believed because of it (docs/adr/0028). All
 * others are reported to the owner, which makes their sessions send an ordinary request. Followed peers that have fallen silent are
 * said Hello to where they are listed, and the owner hears of those that answer (docs/adr/0029).
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

/** An address where a peer may answer again. */
export interface Search {
  readonly name: string;
  readonly to: SocketAddress;
  readonly socket: SocketRef;
}

interface OpenSearch extends Search {
  readonly id: number;
  /** Our Hello; empty until it is signed. */
  readonly bytes: Uint8Array;
}

/** Signed requests to send over one socket. Answers go to `by`, until `routes.dropped`. */
export interface ChecksSend {
  readonly type: 'checks.send';
  readonly checks: readonly { readonly id: number; readonly bytes: Uint8Array; readonly to: SocketAddress }[];
  readonly by: RefFor<'socket', 'path-checks'>;
}

export type PathChecksEvent =
  | { readonly type: 'checks.wanted'; readonly checks: readonly Check[]; readonly searches: readonly Search[] }
  /** Without those that could not be signed. */
  | { readonly type: 'checks.signed'; readonly signed: readonly { readonly id: number; readonly bytes: Uint8Array }[] }
  | AnswerReceived;

export interface PathChecksInput {
  readonly owner: RefFor<'path-checks', 'peer'>;
  readonly ownName: string;
  readonly random: Random;
}

export interface PathChecksContext extends PathChecksInput {
  /** Not answered yet. BOUNDED: one for each followed peer. */
  readonly open: readonly OpenCheck[];
  /** Not answered yet. BOUNDED: by `limits.searchesPerSweep`. */
  readonly searches: readonly OpenSearch[];
  /** All of the latest round: their sockets send answers here until the next round. BOUNDED: as both above. */
  readonly asked: readonly { readonly id: number; readonly socket: SocketRef }[];
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
    /** The peer that is looked for is there. */
    isFound: ({ context, event }) => {
      assertEvent(event, 'answer.received');
      const { datagram } = event.answer;
      return datagram.type === 'HelloReply' && searchOf(context, event)?.name === datagram.name;
    },
    areAllAnswered: ({ context }) => context.open.length + context.searches.length === 0,
  },
  delays: { pathCheckPatience: timing.pathCheckPatience },
});

function checkOf({ open }: PathChecksContext, { answer }: AnswerReceived): OpenCheck | undefined {
  return open.find(({ id }) => id === answer.datagram.id);
}

function searchOf({ searches }: PathChecksContext, { answer }: AnswerReceived): OpenSearch | undefined {
  return searches.find(({ id }) => id === answer.datagram.id);
}

interface Request {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly to: SocketAddress;
  readonly socket: SocketRef;
}

/** Those that could be signed. */
function sendAll({ enqueue, self }: Enqueueing, requests: readonly Request[]): void {
  for (const [socket, signed] of Map.groupBy(requests, (request) => request.socket)) {
    const checks = signed.filter(({ bytes }) => bytes.length > 0).map(({ id, bytes, to }) => ({ id, bytes, to }));
    enqueue.sendTo(socket, { type: 'checks.send', checks, by: self });
  }
}

type Enqueueing = Parameters<Parameters<typeof base.enqueueActions>[0]>[0];

const UNSIGNED = new Uint8Array();

/** What goes to the peers of this round, without our signatures. */
function unsigned({ open, searches, ownName: name }: PathChecksContext) {
  return [
    ...open.map(({ id }) => ({ id, bytes: encodeDatagram({ type: 'RootRequest', id }) })),
    // Without flags, and under an id that ends in zero: so every known program answers it (protocol §10, §11).
    ...searches.map(({ id }) => ({ id, bytes: encodeDatagram({ type: 'Hello', id, flags: 0, name }) })),
  ];
}

const pathChecksSetup = base.extend({
  actions: {
    open: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'checks.wanted');
      for (const [socket, checks] of Map.groupBy(context.asked, (check) => check.socket)) {
        enqueue.sendTo(socket, { type: 'routes.dropped', ids: checks.map(({ id }) => id) });
      }
      const { random } = context;
      const open = event.checks.map((check): OpenCheck => ({ ...check, id: drawId(random, false) }));
      const searches = event.searches.map((search): OpenSearch => {
        return { ...search, id: drawId(random, true), bytes: UNSIGNED };
      });
      enqueue.assign({ open, searches, asked: [...open, ...searches].map(({ id, socket }) => ({ id, socket })) });
    }),

    transmit: base.enqueueActions((args) => {
      const { context, event, enqueue } = args;
      assertEvent(event, 'checks.signed');
      const bytesOf = new Map(event.signed.map(({ id, bytes }) => [id, bytes]));
      const signed = <T extends { readonly id: number }>(request: T) => {
        return { ...request, bytes: bytesOf.get(request.id) ?? UNSIGNED };
      };
      const searches = context.searches.map(signed);
      enqueue.assign({ searches });
      sendAll(args, [...context.open.map(signed), ...searches]);
    }),

    /** The first Hello may have been lost, or has opened a NAT for the second one. */
    searchAgain: base.enqueueActions((args) => sendAll(args, args.context.searches)),

    endSearch: base.assign(({ context, event }) => {
      assertEvent(event, 'answer.received');
      const found = searchOf(context, event)?.name;
      return { searches: context.searches.filter(({ name }) => name !== found) };
    }),

    reportFound: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'answer.received');
      const found = searchOf(context, event);
      if (found === undefined) return;
      const { name, to: address } = found;
      enqueue.sendTo(context.owner, { type: 'peer.found', name, address, atMs: event.atMs });
    }),

    settle: base.assign(({ context, event }) => {
      assertEvent(event, 'answer.received');
      return { open: context.open.filter(({ id }) => id !== event.answer.datagram.id) };
    }),

    reportAnswer: base.enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'answer.received');
      const sessions = [checkOf(context, event)?.session ?? ''];
      enqueue.sendTo(context.owner, { type: 'checks.failed', sessions, isAlone: false });
    }),

    reportSilence: base.enqueueActions(({ context, enqueue }) => {
      const { asked, open, owner, searches } = context;
      if (open.length === 0) return;
      const isAlone = open.length + searches.length === asked.length;
      enqueue.sendTo(owner, { type: 'checks.failed', sessions: open.map(({ session }) => session), isAlone });
      enqueue.assign({ open: [] });
    }),
  },
});

export const pathChecksMachine = pathChecksSetup.createMachine({
  id: 'path-checks',
  description: 'Asks each followed peer, by one datagram, whether it still answers and has nothing new.',
  context: ({ input }) => ({ ...input, open: [], searches: [], asked: [] }),
  initial: 'idle',
  states: {
    idle: {
      description: 'Waiting for the next round; peers that are looked for may still answer.',
      on: {
        'checks.wanted': { target: 'signing', actions: 'open' },
        'answer.received': { guard: 'isFound', actions: ['reportFound', 'endSearch'] },
      },
    },
    signing: {
      description: 'Waiting for our signatures (protocol §7).',
      entry: {
        type: 'signChecks',
        params: ({ context }) => ({ checks: unsigned(context) }),
      },
      on: { 'checks.signed': { target: 'awaitingAnswers', actions: 'transmit' } },
    },
    awaitingAnswers: {
      description:
        'Sent. The sessions of peers that stay silent will ask again; a peer that is looked for gets a second Hello.',
      always: { guard: 'areAllAnswered', target: 'idle' },
      on: {
        'answer.received': [
          { guard: 'isAsKnown', actions: 'settle' },
          { guard: 'isOpen', actions: ['reportAnswer', 'settle'] },
          { guard: 'isFound', actions: ['reportFound', 'endSearch'] },
        ],
      },
      after: { pathCheckPatience: { target: 'idle', actions: ['reportSilence', 'searchAgain'] } },
    },
  },
});
