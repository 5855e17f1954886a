/** Asks one peer for its root, and downloads nothing: how long it takes to answer (protocol §4). */
import { assertEvent, setup } from 'xstate';
import type { Failure, RootResult, SessionReadiness } from './events.ts';
import type { RefFor } from './messages.ts';

export interface PingInput {
  readonly name: string;
  readonly owner: RefFor<'ping', 'peer'>;
  readonly atMs: number;
}

export interface PingContext extends PingInput {
  readonly session: RefFor<'ping', 'outgoing-session'> | undefined;
  readonly askedAtMs: number;
  readonly roundTripMs: number | undefined;
  readonly failure: Failure | undefined;
}

export interface PingOutput {
  readonly name: string;
  /** Whole milliseconds; undefined if the question had to be repeated, as nobody knows which one was answered. */
  readonly roundTripMs: number | undefined;
  readonly failure: Failure | undefined;
}

/** Of what a session tells, what comes to somebody who asks it for its root alone. */
export type PingEvent = SessionReadiness | RootResult;

const base = setup({
  types: {
    context: {} as PingContext,
    events: {} as PingEvent,
    input: {} as PingInput,
    output: {} as PingOutput,
  },
});

const pingSetup = base.extend({
  actions: {
    callForSession: base.sendTo(
      ({ context }) => context.owner,
      ({ context, self }) => ({ type: 'session.wanted', name: context.name, requester: self, atMs: context.atMs }),
    ),

    useSession: base.assign(({ event }) => {
      assertEvent(event, 'session.ready');
      return { session: event.session, askedAtMs: event.atMs };
    }),

    askRoot: base.sendTo(
      ({ context }) => context.session as RefFor<'ping', 'outgoing-session'>,
      ({ context, self }) => ({ type: 'root.wanted', requester: self, atMs: context.askedAtMs }),
    ),

    noteAnswer: base.assign(({ context, event }) => {
      assertEvent(event, 'root.received');
      return { roundTripMs: event.sent === 1 ? event.atMs - context.askedAtMs : undefined };
    }),

    noteFailure: base.assign(({ event }) => {
      assertEvent(event, ['session.failed', 'root.failed']);
      return { failure: event.failure };
    }),
  },
});

export const pingMachine = pingSetup.createMachine({
  id: 'ping',
  description: 'Asks a peer for its root, and measures how long the answer takes.',
  context: ({ input }) => ({ ...input, session: undefined, askedAtMs: 0, roundTripMs: undefined, failure: undefined }),
  output: ({ context: { name, roundTripMs, failure } }) => ({ name, roundTripMs, failure }),
  initial: 'connecting',
  states: {
    connecting: {
      description: 'Waiting for a session with the peer.',
      entry: 'callForSession',
      on: {
        'session.ready': { target: 'asking', actions: 'useSession' },
        'session.failed': { target: 'unreachable', actions: 'noteFailure' },
      },
    },
    asking: {
      description: 'RootRequest is under way.',
      entry: 'askRoot',
      on: {
        'root.received': { target: 'answered', actions: 'noteAnswer' },
        'root.failed': { target: 'unreachable', actions: 'noteFailure' },
      },
    },
    answered: { type: 'final', description: 'The peer has answered.' },
    unreachable: { type: 'final', description: 'There was no session, or no answer.' },
  },
});
