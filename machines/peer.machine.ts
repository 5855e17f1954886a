/**
 * The root peer actor: owns the sockets, the directory client, all sessions and walks, and decides what strangers and
 * unsolicited datagrams get (protocol §4, §5, §8, §9). What happens to it is emitted as facts.
 */
import { emptyTable, entriesOf, entryOf, withoutEntry } from '../src/merkle/hash-table.ts';
import type { SocketAddress } from '../src/wire/socket-address.ts';
import { actorId } from './actor-ids.ts';
import { type HistoryCheck, withSocket } from './events.ts';
import { failedWalk, type MerkleWalkOutput } from './merkle-walk-context.ts';
import { nameActions } from './named.ts';
import { initialPeerContext } from './peer-context.ts';
import { checkHistory, endCheck, failedCheck } from './peer-history.ts';
import {
  admit,
  askForTraversal,
  endIncoming,
  greetDirectory,
  helloAddress,
  noteAccepted,
  noteDirectory,
  noteEstablished,
  noteExpired,
  noteListed,
  noteLost,
  noteProven,
  openOwnNat,
  openSession,
  refuseStranger,
  sendError,
  startDirectoryClient,
  tellDirectoryFailed,
  tellError,
  tellErrorAnswered,
  tellListed,
} from './peer-sessions.ts';
import { base, type Enqueueing } from './peer-setup.ts';
import {
  endWalk,
  noteFollowing,
  noteRoot,
  pushRoot,
  rememberAnnounced,
  tellProgress,
  verifyAnnouncement,
  walkFollowed,
  walkWanted,
} from './peer-walks.ts';
import { withWishes } from './peer-wishes.ts';
import { limits } from './timing.ts';
import type { StoreWish } from './wishes.ts';

/* Sockets */

const openSockets = base.enqueueActions(({ context, enqueue, self }) => {
  context.binds.forEach((bind, index) => {
    enqueue.spawnChild('socket', { id: actorId.socket(index), input: { index, bind, owner: self } });
  });
});

const noteSocket = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'socket.ready') return;
  const sockets = withSocket(context.sockets, event.address, event.socket);
  enqueue.assign({ sockets });
  enqueue.emit({ type: 'socket.bound', index: event.index, address: event.address });
  for (const [id] of entriesOf(context.outgoing)) enqueue.sendTo(id as string, { type: 'sockets.changed', sockets });
});

const tellSocketFailed = base.emit(({ event }) => ({
  type: 'socket.failed',
  why: event.type === 'socket.lost' ? event.why : '',
}));

/* Time, and children that end */

const sweepSessions = base.enqueueActions(({ context, event, enqueue }) => {
  if (event.type !== 'sweep') return;
  for (const [id] of entriesOf(context.outgoing)) enqueue.sendTo(id as string, event);
  for (const [, { address }] of entriesOf(context.incoming)) enqueue.sendTo(actorId.incomingSession(address), event);
  enqueue.assign({ errorsSent: 0, errorsTo: emptyTable<number>(), traversals: 0, restarts: 0 });
});

/** A child that is done stays in `children` until it is stopped. */
const reap = base.enqueueActions((args) => {
  const { event, enqueue } = args;
  const { actorId: id, output } = event as unknown as { actorId: string; output: unknown };
  enqueue.stopChild(id);
  if (id.startsWith(actorId.merkleWalk(''))) endWalk(args, output as MerkleWalkOutput);
  if (id.startsWith(actorId.historyCheck(''))) endCheck(args, output as HistoryCheck);
  if (id.startsWith(actorId.outgoingSession(''))) enqueue.assign({ outgoing: withoutEntry(args.context.outgoing, id) });
  if (id.startsWith('incoming-session.')) endIncoming(args, (output as { address: SocketAddress }).address, false);
});

/** A child that failed never takes the root down: it is put away, reported, and started again within bounds. */
const mend = base.enqueueActions((args) => {
  const { context, event, enqueue, self } = args;
  const { actorId: id, error } = event as unknown as { actorId: string; error: unknown };
  enqueue.stopChild(id);
  enqueue.assign({ restarts: context.restarts + 1 });
  const what = error instanceof Error ? error.message : String(error);
  enqueue.emit({ type: 'peer.warning', message: `${id} failed and was put away: ${what}` });
  if (id.startsWith(actorId.merkleWalk(''))) {
    endWalk(args, failedWalk(id.slice(actorId.merkleWalk('').length), error, context.followedAtMs));
  }
  if (id.startsWith(actorId.historyCheck(''))) {
    endCheck(args, failedCheck(id.slice(actorId.historyCheck('').length), what));
  }
  for (const [, { address }] of entriesOf(context.incoming)) {
    if (actorId.incomingSession(address) === id) endIncoming(args, address, true);
  }
  endOutgoing(args, id, error);
  if (context.restarts >= limits.restarts) return;
  if (id === actorId.directoryClient) {
    enqueue.spawnChild('directoryClient', { id, input: { owner: self, register: context.register } });
  }
  context.binds.forEach((bind, index) => {
    if (actorId.socket(index) === id) enqueue.spawnChild('socket', { id, input: { index, bind, owner: self } });
  });
});

/** Who waits for a session that broke down would wait for ever. */
function endOutgoing(args: Enqueueing, id: string, error: unknown): void {
  const { context, enqueue } = args;
  const entry = entryOf(context.outgoing, id);
  if (entry === undefined) return;
  enqueue.assign({ outgoing: withoutEntry(context.outgoing, id) });
  if (entryOf(context.walks, entry.name) === undefined) return;
  enqueue.stopChild(actorId.merkleWalk(entry.name));
  endWalk(args, failedWalk(entry.name, error, context.followedAtMs));
}

nameActions({
  openSockets,
  noteSocket,
  tellSocketFailed,
  sweepSessions,
  reap,
  mend,
});

const carryOutWish = {
  type: 'carryOutWish' as const,
  params: ({ event }: { event: StoreWish & { atMs: number } }) => ({ wish: event }),
};

export const peerMachine = withWishes.createMachine({
  id: 'peer',
  description: 'The root peer actor: supervises sockets, directory client, sessions and walks.',
  context: ({ input }) => initialPeerContext(input),
  initial: 'running',
  states: {
    running: {
      description: 'Sockets are open, or being opened; everything else follows from what comes in.',
      entry: [openSockets, startDirectoryClient],
      on: {
        'socket.ready': { actions: noteSocket },
        'socket.lost': { actions: tellSocketFailed },

        'stranger.asked': [{ guard: 'isHello', actions: admit }, { actions: refuseStranger }],
        'datagram.unsolicited': [
          { guard: 'isAnnouncement', actions: verifyAnnouncement },
          { guard: 'isTraversalOrder', actions: openOwnNat },
          { guard: 'isError', actions: tellError },
        ],
        'error.owed': { guard: 'mayOweError', actions: sendError },

        'directory.known': { actions: noteDirectory },
        'directory.greetingWanted': { actions: greetDirectory },
        'registration.listed': { actions: [noteListed, tellListed, walkFollowed] },
        'registration.failed': { actions: tellDirectoryFailed },

        'session.wanted': { actions: openSession },
        'hello.wanted': { actions: helloAddress },
        'session.established': { actions: noteEstablished },
        'session.lost': { actions: noteLost },
        'traversal.wanted': { actions: askForTraversal },
        'error.answered': { actions: tellErrorAnswered },
        'session.accepted': { actions: noteAccepted },
        'session.expired': { actions: noteExpired },
        'address.proven': { actions: noteProven },

        'sync.wanted': [{ guard: 'isSyncing' }, { actions: walkWanted }],
        'sync.progressed': { actions: tellProgress },
        'history.wanted': [{ guard: 'isCheckingHistory' }, { actions: checkHistory }],
        'following.changed': { actions: [noteFollowing, walkFollowed] },
        'announcement.verified': [
          { guard: 'isForged' },
          { guard: 'isSyncing', actions: rememberAnnounced },
          { actions: walkWanted },
        ],

        'post.wanted': { actions: carryOutWish },
        'withdrawal.wanted': { actions: carryOutWish },
        'follow.wanted': { actions: carryOutWish },
        'mute.wanted': { actions: carryOutWish },
        'read.wanted': { actions: carryOutWish },
        'message.published': { actions: 'tellAnswer' },
        'message.withdrawn': { actions: 'tellAnswer' },
        'follow.changed': { actions: 'tellAnswer' },
        'mute.changed': { actions: 'tellAnswer' },
        'messages.read': { actions: 'tellAnswer' },
        'wish.failed': { actions: 'tellAnswer' },

        'root.published': { actions: noteRoot },
        'root.sealed': { actions: pushRoot },

        sweep: [{ guard: 'isFollowDue', actions: [sweepSessions, walkFollowed] }, { actions: sweepSessions }],
        'xstate.done.actor.*': { actions: reap },
        'xstate.error.actor.*': { actions: mend },
        'peer.stop': 'stopped',
      },
    },
    stopped: { type: 'final', description: 'Every child is stopped; the sockets are released outside.' },
  },
});
