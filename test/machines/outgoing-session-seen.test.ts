/** Protocol §5, §6, §8: what others see of our session with a peer, along the ways that it takes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, createActor } from 'xstate';
import type { Located } from '../../machines/events.ts';
import { outgoingSessionMachine } from '../../machines/outgoing-session.machine.ts';
import type { OutgoingSessionEvent } from '../../machines/outgoing-session-context.ts';
import { limits, timing } from '../../machines/timing.ts';
import type { PublicKey } from '../../src/identity/public-key.ts';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { type SocketAddress, sameAddress } from '../../src/wire/socket-address.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { Outside, type Signed } from './outside.ts';

const at = (last: number): SocketAddress => ({ ip: `192.0.2.${last}`, port: 1 });
const key = 'key' as PublicKey;
const value = Uint8Array.of(2, 7);
const root = hashOf(value);
const LOOK_UP = 'directory: where is alice?';

let outside: Outside;
let session: Actor<typeof outgoingSessionMachine>;
let states: string[];

function begin(located?: Located, name = 'alice'): void {
  outside = new Outside();
  const machine = outgoingSessionMachine.provide({
    actors: { request: outside.request },
    actions: {
      locatePeer: (_, params) => outside.told.push(`directory: where is ${params.name}?`),
      rememberHabit: (_, params) => outside.told.push(`store: ${params.address.ip} needs ids that end in zero`),
    },
  });
  session = createActor(machine, {
    id: 'outgoing-session.alice',
    clock: outside.clock,
    input: {
      id: 'outgoing-session.alice',
      name,
      ownName: 'bob',
      owner: outside.nobody('peer'),
      random: seededRandom(1),
      sockets: { ipv4: outside.socket },
      located,
      nameKnown: true,
    },
  });
  states = outside.statesOf(session);
  session.start();
  outside.told.length = 0;
}

beforeEach(() => begin());

const send = (event: OutgoingSessionEvent) => session.send(event);
const open = () => send({ type: 'session.open', waiter: outside.nobody('walk'), atMs: outside.nowMs });
const locate = (...addresses: SocketAddress[]) => send({ type: 'peer.located', addresses, key, atMs: outside.nowMs });
const adopt = (address: SocketAddress, under: PublicKey | undefined = key) =>
  send({ type: 'session.adopt', address, key: under, atMs: outside.nowMs });
const wantRoot = () => send({ type: 'root.wanted', requester: outside.nobody('walk'), atMs: outside.nowMs });
const wantNodes = (...hashes: string[]) =>
  send({ type: 'nodes.wanted', hashes, requester: outside.nobody('walk'), ticket: 5, atMs: outside.nowMs });

const lastTo = (type: 'Hello' | 'RootRequest' | 'GetDatum', address: SocketAddress): number =>
  outside.sentOf(type).findLast(({ to }) => sameAddress(to, address))?.datagram.id as number;
const idsTo = (type: 'RootRequest' | 'GetDatum', address: SocketAddress): number[] =>
  outside.sentOf(type).flatMap(({ to, datagram }) => (sameAddress(to, address) ? [datagram.id] : []));

function replyFrom(address: SocketAddress, signed: Signed = 'signed', name = 'alice'): void {
  outside.receive(address, { type: 'HelloReply', id: lastTo('Hello', address), flags: 0, name }, signed);
}
function answerRootFrom(address: SocketAddress): void {
  outside.receive(address, { type: 'Root', id: lastTo('RootRequest', address), hash: root }, 'signed');
}
function refuseFrom(address: SocketAddress): void {
  outside.receive(address, { type: 'Error', id: lastTo('RootRequest', address), text: 'no session' });
}

/** In session over the address 1, whose answers take half a second. */
async function establish(...more: SocketAddress[]): Promise<void> {
  open();
  locate(at(1), ...more);
  await outside.clock.advance(500);
  replyFrom(at(1));
  outside.told.length = 0;
}

describe('opening', () => {
  test('asks the directory, says Hello to the three newest addresses 250 ms apart, and the first reply decides', async () => {
    open();
    expect(outside.told).toEqual([LOOK_UP]);
    locate(at(1), at(2), at(3), at(4));
    await outside.clock.advance(1_000);
    expect(outside.whereTo('Hello')).toEqual([
      ['192.0.2.1', 0],
      ['192.0.2.2', 250],
      ['192.0.2.3', 500],
    ]);
    replyFrom(at(2));
    expect(outside.told).toEqual([LOOK_UP, 'peer: session.established', 'walk: session.ready']);
    expect(outside.last('session.established')).toMatchObject({ name: 'alice', address: at(2), key });
    expect(states).toEqual([
      'closed.recent',
      'locating',
      'greeting.racing',
      'greeting.awaitingReply',
      'established.answering',
    ]);
  });

  test('the other Hellos are cancelled: they are not repeated, and a late reply moves nothing', async () => {
    open();
    locate(at(1), at(2));
    await outside.clock.advance(1_000);
    replyFrom(at(2));
    outside.told.length = 0;
    replyFrom(at(1));
    await outside.clock.advance(60_000);
    expect(outside.sentOf('Hello')).toHaveLength(2);
    expect(outside.told).toEqual([]);
    wantRoot();
    expect(outside.sentOf('RootRequest').map(({ to }) => to)).toEqual([at(2)]);
  });

  test('a reply that is forged, unsigned or under another name opens nothing', async () => {
    open();
    locate(at(1));
    replyFrom(at(1), 'forged');
    replyFrom(at(1), 'unsigned');
    replyFrom(at(1), 'signed', 'mallory');
    expect(states.at(-1)).toMatch(/^greeting/);
    replyFrom(at(1));
    expect(states.at(-1)).toBe('established.answering');
  });

  test('a refused Hello is followed by one to the next address at once', async () => {
    open();
    locate(at(1), at(2), at(3), at(4), at(5));
    await outside.clock.advance(1_000);
    for (const last of [1, 2, 3]) {
      outside.receive(at(last), { type: 'Error', id: lastTo('Hello', at(last)), text: 'no' });
    }
    expect(outside.whereTo('Hello').at(-1)).toEqual(['192.0.2.4', 1_000]);
    expect(outside.told.filter((text) => text === 'peer: error.answered')).toHaveLength(3);
  });

  test('after a second and a half the directory is asked to open their NATs', async () => {
    open();
    locate(at(1), at(2));
    await outside.clock.advance(timing.traversalDelay - 1);
    expect(outside.told).toEqual([LOOK_UP]);
    await outside.clock.advance(1);
    const asked = outside.events.filter(({ event }) => event.type === 'traversal.wanted');
    expect(asked.map(({ event }) => event.address)).toEqual([at(1), at(2)]);
  });

  test('unanswered for 11 s: whoever waits is told, and a late HelloReply still opens the session', async () => {
    open();
    locate(at(1));
    await outside.clock.advance(timing.greetingPatience - 1);
    expect(outside.told).not.toContain('walk: session.failed');
    await outside.clock.advance(1);
    expect(outside.told.slice(-2)).toEqual(['walk: session.failed', 'peer: session.lost']);
    expect(outside.last('session.failed').failure).toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('alice (192.0.2.1:1) did not answer Hello within 11 s'),
    });
    expect(states.at(-1)).toBe('closed.recent');
    await outside.clock.advance(3_000);
    replyFrom(at(1));
    expect(states.at(-1)).toBe('established.answering');
    expect(outside.told.at(-1)).toBe('peer: session.established');
  });

  test('what failed an earlier time is not told again as the reason', async () => {
    open();
    send({ type: 'peer.notLocated', failure: { code: 'peer-unknown', message: 'nobody has that name' } });
    expect(outside.last('session.failed').failure).toMatchObject({ code: 'peer-unknown' });
    open();
    locate(at(1));
    await outside.clock.advance(timing.greetingPatience);
    expect(outside.last('session.failed').failure).toMatchObject({ code: 'peer-unreachable' });
  });
});

describe('a path that falls silent', () => {
  test('after three timeouts the directory is asked, and what is under way goes on at another address under the same id', async () => {
    await establish();
    wantRoot();
    wantNodes(root);
    await outside.clock.advance(9_000);
    expect(outside.told).toEqual([]);
    await outside.clock.advance(3_000);
    expect(idsTo('RootRequest', at(1))).toHaveLength(limits.sendsBeforeSuspicion + 1);
    expect(outside.told).toEqual([LOOK_UP]);
    locate(at(1), at(9));
    expect(outside.whereTo('Hello').at(-1)?.[0]).toBe('192.0.2.9');
    replyFrom(at(9));
    expect(outside.last('session.established')).toMatchObject({ address: at(9) });
    expect(idsTo('RootRequest', at(9))).toEqual([idsTo('RootRequest', at(1))[0]]);
    expect(idsTo('GetDatum', at(9))).toEqual([idsTo('GetDatum', at(1))[0]]);
    answerRootFrom(at(9));
    expect(outside.last('root.received')).toMatchObject({ root, authenticated: true });
    expect(states.slice(-4)).toEqual([
      'established.answering',
      'established.searching.locating',
      'established.searching.racing',
      'established.answering',
    ]);
  });

  test('what the new address needs to answer is remembered', async () => {
    await establish();
    wantRoot();
    await outside.clock.advance(12_000);
    locate(at(9));
    await outside.clock.advance(3_000);
    replyFrom(at(9));
    expect(outside.told).toContain('store: 192.0.2.9 needs ids that end in zero');
    wantNodes(root);
    expect(lastTo('GetDatum', at(9)) & 0xff).toBe(0);
  });

  test('an answer from it after all ends the search, and nothing else is said Hello to', async () => {
    await establish();
    wantRoot();
    await outside.clock.advance(12_000);
    locate(at(1), at(8), at(9));
    answerRootFrom(at(1));
    await outside.clock.advance(60_000);
    expect(outside.whereTo('Hello').map(([ip]) => ip)).toEqual(['192.0.2.1', '192.0.2.8']);
    expect(outside.told).toEqual([LOOK_UP, 'walk: root.received']);
  });

  test('if no other address answers either, the session is lost, and it is said what stayed unanswered', async () => {
    await establish();
    wantRoot();
    await outside.clock.advance(12_000);
    locate(at(9));
    await outside.clock.advance(timing.greetingPatience);
    expect(outside.last('session.lost').failure).toMatchObject({
      message: expect.stringMatching(/^alice \(192\.0\.2\.1:1\) did not answer RootRequest/),
    });
    expect(outside.told).toContain('walk: root.failed');
    await outside.clock.advance(60_000);
    expect(idsTo('RootRequest', at(1)).length).toBeLessThanOrEqual(limits.requestSends);
  });

  test('a search that ended well is not the reason for which the session is over an hour later', async () => {
    await establish();
    wantRoot();
    await outside.clock.advance(12_000);
    answerRootFrom(at(1));
    send({ type: 'sweep', atMs: outside.nowMs + timing.sessionLifetime });
    expect(outside.last('session.lost').failure).toBeUndefined();
  });

  test('a directory has no other address: its session is over', async () => {
    begin({ addresses: [at(1)], key }, '');
    send({ type: 'session.greet', atMs: outside.nowMs });
    replyFrom(at(1), 'signed', '');
    wantRoot();
    await outside.clock.advance(60_000);
    expect(outside.told).not.toContain(LOOK_UP);
    expect(outside.told.slice(-2)).toEqual(['walk: root.failed', 'peer: session.lost']);
  });
});

describe('the same peer at a further address', () => {
  test('takes nothing away from a path that answers: that is only challenged', async () => {
    adopt(at(1));
    outside.told.length = 0;
    adopt(at(2));
    expect(outside.sent.map(({ datagram, to }) => [datagram.type, to])).toEqual([['RootRequest', at(1)]]);
    answerRootFrom(at(1));
    expect(outside.told).toEqual([]);
    wantRoot();
    expect(idsTo('RootRequest', at(1))).toHaveLength(2);
    expect(idsTo('RootRequest', at(2))).toEqual([]);
  });

  test('is said Hello to once the path in use leaves the challenge unanswered', async () => {
    adopt(at(1));
    outside.told.length = 0;
    adopt(at(2));
    await outside.clock.advance(10_000);
    expect(idsTo('RootRequest', at(1))).toHaveLength(limits.challengeSends);
    expect(outside.told).toContain(LOOK_UP);
    expect(outside.whereTo('Hello').map(([ip]) => ip)).toContain('192.0.2.2');
    replyFrom(at(2));
    expect(outside.last('session.established')).toMatchObject({ address: at(2) });
  });

  test.each([
    ['of a peer without a key is ignored', undefined, undefined],
    ['under another key is ignored', key, 'another' as PublicKey],
    ['without the key that the peer has is ignored', key, undefined],
  ])('%s', async (_, first, second) => {
    send({ type: 'session.adopt', address: at(1), key: first, atMs: outside.nowMs });
    outside.told.length = 0;
    send({ type: 'session.adopt', address: at(2), key: second, atMs: outside.nowMs });
    expect(outside.told).toEqual([]);
    expect(outside.sent).toEqual([]);
    wantRoot();
    expect(outside.sent.map(({ to }) => to)).toEqual([at(1)]);
  });

  test('is ignored as well while another path is searched for, unless it is under the same key', async () => {
    await establish();
    wantRoot();
    await outside.clock.advance(12_000);
    send({ type: 'session.adopt', address: at(2), key: undefined, atMs: outside.nowMs });
    expect(states.at(-1)).toBe('established.searching.locating');
    expect(outside.whereTo('Hello').map(([ip]) => ip)).toEqual(['192.0.2.1']);
    adopt(at(3));
    expect(outside.whereTo('Hello').map(([ip]) => ip)).toEqual(['192.0.2.1', '192.0.2.3']);
  });
});

describe('a refusal', () => {
  test('means that the other side forgot us: Hello is said again, and what was refused is asked again', async () => {
    await establish();
    wantRoot();
    refuseFrom(at(1));
    expect(outside.told).toEqual(['peer: error.answered']);
    expect(outside.whereTo('Hello')).toHaveLength(2);
    expect(idsTo('RootRequest', at(1))).toHaveLength(1);
    replyFrom(at(1));
    const [first, second] = idsTo('RootRequest', at(1));
    expect(second).not.toBe(first);
    answerRootFrom(at(1));
    expect(outside.told.at(-1)).toBe('walk: root.received');
  });

  test('that comes again is passed on', async () => {
    await establish();
    wantRoot();
    refuseFrom(at(1));
    replyFrom(at(1));
    refuseFrom(at(1));
    expect(outside.whereTo('Hello')).toHaveLength(2);
    expect(outside.last('root.failed')).toMatchObject({ isFinal: true, failure: { code: 'peer-unreachable' } });
    expect(states.at(-1)).toBe('established.answering');
  });
});

describe('a pushed Root', () => {
  const bytes = encodeDatagram({ type: 'Root', id: 0, hash: root });

  test('is repeated, the pause doubling, four times in all', async () => {
    adopt(at(1));
    send({ type: 'push.wanted', bytes });
    await outside.clock.advance(60_000);
    expect(outside.whereTo('Root').map(([, atMs]) => atMs)).toEqual([0, 1_000, 3_000, 7_000]);
  });

  test('is repeated no more once the peer has asked for it', async () => {
    adopt(at(1));
    send({ type: 'push.wanted', bytes });
    await outside.clock.advance(1_500);
    send({ type: 'push.confirmed' });
    await outside.clock.advance(60_000);
    expect(outside.sentOf('Root')).toHaveLength(2);
  });

  test('does not keep a session that cannot be opened', async () => {
    send({ type: 'session.renew', atMs: outside.nowMs });
    send({ type: 'push.wanted', bytes });
    locate(at(1));
    await outside.clock.advance(60_000);
    for (let i = 0; i < 2; i++) send({ type: 'sweep', atMs: outside.nowMs });
    expect(session.getSnapshot().status).toBe('done');
  });

  test('waits for a session', async () => {
    send({ type: 'session.renew', atMs: outside.nowMs });
    send({ type: 'push.wanted', bytes });
    locate(at(1));
    expect(outside.sentOf('Root')).toEqual([]);
    replyFrom(at(1));
    expect(outside.sentOf('Root').map(({ to }) => to)).toEqual([at(1)]);
  });
});
