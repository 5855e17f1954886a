import { expect, test } from 'vitest';
import { knownPeerAt } from '../../machines/contacts.ts';
import { peerMachine } from '../../machines/peer.machine.ts';
import type { PeerContext } from '../../machines/peer-context.ts';
import { limits, timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { Datagram } from '../../src/wire/datagram.ts';
import { hashOf, ZERO_HASH } from '../../src/wire/hash.ts';
import { inert, inertMachine, nobody, unwalked, walkMachine } from './walk-machine.ts';

const alice = { ip: '192.0.2.1', port: 1 };
const directory = { ip: '192.0.2.9', port: 1194 };
const socket = nobody('socket');
const signature = new Uint8Array(64).fill(1);
const delivery = (type: string, datagram: Datagram, from = alice) => ({
  type,
  received: { datagram, signed: new Uint8Array(7), signature },
  from,
  size: 80,
  atMs: 1,
  socket,
});
const established = {
  session: 'outgoing-session.alice',
  name: 'alice',
  address: alice,
  key: 'key',
  provenBy: [7],
  atMs: 1,
};
const report = { peer: 'alice', root: ZERO_HASH };
const ended = (kind: string, actorId: string, rest: object) => ({
  type: `xstate.${kind}.actor.${actorId}`,
  actorId,
  ...rest,
});

const history = [{ root: ZERO_HASH, leaf: ZERO_HASH }];
const events = [
  { type: 'socket.ready', index: 0, address: alice, socket },
  { type: 'socket.lost', index: 0, why: 'in use' },
  delivery('stranger.asked', { type: 'Hello', id: 1, flags: 0, name: 'alice' }),
  delivery('stranger.asked', { type: 'RootRequest', id: 1 }),
  delivery('datagram.unsolicited', { type: 'Root', id: 0, hash: ZERO_HASH }),
  delivery('datagram.unsolicited', { type: 'NatTraversalServer', id: 0, address: alice }),
  delivery('datagram.unsolicited', { type: 'Error', id: 0, text: 'no' }),
  { type: 'error.owed', id: 1, to: alice, text: 'no', socket },
  { type: 'directory.known', addresses: [directory, alice], key: 'key', atMs: 1 },
  { type: 'directory.greetingWanted', atMs: 1 },
  { type: 'directory.checkWanted', requester: nobody('directory-client') },
  { type: 'registration.listed', addresses: [alice], wasUnheard: true, atMs: 1 },
  { type: 'listing.read', addresses: [alice], atMs: 1 },
  {
    type: 'registration.failed',
    failure: { code: 'directory-unreachable', message: 'no' },
    retryInMs: 1,
  },
  { type: 'session.wanted', name: 'alice', requester: nobody('walk'), atMs: 1 },
  { type: 'hello.wanted', address: alice, atMs: 1 },
  { type: 'session.established', ...established },
  { type: 'session.renewed', session: 'outgoing-session.alice', name: 'alice', address: alice, provenBy: [8] },
  { type: 'hello.answered', name: 'alice', address: alice, key: 'key', flags: 0, id: 7 },
  { type: 'session.silent', name: 'alice', address: alice },
  { type: 'session.answers', name: 'alice', address: alice },
  { type: 'root.seen', name: 'alice', root: ZERO_HASH, authenticated: true, atMs: 1 },
  { type: 'session.lost', session: 'outgoing-session.alice', name: 'alice', hasPush: true, failure: undefined },
  { type: 'traversal.wanted', address: alice },
  { type: 'error.answered', from: alice, name: 'alice', text: 'no' },
  { type: 'session.accepted', name: 'alice', address: alice, key: 'key', proven: false, atMs: 1 },
  { type: 'session.expired', address: alice },
  { type: 'address.proven', name: 'alice', address: alice, key: 'key', atMs: 1 },
  { type: 'sync.wanted', name: 'alice', atMs: 1 },
  { type: 'sync.progressed', peer: 'alice', nodesFetched: 256, nodesWanted: 1 },
  { type: 'history.wanted', names: ['alice'], history, atMs: 1 },
  { type: 'trust.changed', name: 'alice', atMs: 1 },
  { type: 'publishing.stop', failure: { code: 'in-use', message: 'a copy' } },
  ended('done', 'address-proof.0', { output: { proven: true, address: alice } }),
  ended('done', 'address-proof.0', { output: { proven: false, address: alice } }),
  ended('error', 'address-proof.0', { error: new Error('broken') }),
  { type: 'following.changed', names: ['alice'], atMs: 1 },
  { type: 'announcement.verified', name: 'alice', root: ZERO_HASH, valid: true, atMs: 1 },
  { type: 'announcement.verified', name: 'alice', root: ZERO_HASH, valid: false, atMs: 1 },
  { type: 'root.published', root: ZERO_HASH, atMs: 1 },
  { type: 'post.wanted', text: 'hello', inReplyTo: null, ticket: '1', atMs: 1 },
  { type: 'withdrawal.wanted', hash: ZERO_HASH, ticket: '1', atMs: 1 },
  { type: 'follow.wanted', name: 'alice', following: true, ticket: '1', atMs: 1 },
  { type: 'mute.wanted', name: 'alice', muted: true, ticket: '1', atMs: 1 },
  { type: 'mark.wanted', kind: 'word', subject: 'rain', marked: true, ticket: '1', atMs: 1 },
  { type: 'trust.wanted', name: 'alice', key: 'key', ticket: '1', atMs: 1 },
  { type: 'key.accepted', name: 'alice', key: 'key', ticket: '1' },
  { type: 'read.wanted', hashes: 'all', ticket: '1', atMs: 1 },
  { type: 'message.published', hash: ZERO_HASH, root: ZERO_HASH, ticket: '1' },
  { type: 'message.withdrawn', hash: ZERO_HASH, root: ZERO_HASH, ticket: '1' },
  { type: 'follow.changed', name: 'alice', following: true, ticket: '1' },
  { type: 'mute.changed', name: 'alice', muted: true, ticket: '1' },
  { type: 'mark.changed', kind: 'word', subject: 'rain', marked: true, ticket: '1' },
  { type: 'messages.read', count: 1, ticket: '1' },
  { type: 'wish.failed', failure: { code: 'unexpected', message: 'no' }, ticket: '1' },
  { type: 'root.sealed', root: ZERO_HASH, bytes: new Uint8Array(7) },
  { type: 'root.sealed', root: hashOf(new Uint8Array()), bytes: new Uint8Array(7) },
  { type: 'keepAlive.sealed', bytes: new Uint8Array(7) },
  { type: 'reader.seen', name: 'alice', hasNewest: true, atMs: 1 },
  { type: 'reader.returned', name: 'alice', atMs: 1 },
  { type: 'presence.found', listings: [{ name: 'alice', addresses: [alice], key: undefined }], atMs: 1 },
  { type: 'presence.changed', listings: [], removed: ['alice'], cursor: 'run.1', atMs: 1 },
  { type: 'cursor.issued', cursor: 'run.1', atMs: 1 },
  { type: 'cursor.unavailable', atMs: 1 },
  { type: 'presence.failed' },
  { type: 'network.changed', why: 'start', localIps: ['192.0.2.1'], atMs: 1 },
  { type: 'network.changed', why: 'sleep', localIps: ['192.0.2.2'], atMs: 1 },
  { type: 'sweep', atMs: 2 },
  { type: 'sweep', atMs: timing.followInterval + 2 },
  ended('done', 'merkle-walk.alice', { output: { report, atMs: 1 } }),
  ended('error', 'merkle-walk.alice', { error: new Error('broken') }),
  ended('done', 'history-check.alice', { output: { peer: 'alice', outcome: 'same' } }),
  ended('error', 'history-check.alice', { error: new Error('broken') }),
  { type: 'ping.wanted', name: 'alice', atMs: 1 },
  ended('done', 'ping.alice', { output: { name: 'alice', roundTripMs: 3, failure: undefined } }),
  ended('error', 'ping.alice', { error: new Error('broken') }),
  { type: 'session.ended', session: 'outgoing-session.alice' },
  ended('error', 'outgoing-session.alice', { error: new Error('broken') }),
  { type: 'session.forgotten', address: alice },
  ended('error', 'incoming-session.192.0.2.1:1', { error: new Error('broken') }),
  { type: 'peer.stop' },
] as never;

/** These lead to no other state. */
const anywhere = [
  { type: 'block.wanted', name: 'alice', blocked: true, ticket: '1', atMs: 1 },
  { type: 'checks.failed', sessions: ['outgoing-session.alice'], isAlone: true },
  { type: 'peer.found', name: 'alice', address: { ip: '192.0.2.1', port: 1 }, atMs: 1 },
  { type: 'blocked.changed', names: ['alice'] },
  { type: 'blocked.changed', names: [] },
  { type: 'schedule.wanted', text: 'hello', inReplyTo: null, dueMs: 9, ticket: '1', atMs: 1 },
  { type: 'unschedule.wanted', id: 1, ticket: '1', atMs: 1 },
  { type: 'schedule.known', dueInMs: 9 },
  { type: 'schedule.known', dueInMs: undefined },
  { type: 'schedule.due' },
  { type: 'schedule.failed', failure: { code: 'unexpected', message: 'no' } },
  { type: 'message.scheduled', id: 1, dueMs: 9, ticket: '1' },
  { type: 'message.unscheduled', id: 1, text: 'hello', inReplyTo: null, ticket: '1' },
  { type: 'block.changed', name: 'alice', blocked: true, ticket: '1' },
] as never[];

const restartable = [
  ended('error', 'socket.0', { error: new Error('broken') }),
  ended('error', 'directory-client', { error: new Error('broken') }),
  ended('error', 'path-checks', { error: new Error('broken') }),
] as never;

const key = (context: PeerContext) => [
  context.contacts.outgoing.size,
  knownPeerAt(context.contacts, alice)?.key,
  context.walks.size,
  context.directoryAddresses.length,
  context.listed.length,
  context.following.length,
  context.checking.length,
  context.retirement,
];

/** Only a check that was begun ends. */
const isPossible = ({ checking }: PeerContext, event: { type: string }) =>
  checking.length > 0 || !event.type.includes('history-check');

test('every transition of a peer is walked', () => {
  const machine = peerMachine.provide({
    actors: {
      socket: inertMachine,
      directoryClient: inertMachine,
      outgoingSession: inertMachine,
      incomingSession: inertMachine,
      merkleWalk: inertMachine,
      historyCheck: inertMachine,
      ping: inertMachine,
      pathChecks: inertMachine,
      addressProof: inertMachine,
    } as never,
    actions: inert(
      'askForChanges',
      'carryOutWish',
      'compareRoot',
      'forgetConnections',
      'lookForPeers',
      'publishDue',
      'rememberAddress',
      'rememberReader',
      'sealKeepAlive',
      'sealRoot',
      'sendSigned',
      'verifyAnnouncement',
    ),
  });
  const input = {
    name: 'bob',
    random: seededRandom(1),
    root: ZERO_HASH,
    binds: [alice],
    flags: 0,
    following: [],
    register: true,
    quota: limits.messageQuota,
    formerReaders: ['carol'],
    guardedKey: undefined,
    history: undefined,
  };
  const result = walkMachine({ machine, input, events, key, isPossible, depth: 4 });
  const untilTheyStayDown = ({ restarts }: PeerContext) => Math.min(restarts, limits.restarts);
  const { walked } = walkMachine({ machine, input, events: restartable, key: untilTheyStayDown });
  const retired = { type: 'publishing.stop', failure: { code: 'in-use', message: 'a copy' } } as never;
  const blocked = { ...input, blocked: ['alice'] };
  const blocking = walkMachine({
    machine,
    input: blocked,
    events: [...(events as never[]), ...anywhere],
    paths: [[], [retired]],
  });
  expect(unwalked({ ...result, walked: result.walked.union(walked).union(blocking.walked) })).toEqual([]);
});
