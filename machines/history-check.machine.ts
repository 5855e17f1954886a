/**
 * Asks one followed peer whether it knows a later history of ours than we do: for our newest message, and for our root, present and
 * former ones. Whoever has moved on to a later tree keeps the message and serves none of these roots any more (docs/adr/0016).
 */

import { assertEvent, setup } from 'xstate';
import type { Hash } from '../src/wire/hash.ts';
import type { Failure, HistoryCheck, NodesResult, SessionReadiness } from './events.ts';
import type { RefFor } from './messages.ts';

export interface HistoryCheckInput {
  readonly name: string;
  readonly owner: RefFor<'history-check', 'peer'>;
  /** Of our tree as we have it; then as it was before, newest first. */
  readonly roots: readonly Hash[];
  /** The newest message in it. */
  readonly leaf: Hash;
  readonly atMs: number;
}

export interface HistoryCheckContext extends HistoryCheckInput {
  readonly session: RefFor<'history-check', 'outgoing-session'> | undefined;
  /** Asked for, and not yet answered. */
  readonly awaited: readonly Hash[];
  readonly found: readonly Hash[];
  readonly failure: Failure | undefined;
}

/** Of what a session tells, what comes to somebody who asks it for nodes alone. */
export type HistoryCheckEvent = SessionReadiness | NodesResult;

const base = setup({
  types: {
    context: {} as HistoryCheckContext,
    events: {} as HistoryCheckEvent,
    input: {} as HistoryCheckInput,
    output: {} as HistoryCheck,
  },
  guards: {
    isBusy: ({ context }) => context.awaited.length > 0,
    hasFailed: ({ context }) => context.failure !== undefined,
  },
});

function without(hashes: readonly Hash[], gone: readonly Hash[]): readonly Hash[] {
  return hashes.filter((hash) => !gone.includes(hash));
}

function checkOf({ name: peer, roots, leaf, found, failure }: HistoryCheckContext): HistoryCheck {
  if (failure !== undefined) return { peer, outcome: 'unreachable', failure };
  // A tree of one message is that message: having it tells nothing about what came after.
  if (roots[0] === leaf || !found.includes(leaf)) return { peer, outcome: 'unknown' };
  return { peer, outcome: roots.some((root) => root !== leaf && found.includes(root)) ? 'same' : 'later' };
}

const historyCheckSetup = base.extend({
  actions: {
    callForSession: base.sendTo(
      ({ context }) => context.owner,
      ({ context, self }) => ({ type: 'session.wanted', name: context.name, requester: self, atMs: context.atMs }),
    ),

    useSession: base.assign(({ context, event }) => {
      assertEvent(event, 'session.ready');
      return { session: event.session, atMs: event.atMs, awaited: [...new Set([...context.roots, context.leaf])] };
    }),

    askNodes: base.sendTo(
      ({ context }) => context.session as RefFor<'history-check', 'outgoing-session'>,
      ({ context, self }) => ({
        type: 'nodes.wanted',
        hashes: context.awaited,
        requester: self,
        ticket: 0,
        atMs: context.atMs,
      }),
    ),

    noteFound: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.received');
      const hashes = event.nodes.map(({ hash }) => hash);
      return { awaited: without(context.awaited, hashes), found: [...context.found, ...hashes] };
    }),

    noteAbsent: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.absent');
      return { awaited: without(context.awaited, event.hashes) };
    }),

    noteFailure: base.assign(({ context, event }) => {
      if (event.type === 'session.failed') return { failure: event.failure };
      assertEvent(event, 'nodes.failed');
      return { failure: event.failure, awaited: without(context.awaited, event.hashes) };
    }),
  },
});

export const historyCheckMachine = historyCheckSetup.createMachine({
  id: 'history-check',
  description: 'Asks a followed peer whether it knows a later history of ours, by nodes of our tree.',
  context: ({ input }) => ({ ...input, session: undefined, awaited: [], found: [], failure: undefined }),
  output: ({ context }) => checkOf(context),
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
      description: 'Our newest message and our roots were asked for; all answers are awaited.',
      entry: 'askNodes',
      on: {
        'nodes.received': { actions: 'noteFound' },
        'nodes.absent': { actions: 'noteAbsent' },
        'nodes.failed': { actions: 'noteFailure' },
      },
      always: [{ guard: 'isBusy' }, { guard: 'hasFailed', target: 'unreachable' }, { target: 'answered' }],
    },
    answered: { type: 'final', description: 'It is clear what the peer has of our tree.' },
    unreachable: { type: 'final', description: 'There was no session, or no answer: nothing is known.' },
  },
});
