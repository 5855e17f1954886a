/**
 * Our one-way session towards a peer or a directory (protocol §5): finds its addresses, says Hello to the most promising ones
 * at once, and asks for others – the Merkle walk above all – over the path that answers. When that falls silent it looks for
 * another, and goes on there.
 */
import { sessionSetup } from './outgoing-session-actions.ts';
import type { OutgoingSessionContext } from './outgoing-session-context.ts';
import { noSlots } from './slots.ts';

const lastHello = {
  'request.ended': { guard: 'isLastHello', target: 'next', actions: ['settle', 'reportError', 'noteEnded'] },
} as const;

/** Hellos to the candidates, one after the other in short order (RFC 8305). */
const race = {
  racing: {
    description: 'Hello goes to the next candidate; a moment later to the one after it, without waiting for an answer.',
    entry: 'greetNext',
    on: lastHello,
    after: {
      attemptDelay: [{ guard: 'mayRaceMore', target: 'racing', reenter: true }, { target: 'awaitingReply' }],
    },
  },
  awaitingReply: { description: 'The Hellos are under way, and are repeated.', on: lastHello },
  next: {
    description: 'Every Hello so far has failed at once or was refused: another candidate, or none is left.',
    always: [{ guard: 'hasCandidate', target: 'racing' }, { target: '#outgoing-session.failing' }],
  },
} as const;

const locatePeer = {
  type: 'locatePeer',
  params: ({ context }: { context: OutgoingSessionContext }) => ({ name: context.name }),
} as const;

/** Whoever said Hello to us was never located. */
const recallTrust = {
  type: 'recallTrust',
  params: ({ context }: { context: OutgoingSessionContext }) => ({ name: context.name, key: context.key }),
} as const;

/** A session without a key gets one from what has become known; whoever is asked then has to answer under it. */
const keyNews = { guard: 'isKeyNews', actions: locatePeer } as const;

/** What was agreed under the former key is void; whoever wants the peer has it located anew. */
const trustChanged = { target: 'failing', actions: ['cancelHellos', 'noteTrustChanged'] } as const;

/** Another address of the peer has answered: the session goes on there. */
const move = [
  'settle',
  'usePath',
  'moveRequests',
  'keepHabit',
  'cancelHellos',
  'endRace',
  'reportEstablished',
  'pushAnew',
] as const;

export const outgoingSessionMachine = sessionSetup.createMachine({
  id: 'outgoing-session',
  description: 'Our one-way session towards a peer or directory (protocol §5).',
  context: ({ input }) => ({
    ...input,
    key: input.located?.key,
    path: undefined,
    candidates: [],
    hellos: [],
    raced: 0,
    waiters: [],
    greeted: { sent: 0, repeated: 0 },
    isSilent: false,
    atMs: undefined,
    usedAtMs: 0,
    zeroEndingIds: false,
    noFlags: false,
    isUnannounced: false,
    trustsUnsigned: false,
    bulk: undefined,
    requests: noSlots,
    gathered: [],
    heldBack: [],
    waiting: [],
    paceDueAtMs: undefined,
    regreetings: 0,
    unvouched: [],
    vouched: undefined,
    push: undefined,
    failure: undefined,
  }),
  initial: 'closed',
  on: {
    'sockets.changed': { actions: 'useSockets' },
    'session.open': { actions: 'addWaiter' },
    'session.used': { actions: 'noteUse' },
    'root.wanted': { actions: 'holdBackWanted' },
    'nodes.wanted': { actions: 'holdBackWanted' },
    'bulk.wanted': { actions: 'returnBulkWanted' },
    'flags.learned': { actions: 'learnFlags' },
    'request.progressed': { actions: 'noteProgress' },
    'request.released': { actions: 'freeSlot' },
    // Whoever wants it knows that the other side is there now: a Hello that waits for its next send would come late.
    'session.greet': { target: '.greeting', actions: ['cancelHellos', 'noteTime', 'useGiven'] },
    'session.adopt': [
      { guard: 'isWithoutKey', description: 'Whoever has a key has to answer under it.' },
      {
        guard: 'isAdoptedUnderKey',
        target: '.established',
        actions: ['cancelHellos', 'endRace', 'adopt', 'moveRequests', recallTrust, locatePeer],
      },
      { target: '.established', actions: ['cancelHellos', 'endRace', 'adopt', 'moveRequests', recallTrust] },
    ],
    'trust.recalled': { actions: 'believeUnsigned' },
    'push.wanted': { actions: 'push' },
    'push.due': [{ guard: 'isPushDue', actions: 'repeatPush' }, { actions: 'forgetPush' }],
    'push.confirmed': { actions: 'forgetPush' },
    'answers.delivered': { actions: ['passOnGathered', 'keepPace'] },
    'pace.due': { actions: ['noteDue', 'keepPace'] },
    'request.ended': [
      {
        guard: 'isHelloAnswered',
        target: '.established',
        actions: ['settle', 'usePath', 'moveRequests', 'keepHabit', 'cancelHellos', 'endRace'],
      },
      { guard: 'isHello', actions: ['settle', 'reportError'] },
      { guard: 'isBulk', actions: ['settle', 'reportError', 'judgeBulk', 'passOnBulk'] },
      { guard: 'isNodeAnswered', actions: ['settle', 'gatherAnswer'] },
      { guard: 'isRefusal', actions: ['settle', 'reportError', 'holdBackUnserved'] },
      { guard: 'isNamelessRoot', actions: ['settle', 'holdBackUnserved'] },
      { actions: ['settle', 'passOn'] },
    ],
  },
  states: {
    closed: {
      description: 'No session: never opened, lost, or expired.',
      initial: 'recent',
      on: {
        'session.renew': [{ guard: 'isLocated' }, { target: 'locating', actions: 'noteUse' }],
        'session.open': [
          { guard: 'hasSocket', target: 'greeting', actions: ['addWaiter', 'useGiven'] },
          { guard: 'isLocated', target: 'failing', actions: ['addWaiter', 'noteOutOfReach'] },
          { target: 'locating', actions: 'addWaiter' },
        ],
        // A Hello may still be answered; what else is refused late is not asked again.
        'request.ended': [
          { guard: 'isBulk', actions: ['settle', 'reportError', 'judgeBulk', 'passOnBulk'] },
          { guard: 'isRefusal', actions: ['settle', 'reportError', 'passOn'] },
        ],
      },
      states: {
        recent: {
          description: 'Answers may still be under way.',
          on: { sweep: { guard: 'isIdle', target: 'settled' } },
        },
        settled: {
          description: 'Nothing is awaited any more.',
          entry: 'closeRequests',
          on: { sweep: { guard: 'isIdle', target: '#outgoing-session.ended' } },
        },
      },
    },
    locating: {
      description: 'Asking the directory where the peer is, and for its key.',
      entry: locatePeer,
      on: {
        'peer.located': [
          { guard: 'isReachable', target: 'greeting', actions: ['cancelHellos', 'useLocated'] },
          { target: 'failing', actions: 'noteOutOfReach' },
        ],
        'peer.notLocated': [
          { guard: 'hasCandidate', target: 'greeting' },
          { target: 'failing', actions: 'noteNotLocated' },
        ],
      },
      after: {
        locatingPatience: [
          { guard: 'hasCandidate', target: 'greeting' },
          { target: 'failing', actions: 'noteLookUpSilent' },
        ],
      },
    },
    greeting: {
      description: 'Saying Hello to the newest addresses; the first that answers is the path.',
      initial: 'racing',
      on: {
        'trust.changed': trustChanged,
        'listing.changed': [{ guard: 'isListedFurther', actions: 'greetListed' }, keyNews],
        'peer.located': [
          { guard: 'isKeyNews', target: 'greeting', reenter: true, actions: ['cancelHellos', 'useLocated'] },
          { guard: 'isListedFurther', actions: 'greetListed' },
        ],
        // A Hello that waits for its next send would come late.
        'peer.found': { target: 'greeting', reenter: true, actions: ['cancelHellos', 'useFound'] },
        // Where it is greeted may be where it was before it moved as well.
        'session.renew': [{ guard: 'isLocated' }, { actions: locatePeer }],
        'request.ended': {
          guard: 'isHelloAnswered',
          target: 'established',
          actions: ['settle', 'usePath', 'moveRequests', 'keepHabit', 'cancelHellos', 'endRace'],
        },
      },
      after: {
        traversalDelay: { guard: 'mayTraverse', actions: 'askForTraversal' },
        secondTraversalDelay: { guard: 'mayTraverse', actions: 'askForTraversal' },
        greetingPatience: { target: 'failing', actions: 'noteSilence' },
      },
      states: race,
    },
    established: {
      description: 'HelloReply has come: we may ask and push for one hour.',
      entry: ['reportEstablished', 'tellWaitersReady', 'pushAnew'],
      initial: 'answering',
      on: {
        'trust.changed': trustChanged,
        'listing.changed': keyNews,
        'peer.located': { guard: 'isKeyNews', actions: ['cancelHellos', 'useKey', 'proveKey', 'greetListed'] },
        'session.open': { actions: ['addWaiter', 'noteUse', 'tellWaitersReady'] },
        'request.ended': [
          { guard: 'isNodeAnswered', actions: ['settle', 'gatherAnswer'] },
          {
            guard: 'isBulkFirstRefused',
            target: 'greeting',
            actions: ['settle', 'reportError', 'judgeBulk', 'passOnBulk', 'countRegreeting', 'greetAgain'],
          },
          {
            guard: 'mayBulkBeElsewhere',
            target: '.searching',
            actions: ['settle', 'noteEnded', 'judgeBulk', 'passOnBulk'],
          },
          { guard: 'isBulk', actions: ['settle', 'reportError', 'judgeBulk', 'passOnBulk', 'keepPace'] },
          { guard: 'isHelloAnsweredByPath', actions: ['settle', 'usePath', 'reportRenewed', 'passOnVouched'] },
          { guard: 'isHelloAnsweredElsewhere', actions: move },
          { guard: 'isKeyUnproven', target: 'failing', actions: ['settle', 'cancelHellos', 'noteEnded'] },
          { guard: 'isPathTakenOver', target: 'failing', actions: ['settle', 'cancelHellos', 'noteEnded'] },
          { guard: 'isNameOwed', actions: ['settle', 'greetPath'] },
          { guard: 'isNamelessRoot', actions: ['settle', 'holdRoot', 'greetPath'] },
          { guard: 'isAnswered', actions: ['settle', 'passOn'] },
          {
            guard: 'isFirstRefusal',
            target: 'greeting',
            actions: ['settle', 'reportError', 'holdBackUnserved', 'countRegreeting', 'greetAgain'],
          },
          { guard: 'isRefusal', actions: ['settle', 'reportError', 'passOn', 'keepPace'] },
          { guard: 'mayBeElsewhere', target: '.searching', actions: ['settle', 'noteEnded', 'holdBackUnserved'] },
          { guard: 'isUnheard', target: 'failing', actions: ['settle', 'noteEnded', 'passOn'] },
          { actions: ['settle', 'passOn', 'keepPace'] },
        ],
        sweep: [
          {
            guard: 'isExpiredAtWork',
            description:
              'Whoever waits for an answer waits for the next session: it is opened wherever the peer is now.',
            target: 'locating',
            actions: ['greetAgain', 'losePath', 'reportLost'],
          },
          { guard: 'isExpired', target: 'closed', actions: ['losePath', 'reportLost'] },
        ],
      },
      states: {
        answering: {
          description: 'The path in use answers.',
          entry: ['forgetFailure', 'reportAnswers', 'proveKey', 'wantHeldBack', 'keepPace'],
          on: {
            'root.wanted': { actions: ['noteUse', 'askRoot'] },
            'nodes.wanted': { actions: ['noteUse', 'addWanted', 'keepPace'] },
            'bulk.wanted': { actions: ['noteUse', 'askBulk', 'keepPace'] },
            'session.adopt': [
              { guard: 'isKeyAdopted', actions: ['adopt', recallTrust, 'reportRenewed'] },
              { guard: 'isInUse', actions: 'adopt' },
              // A relayed Hello, or a second process of the peer, takes nothing away from a path that answers.
              { guard: 'isUnderSameKey', actions: ['noteAlternative', 'challengePath'] },
              { guard: 'isKeyNews', actions: ['noteAlternative', locatePeer] },
              { description: 'Without a key, or under another one, anybody could be there: it is ignored.' },
            ],
            // It takes nothing away from a path that answers, either.
            'listing.changed': { guard: 'isListedFurther', actions: ['noteListed', 'challengePath'] },
            // The path may lead through somebody who relays: an address that the directory lists is better.
            'peer.located': { guard: 'isListedElsewhere', actions: 'greetListed' },
            'request.stalled': { guard: 'isPathSilent', target: 'searching', actions: 'noteStall' },
            // Followers ask for what is pushed. Whoever does not may be elsewhere by now, or have forgotten the session.
            'push.due': { guard: 'isPushUnheeded', actions: ['challengePath', 'repeatPush'] },
            // Whoever says so has slept, or is elsewhere itself: the peer may have moved meanwhile.
            'session.renew': { actions: ['noteTime', 'greetPath', 'askForTraversal', locatePeer] },
            'path.check': { guard: 'isQuiet', actions: 'checkPath' },
            sweep: { guard: 'isDueForRenewal', actions: ['noteTime', 'greetPath'] },
          },
        },
        searching: {
          description:
            'The path in use has fallen silent: other addresses of the peer are tried, and the directory is asked anew.',
          entry: 'reportSilent',
          initial: 'locating',
          on: {
            'session.adopt': [
              {
                guard: 'isKeyAdopted',
                target: 'answering',
                actions: ['cancelHellos', 'endRace', 'adopt', recallTrust, 'reportRenewed'],
              },
              { guard: 'isInUse', target: 'answering', actions: ['cancelHellos', 'endRace', 'adopt'] },
              { guard: 'isUnderSameKey', actions: ['noteAlternative', 'greetNext'] },
              { description: 'It counts only if the directory lists it.' },
            ],
            'listing.changed': { guard: 'isListedFurther', actions: 'greetListed' },
            // What was sent there meanwhile is lost, but its Hello has come from there.
            'flags.learned': [
              { guard: 'isSaidOnPath', actions: ['learnFlags', 'cancelHellos', 'greetPath'] },
              { actions: 'learnFlags' },
            ],
            'request.ended': [
              {
                guard: 'isHelloAnsweredElsewhere',
                target: 'answering',
                actions: move,
              },
              {
                guard: 'isHelloAnsweredByPath',
                target: 'answering',
                actions: [
                  'settle',
                  'usePath',
                  'reportRenewed',
                  'keepHabit',
                  'cancelHellos',
                  'endRace',
                  'passOnVouched',
                ],
              },
              {
                guard: 'isNodeAnswered',
                target: 'answering',
                actions: ['settle', 'gatherAnswer', 'cancelHellos', 'endRace'],
              },
              {
                guard: 'isBulkServed',
                target: 'answering',
                actions: ['settle', 'judgeBulk', 'passOnBulk', 'cancelHellos', 'endRace'],
              },
              { guard: 'isBulk', actions: ['settle', 'reportError', 'judgeBulk', 'passOnBulk'] },
              {
                guard: 'isNamelessRoot',
                target: 'answering',
                actions: ['settle', 'cancelHellos', 'endRace', 'holdRoot', 'greetPath'],
              },
              { guard: 'isAnswered', target: 'answering', actions: ['settle', 'passOn', 'cancelHellos', 'endRace'] },
              { guard: 'isUnserved', actions: ['settle', 'holdBackUnserved'] },
            ],
            'request.progressed': { target: 'answering', actions: ['noteProgress', 'cancelHellos', 'endRace'] },
          },
          after: {
            traversalDelay: { actions: 'askForTraversal' },
            secondTraversalDelay: { actions: 'askForTraversal' },
            searchPatience: { target: '#outgoing-session.failing', actions: 'noteSilence' },
          },
          states: {
            locating: {
              description:
                'Asking the directory where the peer is now; an address at which it was heard is tried at once.',
              entry: ['greetNext', locatePeer],
              on: {
                'peer.located': { target: 'racing', actions: 'useLocated' },
                'peer.notLocated': { target: 'racing', actions: 'useKnown' },
              },
            },
            ...race,
          },
        },
      },
    },
    failing: {
      description: 'Whoever waits is told why there is no session.',
      entry: ['losePath', 'tellWaitersFailed', 'abandonRequests', 'reportLost', 'forgetFailure'],
      always: 'closed',
    },
    ended: {
      description: 'Nobody wants it any more: the owner stops this actor, and starts another when somebody does.',
      entry: 'reportEnded',
    },
  },
});
