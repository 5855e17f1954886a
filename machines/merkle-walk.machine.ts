/**
 * The download of one peer's tree (protocol §2, §9, §10.1): asks for the root, then, the newest messages first, for every node that the
 * store does not hold, and makes the tree current once it is whole. Nodes arrive hash-checked; what is kept survives a failure.
 */
import { merkleWalkSetup } from './merkle-walk-actions.ts';
import { reportOf } from './merkle-walk-context.ts';

export const merkleWalkMachine = merkleWalkSetup.createMachine({
  id: 'merkle-walk',
  description: 'The download of one peer’s tree, the newest messages first, only what is missing (protocol §2, §9).',
  context: ({ input }) => ({
    ...input,
    session: undefined,
    root: undefined,
    authenticated: false,
    isFresh: false,
    isNew: false,
    frontier: undefined,
    pending: 0,
    tip: undefined,
    suspected: undefined,
    sizes: {},
    seen: undefined,
    inFlight: 0,
    window: 0,
    isBulk: false,
    lookUps: [],
    answers: 0,
    stalled: 0,
    answersAtRestart: -1,
    nodesFetched: 0,
    bytesFetched: 0,
    datagramsSent: 0,
    retransmissions: 0,
    lastAtMs: input.atMs,
    toldAtMs: Number.NEGATIVE_INFINITY,
    totalMessages: 0,
    adopted: undefined,
    failure: undefined,
  }),
  output: ({ context }) => ({ report: reportOf(context), atMs: context.lastAtMs }),
  initial: 'connecting',
  on: {
    // What was still under way when the walk turned to a newer root, or ended: verified, so worth keeping.
    'nodes.received': { actions: ['countAnswers', 'keepValid'] },
    'nodes.absent': { actions: 'countAnswers' },
    'nodes.lookedUp': { actions: 'countLookUp' },
    'nodes.failed': { actions: 'countFailed' },
    'store.failed': { target: '.concluding', actions: ['noteFailure', 'forgetLookUps'] },
  },
  states: {
    connecting: {
      description: 'Waiting for a session with the peer.',
      entry: 'callForSession',
      on: {
        'session.ready': [
          { guard: 'isAnnounced', target: 'beginning', actions: ['useSession', 'useAnnounced'] },
          { target: 'askingRoot', actions: 'useSession' },
        ],
        'session.failed': { target: 'concluding', actions: 'noteFailure' },
      },
    },
    askingRoot: {
      description: 'Asking for the root of the tree as it is now.',
      entry: 'askRoot',
      on: {
        'root.received': { target: 'beginning', actions: 'useRoot' },
        'root.failed': [
          { guard: 'isRootRepeatable', target: 'askingRoot', reenter: true, actions: 'countRootFailed' },
          { target: 'concluding', actions: ['countRootFailed', 'noteFailure'] },
        ],
      },
    },
    beginning: {
      description: 'Comparing the root with the one that is current.',
      entry: 'begin',
      on: {
        'walk.begun': [
          { guard: 'isCurrent', target: 'concluding', actions: 'noteBegun' },
          { guard: 'isLeftBehind', target: 'askingRoot', actions: 'noteBegun' },
          { guard: 'isEmpty', target: 'adopting', actions: 'noteBegun' },
          { target: 'fetching', actions: ['noteBegun', 'meetRoot'] },
        ],
      },
    },
    fetching: {
      description: 'Fetching what is missing; as many answers are under way as the session allows.',
      on: {
        'nodes.lookedUp': [{ guard: 'hasRoom', actions: ['sortFound', 'askMore'] }, { actions: 'sortFound' }],
        'nodes.received': [
          { guard: 'isInvalid', target: 'concluding', actions: ['countAnswers', 'keepValid', 'noteFailure'] },
          { guard: 'isOverQuota', target: 'concluding', actions: ['countAnswers', 'noteFailure'] },
          { guard: 'hasRoom', actions: ['countAnswers', 'keep', 'putBackUnserved', 'meetChildren', 'askMore'] },
          { actions: ['countAnswers', 'keep', 'putBackUnserved', 'meetChildren'] },
        ],
        'nodes.absent': [
          { guard: 'isOfFormerTree', actions: ['countAnswers', 'askMore'] },
          { guard: 'mayAskRootAgain', target: 'askingRoot', actions: 'countAnswers' },
          { target: 'concluding', actions: ['countAnswers', 'noteFailure'] },
        ],
        'nodes.failed': [
          { guard: 'isOfFormerTree', actions: ['countFailed', 'askMore'] },
          { guard: 'isWorthRepeating', actions: ['countFailed', 'putBack', 'askMore'] },
          { target: 'concluding', actions: ['countFailed', 'noteFailure'] },
        ],
      },
      always: { guard: 'isWhole', target: 'adopting' },
    },
    adopting: {
      description: 'Everything is here: counting leaves, then making the tree current, bit by bit if it is large.',
      entry: 'adopt',
      on: {
        'tree.adopted': [
          { guard: 'isAdopted', target: 'concluding', actions: 'noteAdopted' },
          { guard: 'isIncomplete', target: 'fetching', actions: ['noteAdopted', 'meetMissing', 'askMore'] },
          { guard: 'isWithdrawing', target: 'askingRoot', actions: 'noteAdopted' },
          { target: 'concluding', actions: ['noteAdopted', 'noteFailure'] },
        ],
        'adoption.failed': { target: 'concluding', actions: 'noteFailure' },
      },
    },
    concluding: {
      description: 'The outcome is clear; answers that are still under way are awaited, counted, and kept.',
      always: [{ guard: 'isBusy' }, { guard: 'hasFailed', target: 'failed' }, { target: 'finished' }],
    },
    finished: { type: 'final', description: 'The tree is current, or was so already.' },
    failed: { type: 'final', description: 'The walk ended with a named error; what was verified is kept, not shown.' },
  },
});
