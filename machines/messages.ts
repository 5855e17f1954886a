/**
 * Who tells whom what. The types of all references between actors come from this table: whoever holds one can send only what
 * the table lists. The drawing of the messages is made from it, and a test runs peers and a directory and finds it to be what
 * happens.
 */
import type { ActorRef, EventObject, Snapshot } from 'xstate';
import type { AddressProofEvent } from './address-proof.machine.ts';
import type { DirectoryClientEvent } from './directory-client-context.ts';
import type { DirectoryEvent } from './directory-context.ts';
import type { FirstRunEvent } from './first-run.machine.ts';
import type { FrontEndEvent } from './front-end-setup.ts';
import type { HistoryCheckEvent } from './history-check.machine.ts';
import type { IncomingSessionEvent } from './incoming-session-context.ts';
import type { MerkleWalkEvent } from './merkle-walk-context.ts';
import type { OutgoingSessionEvent } from './outgoing-session-context.ts';
import type { PathChecksEvent } from './path-checks.machine.ts';
import type { PeerEvent } from './peer-events.ts';
import type { PingEvent } from './ping.machine.ts';
import type { RequestEvent } from './request-context.ts';
import type { SocketEvent } from './socket.machine.ts';

/** What each kind of actor accepts. */
interface Accepted {
  readonly peer: PeerEvent;
  readonly socket: SocketEvent;
  readonly 'directory-client': DirectoryClientEvent;
  readonly 'outgoing-session': OutgoingSessionEvent;
  readonly 'incoming-session': IncomingSessionEvent;
  readonly request: RequestEvent;
  readonly 'address-proof': AddressProofEvent;
  readonly 'merkle-walk': MerkleWalkEvent;
  readonly 'history-check': HistoryCheckEvent;
  readonly ping: PingEvent;
  readonly 'path-checks': PathChecksEvent;
  readonly directory: DirectoryEvent;
  readonly 'first-run': FirstRunEvent;
  readonly 'front-end': FrontEndEvent;
}
type Kind = keyof Accepted;

/** An actor, as far as it accepts these events; what it emits does not matter. */
// biome-ignore lint/suspicious/noExplicitAny: as XState's own types of references have it
export type Ref<TEvent extends EventObject> = ActorRef<Snapshot<unknown>, TEvent, any>;

/**
 * Sender, receiver, events; senders from the top of the picture to its bottom. `outside` are effects, timers of the owner and
 * the program: whatever is no actor. Starting, ending and `after` are XState's own business, and not listed.
 */
const messages = {
  outside: {
    peer: [
      'announcement.verified',
      'block.changed',
      'block.wanted',
      'blocked.changed',
      'cursor.issued',
      'cursor.unavailable',
      'follow.changed',
      'follow.wanted',
      'following.changed',
      'hello.wanted',
      'history.wanted',
      'keepAlive.sealed',
      'key.accepted',
      'mark.changed',
      'mark.wanted',
      'message.published',
      'message.scheduled',
      'message.unscheduled',
      'message.withdrawn',
      'messages.read',
      'mute.changed',
      'mute.wanted',
      'network.changed',
      'peer.stop',
      'ping.wanted',
      'post.wanted',
      'presence.changed',
      'presence.failed',
      'presence.found',
      'publishing.stop',
      'read.wanted',
      'root.published',
      'root.sealed',
      'schedule.failed',
      'schedule.known',
      'schedule.wanted',
      'sweep',
      'sync.wanted',
      'trust.changed',
      'trust.wanted',
      'unschedule.wanted',
      'wish.failed',
      'withdrawal.wanted',
    ],
    socket: [
      'datagrams.dropped',
      'datagrams.received',
      'datagrams.refused',
      'datagrams.send',
      'socket.failed',
      'socket.opened',
    ],
    'directory-client': ['directory.failed', 'directory.found', 'listing.checked', 'registration.accepted'],
    'outgoing-session': ['peer.located', 'peer.notLocated', 'trust.recalled'],
    'incoming-session': ['hello.verified', 'key.found', 'nodes.read'],
    request: ['answer.verified', 'datagram.signed', 'send.failed'],
    'path-checks': ['checks.signed'],
    'merkle-walk': ['adoption.failed', 'nodes.lookedUp', 'store.failed', 'tree.adopted', 'walk.begun'],
    directory: [
      'address.listed',
      'addresses.undated',
      'directory.stop',
      'hello.checked',
      'host.vouched',
      'sweep',
      'traversal.checked',
    ],
    'first-run': [
      'certificate.given',
      'certificate.untrusted',
      'directory.answered',
      'directory.chosen',
      'directory.failed',
      'doubt.answered',
      'home.failed',
      'home.saved',
      'introduction.read',
      'name.given',
      'passphrase.settled',
      'prompt.cancelled',
      'url.given',
    ],
    'front-end': [
      'action.chosen',
      'message.seen',
      'notification.seen',
      'peer.chosen',
      'peers.listed',
      'prompt.cancelled',
      'quit.answered',
      'text.changed',
      'text.given',
      'trust.answered',
      'withdrawal.answered',
      'word.given',
      'work.done',
      'work.failed',
    ],
  },
  'front-end': {
    peer: [
      'block.wanted',
      'follow.wanted',
      'hello.wanted',
      'mark.wanted',
      'mute.wanted',
      'post.wanted',
      'read.wanted',
      'schedule.wanted',
      'sync.wanted',
      'trust.wanted',
      'unschedule.wanted',
      'withdrawal.wanted',
    ],
  },
  peer: {
    // To itself, later.
    peer: ['schedule.due'],
    'front-end': [
      'block.changed',
      'follow.changed',
      'key.accepted',
      'mark.changed',
      'message.published',
      'message.scheduled',
      'message.unscheduled',
      'message.withdrawn',
      'messages.read',
      'messages.received',
      'mute.changed',
      'session.opened',
      'sync.finished',
      'wish.failed',
    ],
    'directory-client': [
      'directory.doubted',
      'greeting.answered',
      'greeting.failed',
      'ips.changed',
      'listing.wanted',
      'port.bound',
      'registration.renew',
      'registration.stop',
    ],
    socket: ['datagrams.send', 'source.unrouted'],
    'outgoing-session': [
      'flags.learned',
      'listing.changed',
      'path.check',
      'peer.found',
      'push.confirmed',
      'push.wanted',
      'root.wanted',
      'session.adopt',
      'session.greet',
      'session.open',
      'session.renew',
      'session.used',
      'sockets.changed',
      'sweep',
      'trust.changed',
    ],
    'incoming-session': ['flags.changed', 'root.changed', 'session.proven', 'sweep'],
    'path-checks': ['checks.wanted'],
  },
  'path-checks': {
    peer: ['checks.failed', 'peer.found'],
    socket: ['checks.send', 'routes.dropped'],
  },
  'directory-client': {
    peer: [
      'directory.checkWanted',
      'directory.greetingWanted',
      'directory.known',
      'listing.read',
      'registration.failed',
      'registration.listed',
    ],
  },
  'incoming-session': {
    peer: [
      'address.proven',
      'error.owed',
      'hello.answered',
      'reader.returned',
      'reader.seen',
      'session.accepted',
      'session.expired',
      'session.forgotten',
    ],
    socket: ['datagrams.send', 'source.routed'],
    'address-proof': ['hello.overtaken'],
  },
  'merkle-walk': {
    peer: ['session.wanted', 'sync.progressed'],
    'outgoing-session': ['bulk.wanted', 'nodes.wanted', 'root.wanted'],
  },
  'history-check': {
    peer: ['session.wanted'],
    'outgoing-session': ['nodes.wanted'],
  },
  ping: {
    peer: ['session.wanted'],
    'outgoing-session': ['root.wanted'],
  },
  'outgoing-session': {
    peer: [
      'error.answered',
      'root.seen',
      'session.ended',
      'session.established',
      'session.answers',
      'session.lost',
      'session.renewed',
      'session.silent',
      'traversal.wanted',
    ],
    // To itself, later.
    'outgoing-session': ['pace.due', 'push.due'],
    request: ['request.abandoned', 'request.cancelled', 'request.open', 'request.overtaken', 'request.redirected'],
    socket: ['datagrams.send'],
    'merkle-walk': [
      'nodes.absent',
      'nodes.failed',
      'nodes.received',
      'root.failed',
      'root.received',
      'session.failed',
      'session.ready',
    ],
    'directory-client': ['root.failed', 'root.received'],
    'history-check': ['nodes.absent', 'nodes.failed', 'nodes.received', 'session.failed', 'session.ready'],
    ping: ['root.failed', 'root.received', 'session.failed', 'session.ready'],
  },
  'address-proof': { request: ['request.open', 'request.overtaken'] },
  request: {
    socket: ['datagrams.dropped', 'datagrams.send', 'routes.dropped'],
    'outgoing-session': ['request.ended', 'request.progressed', 'request.released', 'request.stalled'],
    'address-proof': ['request.ended', 'request.stalled'],
  },
  socket: {
    peer: ['datagram.unsolicited', 'socket.lost', 'socket.ready', 'stranger.asked'],
    'incoming-session': ['bulk.requested', 'nodes.requested', 'request.received'],
    request: ['answer.received', 'answers.received', 'send.failed'],
    'outgoing-session': ['answers.delivered'],
    'path-checks': ['answer.received'],
    directory: ['datagram.unsolicited', 'socket.lost', 'socket.ready', 'stranger.asked'],
  },
  directory: { socket: ['datagrams.send'] },
} as const satisfies {
  readonly [sender in Kind | 'outside']?: { readonly [receiver in Kind]?: readonly Accepted[receiver]['type'][] };
};

/** The table for whoever reads all of it. */
export const messageTable: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = messages;

type Messages = typeof messages;
type Sender = keyof Messages;
/** Kinds of actors to which effects and the program send. */
export type Outside = Messages['outside'];

/** What one kind of actor tells another. */
export type Message<TSender extends Sender, TReceiver extends keyof Messages[TSender] & Kind> = Extract<
  Accepted[TReceiver],
  { readonly type: Extract<Messages[TSender][TReceiver], readonly string[]>[number] }
>;

/** An actor as another kind sees it: it is told only what the table lists. */
export type RefFor<TSender extends Sender, TReceiver extends keyof Messages[TSender] & Kind> = Ref<
  Message<TSender, TReceiver>
>;

/** A socket as everybody but its effects sees it. */
export type SocketRef = RefFor<'peer' | 'incoming-session' | 'outgoing-session' | 'path-checks' | 'request', 'socket'>;
