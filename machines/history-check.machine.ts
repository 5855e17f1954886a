/**
 * Asks one peer whether it knows a later history of ours than we do: for our latest messages, and for our roots, present and former ones.
 * Whoever has moved on to a later tree keeps the messages and serves none of these roots any more (docs/adr/0016).
 */

import { assertEvent, setup } from 'xstate';
import type { Hash } from '../src/wire/hash.ts';
import type { Failure, HistoryCheck, HistoryStep, NodesResult, OwnHistory, SessionReadiness } from './events.ts';
import type { RefFor } from './messages.ts';
import { limits } from './timing.ts';

export interface HistoryCheckInput {
  readonly name: string;
  readonly owner: RefFor<'history-check', 'peer'>;
  readonly history: OwnHistory;
  /** It had the first of these trees when it was asked before: as a rule it has it still. */
  readonly isRepeated?: boolean;
  readonly atMs: number;
}

export interface HistoryCheckContext extends HistoryCheckInput {
  readonly session: RefFor<'history-check', 'outgoing-session'> | undefined;
  /** Asked for, and not yet answered. */
  readonly awaited: readonly Hash[];
  /** Asked for until now. Bounded by the history. */
  readonly asked: readonly Hash[];
  readonly found: readonly Hash[];
  /** All was asked, and it seems to have a later tree. It may have moved on to another one of ours between two answers. */
  readonly isDoubted: boolean;
  readonly failure: Failure | undefined;
}

export type HistoryCheckOutput = HistoryCheck & {
  /** About which it was asked. */
  readonly history: OwnHistory;
  /** When the last answer came. */
  readonly atMs: number;
};

/** Of what a session tells, what comes to somebody who asks it for nodes alone. */
export type HistoryCheckEvent = SessionReadiness | NodesResult;

const base = setup({
  types: {
    context: {} as HistoryCheckContext,
    events: {} as HistoryCheckEvent,
    input: {} as HistoryCheckInput,
    output: {} as HistoryCheckOutput,
  },
  guards: {
    isBusy: ({ context }) => context.awaited.length > 0,
    hasFailed: ({ context }) => context.failure !== undefined,
    isToBeRepeated: ({ context }) => verdict(context) === 'later' && !context.isDoubted,
    isDecided: ({ context }) => verdict(context) !== undefined,
  },
});

function without(hashes: readonly Hash[], gone: readonly Hash[]): readonly Hash[] {
  return hashes.filter((hash) => !gone.includes(hash));
}

type Answers = Pick<HistoryCheckContext, 'history' | 'asked' | 'found'>;

/** What the answers until now tell; undefined if more has to be asked. */
function verdict({ history, asked, found }: Answers): 'same' | 'later' | 'unknown' | undefined {
  if (history.some(({ root }) => root !== null && found.includes(root))) return 'same';
  const { later } = stepOf({ history, asked, found });
  if (later !== undefined && found.includes(later)) return 'later';
  // Whoever has none of them has a tree from long before, or none of ours at all.
  const ends = endsOf(history);
  if (ends.every((leaf) => asked.includes(leaf) && !found.includes(leaf))) return 'unknown';
  const latest = history.find(({ leaf }) => found.includes(leaf) || !asked.includes(leaf))?.leaf;
  if (latest === undefined || !asked.includes(latest)) return undefined;
  // Its tree ends with this message, unless it goes on with others, which are not ours.
  const roots = history.flatMap(({ leaf, root }) => (leaf === latest ? [root] : []));
  if (roots.includes(null)) return later === undefined || asked.includes(later) ? 'unknown' : undefined;
  // Of two copies of a home, a tree of one may end with a message that is not the newest of the other.
  return history.every(({ root }) => root === null || asked.includes(root)) ? 'later' : undefined;
}

/** The latest of our trees whose newest message it has; as long as it has none, the present one. */
function stepOf({ history, found }: Answers): HistoryStep {
  return history.find(({ leaf }) => found.includes(leaf)) ?? (history[0] as HistoryStep);
}

/** The newest message of all, and the newest of the oldest tree. */
function endsOf(history: OwnHistory): readonly Hash[] {
  return [...new Set([history[0], history.at(-1)].flatMap((step) => step?.leaf ?? []))];
}

/** As a rule the first question is the last one: who has our present root knows no later one, and who has neither message knows nothing. */
function nextToAsk({ history, asked, isRepeated }: Answers & Pick<HistoryCheckInput, 'isRepeated'>): readonly Hash[] {
  const root = history[0]?.root;
  if (isRepeated && asked.length === 0 && typeof root === 'string') return [root];
  const nodesOf = ({ root, leaf, later }: HistoryStep) =>
    [root, leaf, later].filter((hash) => typeof hash === 'string');
  const first = new Set([...history.slice(0, 1).flatMap(nodesOf), ...endsOf(history)]);
  if ([...first].some((hash) => !asked.includes(hash))) return [...first].filter((hash) => !asked.includes(hash));
  const hashes = new Set(history.flatMap(nodesOf));
  return [...hashes].filter((hash) => !asked.includes(hash)).slice(0, limits.historyQuestions);
}

function checkOf(context: HistoryCheckContext): HistoryCheckOutput {
  const { name: peer, failure, history, atMs } = context;
  if (failure !== undefined) return { peer, outcome: 'unreachable', failure, history, atMs };
  return { peer, outcome: verdict(context) ?? 'unknown', history, atMs };
}

const historyCheckSetup = base.extend({
  actions: {
    callForSession: base.sendTo(
      ({ context }) => context.owner,
      ({ context, self }) => ({ type: 'session.wanted', name: context.name, requester: self, atMs: context.atMs }),
    ),

    useSession: base.assign(({ event }) => {
      assertEvent(event, 'session.ready');
      return { session: event.session, atMs: event.atMs };
    }),

    chooseNext: base.assign(({ context }) => {
      const awaited = nextToAsk(context);
      return { awaited, asked: [...context.asked, ...awaited] };
    }),

    askAgain: base.assign({ asked: [], found: [], isDoubted: true }),

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
      return { awaited: without(context.awaited, hashes), found: [...context.found, ...hashes], atMs: event.atMs };
    }),

    noteAbsent: base.assign(({ context, event }) => {
      assertEvent(event, 'nodes.absent');
      return { awaited: without(context.awaited, event.hashes), atMs: event.atMs };
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
  description: 'Asks a peer whether it knows a later history of ours, by nodes of our tree.',
  context: ({ input }) => ({
    ...input,
    session: undefined,
    awaited: [],
    asked: [],
    found: [],
    isDoubted: false,
    failure: undefined,
  }),
  output: ({ context }) => checkOf(context),
  initial: 'connecting',
  states: {
    connecting: {
      description: 'Waiting for a session with the peer.',
      entry: 'callForSession',
      on: {
        'session.ready': { target: 'asking', actions: ['useSession', 'chooseNext'] },
        'session.failed': { target: 'unreachable', actions: 'noteFailure' },
      },
    },
    asking: {
      description:
        'Some of our messages and roots were asked for; all answers are awaited. The next ones are asked for where these do not tell.',
      entry: 'askNodes',
      on: {
        'nodes.received': { actions: 'noteFound' },
        'nodes.absent': { actions: 'noteAbsent' },
        'nodes.failed': { actions: 'noteFailure' },
      },
      always: [
        { guard: 'isBusy' },
        { guard: 'hasFailed', target: 'unreachable' },
        { guard: 'isToBeRepeated', target: 'asking', reenter: true, actions: ['askAgain', 'chooseNext'] },
        { guard: 'isDecided', target: 'answered' },
        { target: 'asking', reenter: true, actions: 'chooseNext' },
      ],
    },
    answered: { type: 'final', description: 'It is clear what the peer has of our tree.' },
    unreachable: { type: 'final', description: 'There was no session, or no answer: nothing is known.' },
  },
});
