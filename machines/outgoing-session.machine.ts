/**
 * Our one-way session towards a peer or a directory (protocol §5): finds it, says Hello, keeps the session alive, and asks
 * for others – the Merkle walk above all – through its request slots under a congestion window (§6).
 */
import { initialCongestion } from './congestion.ts';
import { outgoingSessionSetup } from './outgoing-session-actions.ts';
import { noSlots } from './slots.ts';

export const outgoingSessionMachine = outgoingSessionSetup.createMachine({
  id: 'outgoing-session',
  description: 'Our one-way session towards a peer or directory (protocol §5).',
  context: ({ input }) => ({
    ...input,
    key: input.located?.key,
    addresses: [],
    attempt: 0,
    traversed: false,
    alternative: undefined,
    waiters: [],
    atMs: undefined,
    openedAtMs: 0,
    usedAtMs: 0,
    renewing: false,
    zeroEndingIds: false,
    congestion: initialCongestion,
    requests: noSlots,
    nodeRequests: noSlots,
    heldBack: [],
    regreetings: 0,
    failure: undefined,
  }),
  initial: 'closed',
  on: {
    'sockets.changed': { actions: 'useSockets' },
    'session.open': { actions: 'addWaiter' },
    'root.wanted': { actions: 'holdBackWanted' },
    'nodes.wanted': { actions: 'holdBackWanted' },
    'session.greet': { target: '.greeting', actions: ['noteTime', 'useLocated'] },
    'session.adopt': { target: '.established', actions: 'adopt' },
    'request.ended': [
      { guard: 'isHello', actions: 'settle' },
      { guard: 'isRefusal', actions: ['settle', 'reportError', 'holdBackUnserved'] },
      { actions: ['settle', 'passOn'] },
    ],
    'nodes.ended': [
      { guard: 'isRefusal', actions: ['settle', 'reportError', 'holdBackUnserved'] },
      { actions: ['settle', 'passOn'] },
    ],
  },
  states: {
    closed: {
      description: 'No session: never opened, failed, or expired.',
      on: {
        sweep: { guard: 'isIdle', target: 'ended' },
        // Nobody says Hello here for what is refused late.
        'request.ended': { guard: 'isRefusal', actions: ['settle', 'reportError', 'passOn'] },
        'nodes.ended': { guard: 'isRefusal', actions: ['settle', 'reportError', 'passOn'] },
        'session.open': [
          { guard: 'isOutOfReach', target: 'failing', actions: ['addWaiter', 'noteFailure'] },
          { guard: 'isLocated', target: 'greeting', actions: ['addWaiter', 'useLocated'] },
          { target: 'locating', actions: 'addWaiter' },
        ],
        'root.wanted': [
          { guard: 'isLocated', target: 'greeting', actions: ['holdBackWanted', 'useLocated'] },
          { target: 'locating', actions: 'holdBackWanted' },
        ],
        'nodes.wanted': [
          { guard: 'isLocated', target: 'greeting', actions: ['holdBackWanted', 'useLocated'] },
          { target: 'locating', actions: 'holdBackWanted' },
        ],
      },
    },
    locating: {
      description: 'Asking the directory for addresses and key.',
      entry: { type: 'locatePeer', params: ({ context }) => ({ name: context.name }) },
      on: {
        'peer.located': [
          { guard: 'hasNoSocket', target: 'failing', actions: ['noteTime', 'noteFailure'] },
          { target: 'greeting', actions: ['noteTime', 'useLocated'] },
        ],
        'peer.notLocated': { target: 'failing', actions: 'noteFailure' },
      },
    },
    greeting: {
      description: 'Hello is on its way, repeated until HelloReply.',
      entry: 'greet',
      on: {
        'request.ended': [
          { guard: 'isHelloAnswered', target: 'established', actions: ['settle', 'noteOpened'] },
          { guard: 'hasNextAddress', target: 'greeting', reenter: true, actions: ['settle', 'useNextAddress'] },
          { guard: 'canTraverse', target: 'traversing', actions: 'settle' },
          { guard: 'isHello', target: 'failing', actions: ['settle', 'noteFailure'] },
        ],
      },
    },
    traversing: {
      description: 'The directory was asked to have the other side open its NAT (protocol §8).',
      entry: ['useFirstAddressAgain', 'askForTraversal'],
      after: { traversalPause: 'greeting' },
    },
    established: {
      description: 'HelloReply has come: we may ask and push for one hour.',
      entry: ['reportEstablished', 'tellWaitersReady', 'wantHeldBack'],
      on: {
        'session.open': { actions: ['addWaiter', 'noteUse', 'tellWaitersReady'] },
        // That somebody is elsewhere, too, proves nothing about the address in use: that one is kept for as long as it answers.
        'session.adopt': [{ guard: 'isElsewhere', actions: ['noteAlternative', 'challenge'] }, { actions: 'adopt' }],
        'root.wanted': { actions: ['noteUse', 'askWanted'] },
        'nodes.wanted': { actions: ['noteUse', 'askWanted'] },
        'request.ended': [
          { guard: 'isDataAnswered', actions: ['settle', 'passOn'] },
          { guard: 'isHelloAnswered', actions: ['settle', 'noteOpened'] },
          { guard: 'isHello', actions: ['settle', 'noteRenewalEnded'] },
          {
            guard: 'isFirstRefusal',
            target: 'greeting',
            actions: ['settle', 'reportError', 'holdBackUnserved', 'countRegreeting'],
          },
          {
            guard: 'isFirstSilence',
            target: 'locating',
            actions: ['settle', 'holdBackUnserved', 'countRegreeting', 'reportLost'],
          },
          { guard: 'isUnanswered', target: 'closed', actions: ['settle', 'passOn', 'reportLost'] },
          { actions: ['settle', 'reportError', 'passOn'] },
        ],
        'nodes.ended': [
          { guard: 'isDataAnswered', actions: ['settle', 'passOn'] },
          {
            guard: 'isFirstRefusal',
            target: 'greeting',
            actions: ['settle', 'reportError', 'holdBackUnserved', 'countRegreeting'],
          },
          {
            guard: 'isFirstSilence',
            target: 'locating',
            actions: ['settle', 'holdBackUnserved', 'countRegreeting', 'reportLost'],
          },
          { guard: 'isUnanswered', target: 'closed', actions: ['settle', 'passOn', 'reportLost'] },
          { actions: ['settle', 'reportError', 'passOn'] },
        ],
        sweep: [
          { guard: 'isExpired', target: 'closed', actions: 'reportLost' },
          { guard: 'isDueForRenewal', actions: ['noteTime', 'noteRenewing', 'greet'] },
        ],
      },
    },
    failing: {
      description: 'Whoever waits is told why there is no session.',
      entry: ['tellWaitersFailed', 'reportLost'],
      always: 'closed',
    },
    ended: {
      type: 'final',
      description: 'Nobody wants it any more; it is opened anew when somebody does.',
    },
  },
});
