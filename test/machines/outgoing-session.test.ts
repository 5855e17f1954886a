import { expect, test } from 'vitest';
import { outgoingSessionMachine } from '../../machines/outgoing-session.machine.ts';
import type { OutgoingSessionContext } from '../../machines/outgoing-session-context.ts';
import { busySlots } from '../../machines/slots.ts';
import { timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { inert, inertMachine, nobody, unwalked, walkMachine } from './walk-machine.ts';

const address = { ip: '192.0.2.1', port: 1 };
const other = { ip: '192.0.2.2', port: 1 };
const third = { ip: '192.0.2.3', port: 1 };
const ipv6 = { ip: '2001:db8::1', port: 1 };
const walk = nobody('walk');
const ipv4 = nobody('socket');

const hello = { type: 'Hello' };
const rootRequest = { type: 'RootRequest' };
const wanted = [{ parent: undefined, children: [ZERO_HASH], mask: 1, depth: 0 }];
const getNodes = { type: 'GetNodes', proof: 7, gap: 0, grant: 1, wanted };
const harvest = { nodes: [], absent: [], single: [], arrivals: [{ sequence: 0, isLast: true, bytes: 300 }], unfit: 0 };
const served = { kind: 'served', harvest, unserved: [], isCut: false, hasServed: true };
const getDatum = { type: 'GetDatum', hash: ZERO_HASH };
const order = (question: { type: string }, to = address) => ({
  question,
  to,
  requester: question === hello ? undefined : walk,
  ticket: 0,
  firstTimeoutMs: 1_000,
  heard: 0,
});
const ended = (question: { type: string }, outcome: object, to = address) => ({
  type: 'request.ended',
  slot: 0,
  sends: 1,
  freed: 1,
  openedAtMs: 1,
  atMs: 6,
  order: order(question, to),
  outcome,
});
const answered = (type: string) => ({ kind: 'answered', answer: { type, hash: ZERO_HASH }, from: address, ids: [7] });
const refused = { kind: 'refused', text: 'no session' };
const unanswered = { kind: 'unanswered', waitedMs: 30_000, faults: {} };

const events = [
  { type: 'session.open', waiter: walk, atMs: 1 },
  { type: 'session.greet', atMs: 1 },
  { type: 'session.renew', atMs: 1 },
  { type: 'session.used', atMs: 7 },
  { type: 'listing.changed', addresses: [other], key: 'key', atMs: 2 },
  { type: 'session.adopt', address, key: 'key', atMs: 1 },
  { type: 'session.adopt', address: other, key: 'key', atMs: 1 },
  { type: 'session.adopt', address: other, key: undefined, atMs: 1 },
  { type: 'peer.located', addresses: [address, other, third], key: 'key', atMs: 2 },
  { type: 'peer.located', addresses: [ipv6], key: 'key', atMs: 2 },
  { type: 'peer.notLocated', failure: { code: 'peer-unknown', message: 'unknown' } },
  { type: 'trust.recalled', key: 'key' },
  { type: 'trust.changed' },
  { type: 'root.wanted', requester: walk, atMs: 3 },
  { type: 'nodes.wanted', hashes: [ZERO_HASH], requester: walk, ticket: 0, atMs: 3 },
  { type: 'bulk.wanted', requests: [{ wanted, grant: 1 }], requester: walk, atMs: 3 },
  { type: 'flags.learned', address, key: 'key', flags: BULK_FLAG, id: 7 },
  {
    type: 'request.progressed',
    slot: 0,
    order: order(getNodes),
    harvest,
    isMeasured: true,
    sends: 1,
    freed: 1,
    openedAtMs: 1,
    atMs: 6,
  },
  { type: 'request.released', slot: 0 },
  ended(getNodes, served),
  ended(getNodes, refused),
  ended(getNodes, unanswered),
  { type: 'push.wanted', bytes: new Uint8Array(7) },
  { type: 'push.due' },
  { type: 'push.confirmed' },
  { type: 'pace.due' },
  { type: 'answers.delivered', atMs: 6 },
  { type: 'sockets.changed', sockets: { ipv4 } },
  { type: 'sweep', atMs: 10 },
  { type: 'sweep', atMs: timing.sessionRenewal + 10 },
  { type: 'sweep', atMs: timing.sessionLifetime + 10 },
  ended(hello, answered('HelloReply')),
  ended(hello, answered('HelloReply'), other),
  ended(hello, refused),
  ended(hello, unanswered),
  ended(rootRequest, answered('Root')),
  ended(rootRequest, refused),
  ended(rootRequest, unanswered),
  ended(rootRequest, unanswered, other),
  ended(getDatum, answered('Datum')),
  { type: 'request.stalled', slot: 0, order: order(rootRequest), sends: 3, waitedMs: 7_000 },
  { type: 'xstate.after.locatingPatience.outgoing-session.locating' },
  { type: 'xstate.after.attemptDelay.outgoing-session.greeting.racing' },
  { type: 'xstate.after.attemptDelay.outgoing-session.established.searching.racing' },
  { type: 'xstate.after.traversalDelay.outgoing-session.greeting' },
  { type: 'xstate.after.traversalDelay.outgoing-session.established.searching' },
  { type: 'xstate.after.secondTraversalDelay.outgoing-session.greeting' },
  { type: 'xstate.after.secondTraversalDelay.outgoing-session.established.searching' },
  { type: 'xstate.after.greetingPatience.outgoing-session.greeting' },
  { type: 'xstate.after.searchPatience.outgoing-session.established.searching' },
  { type: 'path.check' },
] as never;

/** Further than the search for paths goes. */
const lostWhileSearching = [
  { type: 'session.adopt', address, key: 'key', atMs: 1 },
  { type: 'root.wanted', requester: walk, atMs: 3 },
  ended(rootRequest, unanswered),
  { type: 'peer.notLocated', failure: { code: 'directory-unreachable', message: 'down' } },
  { type: 'xstate.after.attemptDelay.outgoing-session.established.searching.racing' },
  ended(hello, unanswered),
];

const foundWhileGreeting = [
  { type: 'session.open', waiter: walk, atMs: 1 },
  { type: 'peer.located', addresses: [address, other], key: 'key', atMs: 2 },
  { type: 'peer.found', name: 'alice', address: other, atMs: 3 },
];

const namelessRoot = [
  { type: 'session.adopt', address, key: undefined, atMs: 1 },
  { type: 'root.wanted', requester: walk, atMs: 3 },
  ended(rootRequest, answered('Root')),
  ended(hello, unanswered),
  ended(hello, { ...unanswered, faults: { 'other name': 1 } }),
];

const signedRoot = ended(rootRequest, answered('Root'));
const signedRootWhileSearching = [
  { type: 'session.adopt', address, key: 'key', atMs: 1 },
  { type: 'root.wanted', requester: walk, atMs: 3 },
  ended(rootRequest, unanswered),
  { ...signedRoot, order: { ...signedRoot.order, answerKey: 'key' } },
];

const namelessRootWhileSearching = [
  { type: 'session.adopt', address, key: undefined, atMs: 1 },
  { type: 'root.wanted', requester: walk, atMs: 3 },
  ended(rootRequest, unanswered),
  ended(rootRequest, answered('Root')),
];

const input = (located: object | undefined) => ({
  id: 'outgoing-session.alice',
  name: 'alice',
  ownName: 'bob',
  owner: nobody('peer'),
  random: seededRandom(1),
  flags: BULK_FLAG,
  sockets: { ipv4 },
  located,
  nameKnown: true,
});
const key = (context: OutgoingSessionContext) => [
  context.key,
  context.path?.key,
  context.path?.address.ip,
  context.candidates.length,
  context.hellos.length > 0,
  context.regreetings,
  context.waiters.length > 0,
  context.heldBack.length > 0,
  context.push !== undefined,
  busySlots(context.requests).includes(0),
];
/** A request stalls or ends only while it is open. */
const isPossible = ({ requests }: OutgoingSessionContext, { type }: { type: string }) =>
  !['request.ended', 'request.stalled', 'request.progressed', 'request.released'].includes(type) ||
  busySlots(requests).includes(0);

test('every transition of an outgoing session is walked', () => {
  walk.start();
  const machine = outgoingSessionMachine.provide({
    actors: { request: inertMachine as never },
    actions: inert('locatePeer', 'recallTrust', 'rememberHabit'),
  });
  const found = walkMachine({ machine, input: input(undefined), events, key, isPossible, depth: 5 });
  const given = { addresses: [address], key: undefined };
  const fixed = walkMachine({ machine, input: input(given), events, key, isPossible, depth: 3 });
  const outOfReach = { addresses: [ipv6], key: undefined };
  const far = walkMachine({ machine, input: input(outOfReach), events, key, isPossible, depth: 1 });
  const lost = walkMachine({
    machine,
    input: input(undefined),
    events,
    paths: [foundWhileGreeting, lostWhileSearching, namelessRoot, namelessRootWhileSearching, signedRootWhileSearching],
  });
  const walked = found.walked.union(fixed.walked).union(far.walked).union(lost.walked);
  expect(unwalked({ ...found, walked })).toEqual([]);
});
