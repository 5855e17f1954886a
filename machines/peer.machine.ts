/**
 * The root peer actor: owns the sockets, the directory client, all sessions and walks, and decides what strangers and
 * unsolicited datagrams get (protocol §4, §5, §8, §9). What happens to it is emitted as facts.
 */
import { blockingActions } from './peer-blocking.ts';
import { checkActions } from './peer-checks.ts';
import { childActions } from './peer-children.ts';
import { initialPeerContext } from './peer-context.ts';
import { copyActions } from './peer-copies.ts';
import { directoryActions } from './peer-directory.ts';
import { errorActions } from './peer-errors.ts';
import { historyActions } from './peer-history.ts';
import { incomingActions } from './peer-incoming.ts';
import { outgoingActions } from './peer-outgoing.ts';
import { pingActions } from './peer-pings.ts';
import { presenceActions } from './peer-presence.ts';
import { publishingActions } from './peer-publishing.ts';
import { readerActions } from './peer-readers.ts';
import { scheduleActions } from './peer-schedule.ts';
import { base } from './peer-setup.ts';
import { walkActions } from './peer-walks.ts';
import { wishActions } from './peer-wishes.ts';

/** What every sweep does. */
const SWEEP = [
  'resetCounts',
  'forgetUnproven',
  'forgetFormerReaders',
  'seekWithheld',
  'askReturned',
  'greetReaders',
  'keepAlive',
  'lookForAbsent',
  'checkFollowed',
  'walkWaiting',
  // Last: a session that it ends could not greet any more.
  'sweepSessions',
] as const;

const peerSetup = base
  .extend({ actions: childActions })
  .extend({ actions: directoryActions })
  .extend({ actions: outgoingActions })
  .extend({ actions: incomingActions })
  .extend({ actions: errorActions })
  .extend({ actions: walkActions })
  .extend({ actions: readerActions })
  .extend({ actions: presenceActions })
  .extend({ actions: checkActions })
  .extend({ actions: historyActions })
  .extend({ actions: pingActions })
  .extend({ actions: publishingActions })
  .extend({ actions: copyActions })
  .extend({ actions: scheduleActions })
  .extend({ actions: blockingActions })
  .extend({ actions: wishActions });

export const peerMachine = peerSetup.createMachine({
  id: 'peer',
  description: 'The root peer actor: supervises sockets, directory client, sessions and walks.',
  context: ({ input }) => initialPeerContext(input),
  initial: 'running',
  states: {
    running: {
      description: 'Sockets are open, or being opened; others are answered and asked, whatever the directory says.',
      entry: ['openSockets', 'startDirectoryClient', 'startPathChecks'],
      initial: 'starting',
      states: {
        starting: {
          description: 'The directory is being found; nobody can find us yet.',
          on: {
            'directory.known': { target: 'known', actions: 'noteDirectory' },
            'registration.failed': { target: 'outOfReach', actions: ['tellDirectoryFailed', 'seekFollowed'] },
          },
        },
        known: {
          description: 'The directory answers, so that others can be found; it does not list us, or not yet.',
        },
        listed: {
          description: 'The directory lists an address that we use now: others can find us.',
        },
        outOfReach: {
          description: 'The directory does not answer, or refuses us; sessions go on, and it is asked again and again.',
          on: { 'directory.known': { target: 'known', actions: 'noteDirectory' } },
        },
      },
      on: {
        'socket.ready': { actions: 'noteSocket' },
        'socket.lost': { actions: 'tellSocketFailed' },

        'stranger.asked': [
          { guard: 'isBlockedHello', actions: 'refuseBlocked' },
          { guard: 'isHello', actions: 'admit' },
          { actions: 'refuseStranger' },
        ],
        'datagram.unsolicited': [
          { guard: 'isAnnouncement', actions: 'verifyAnnouncedRoot' },
          { guard: 'isTraversalOrder', actions: 'openOwnNat' },
          { guard: 'isError', actions: 'tellError' },
        ],
        'error.owed': { guard: 'mayOweError', actions: 'sendError' },

        'directory.known': { actions: 'noteDirectory' },
        'directory.greetingWanted': { actions: 'greetDirectory' },
        'directory.checkWanted': { actions: 'checkDirectory' },
        'registration.listed': {
          target: '.listed',
          actions: [
            'seekReaders',
            'noteListed',
            'tellListed',
            'lookForCopies',
            'walkFollowed',
            'lookForAbsent',
            'catchUp',
            'greetReaders',
          ],
        },
        'listing.read': { actions: ['noteListed', 'lookForCopies'] },
        'registration.failed': { target: '.outOfReach', actions: 'tellDirectoryFailed' },

        'session.wanted': { actions: 'openSession' },
        'hello.wanted': { actions: 'helloAddress' },
        'session.established': { actions: ['noteEstablished', 'noteAnswers', 'askAboutHistory'] },
        'session.renewed': { actions: ['noteRenewed', 'noteAnswers'] },
        'checks.failed': { actions: 'checkInEarnest' },
        'peer.found': { actions: 'walkFound' },
        'session.silent': { actions: ['noteSilent', 'doubtPosition'] },
        'session.answers': { actions: ['noteAnswers', 'doubtReturned'] },
        'root.seen': { actions: 'compareSeenRoot' },
        'hello.answered': { actions: 'noteSaid' },
        'session.lost': { actions: ['forgetAsked', 'noteLost', 'noteSilent', 'doubtNetwork'] },
        'session.ended': { actions: ['forgetAsked', 'endOutgoing'] },
        'traversal.wanted': { actions: ['askForTraversal', 'doubtPosition'] },
        'error.answered': { actions: 'tellErrorAnswered' },
        'session.accepted': [
          { guard: 'isBlocked', actions: 'endBlocked' },
          { actions: ['noteAccepted', 'tellRootAtLast', 'suspectCopy'] },
        ],
        'session.expired': { actions: 'noteExpired' },
        'session.forgotten': { actions: 'endIncoming' },
        'address.proven': { actions: ['noteProven', 'walkArrived', 'readCopy'] },
        'reader.seen': { actions: 'noteReader' },
        'reader.returned': { actions: 'doubtReader' },

        'sync.wanted': [{ guard: 'isSyncing' }, { actions: 'walkWanted' }],
        'sync.progressed': { actions: 'tellProgress' },
        'history.wanted': { actions: 'checkHistory' },
        'ping.wanted': { actions: 'ping' },
        'following.changed': { actions: ['noteFollowing', 'walkFollowed'] },
        'blocked.changed': { actions: 'noteBlocked' },
        'trust.changed': { actions: ['forgetSessionsOf', 'tellTrustChanged', 'walkTrusted'] },
        'presence.found': { actions: ['notePresenceAnswered', 'walkReturned'] },
        'presence.changed': {
          actions: ['notePresenceAnswered', 'noteCursor', 'suspectListing', 'walkChanged', 'catchUp'],
        },
        'presence.failed': { actions: 'noteCutOff' },
        'cursor.issued': { actions: ['notePresenceAnswered', 'walkConnected', 'noteCursor', 'lookForAll', 'catchUp'] },
        'cursor.unavailable': { actions: ['notePresenceAnswered', 'noteCursor', 'lookForAll'] },
        'announcement.verified': [
          { guard: 'isForged' },
          { guard: 'isSyncing', actions: 'rememberAnnounced' },
          { actions: 'walkAnnounced' },
        ],

        'post.wanted': [{ guard: 'isPublishing', actions: 'takeWish' }, { actions: 'refuseWish' }],
        'withdrawal.wanted': [{ guard: 'isPublishing', actions: 'takeWish' }, { actions: 'refuseWish' }],
        'schedule.wanted': [{ guard: 'isPublishing', actions: 'takeWish' }, { actions: 'refuseWish' }],
        'unschedule.wanted': { actions: 'takeWish' },
        'schedule.known': { actions: 'setAlarm' },
        'schedule.due': { guard: 'maySpeak', actions: 'publishDue' },
        'schedule.failed': { actions: 'tryLater' },
        'block.wanted': { actions: 'takeWish' },
        'follow.wanted': { actions: 'takeWish' },
        'mute.wanted': { actions: 'takeWish' },
        'mark.wanted': { actions: 'takeWish' },
        'trust.wanted': { actions: 'takeWish' },
        'read.wanted': { actions: 'takeWish' },
        'message.published': { actions: 'tellAnswer' },
        'message.withdrawn': { actions: 'tellAnswer' },
        'message.scheduled': { actions: 'tellAnswer' },
        'message.unscheduled': { actions: 'tellAnswer' },
        'block.changed': { actions: 'tellAnswer' },
        'follow.changed': { actions: 'tellAnswer' },
        'mute.changed': { actions: 'tellAnswer' },
        'mark.changed': { actions: 'tellAnswer' },
        'key.accepted': { actions: 'tellAnswer' },
        'messages.read': { actions: 'tellAnswer' },
        'wish.failed': { actions: 'tellAnswer' },

        'root.published': [{ guard: 'isPublishing', actions: 'noteRoot' }, { actions: 'noteOwnRoot' }],
        'publishing.stop': { guard: 'isPublishing', actions: ['retire', 'startDirectoryClient', 'tellRetired'] },
        'root.sealed': { guard: 'isOwnRoot', actions: 'pushRoot' },
        'keepAlive.sealed': { actions: 'useKeepAlive' },

        'network.changed': [
          { guard: 'isStart', actions: 'noteNetwork' },
          { actions: ['noteNetwork', 'greetDirectory', 'doubtHistory', 'walkFollowed'] },
        ],
        sweep: [{ guard: 'isFollowDue', actions: [...SWEEP, 'walkFollowed'] }, { actions: [...SWEEP] }],

        'xstate.done.actor.merkle-walk.*': { actions: ['putAway', 'endWalk', 'stopUnlessMerged'] },
        'xstate.done.actor.history-check.*': { actions: ['putAway', 'endCheck'] },
        'xstate.done.actor.ping.*': { actions: ['putAway', 'tellPing'] },
        'xstate.done.actor.address-proof.*': [
          { guard: 'isEarlierCopy', actions: ['putAway', 'endSearch', 'meetCopy', 'stopForCopy'] },
          { actions: ['putAway', 'endSearch', 'meetCopy'] },
        ],

        'xstate.error.actor.merkle-walk.*': {
          actions: ['putAway', 'reportBreakdown', 'endBrokenWalk', 'stopUnlessMerged'],
        },
        'xstate.error.actor.history-check.*': { actions: ['putAway', 'reportBreakdown', 'endBrokenCheck'] },
        'xstate.error.actor.ping.*': { actions: ['putAway', 'reportBreakdown', 'tellBrokenPing'] },
        'xstate.error.actor.address-proof.*': { actions: ['putAway', 'endSearch', 'reportBreakdown'] },
        'xstate.error.actor.outgoing-session.*': {
          actions: ['putAway', 'reportBreakdown', 'forgetAsked', 'endBrokenOutgoing'],
        },
        'xstate.error.actor.incoming-session.*': { actions: ['putAway', 'reportBreakdown', 'endBrokenIncoming'] },
        'xstate.error.actor.directory-client': [
          { guard: 'mayRestart', actions: ['putAway', 'reportBreakdown', 'startDirectoryClient'] },
          { actions: ['putAway', 'reportBreakdown'] },
        ],
        'xstate.error.actor.path-checks': [
          { guard: 'mayRestart', actions: ['putAway', 'reportBreakdown', 'startPathChecks'] },
          { actions: ['putAway', 'reportBreakdown'] },
        ],
        'xstate.error.actor.socket.*': [
          { guard: 'mayRestart', actions: ['putAway', 'reportBreakdown', 'reopenSocket'] },
          { actions: ['putAway', 'reportBreakdown'] },
        ],

        'peer.stop': 'stopped',
      },
    },
    stopped: { type: 'final', description: 'Every child is stopped; the sockets are released outside.' },
  },
});
