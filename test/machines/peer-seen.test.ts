/** Protocol §5: what a peer tells its children and the world so that posts arrive; the children only take notes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, createActor, type EventObject, fromCallback } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import { peerMachine } from '../../machines/peer.machine.ts';
import { type PeerInput, unreachedReadersIn } from '../../machines/peer-context.ts';
import type { PeerEvent } from '../../machines/peer-events.ts';
import { limits, timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { hashOf, ZERO_HASH } from '../../src/wire/hash.ts';
import { Outside } from './outside.ts';

const directory = { ip: '192.0.2.9', port: 1194 };
const own = { ip: '10.0.0.7', port: 4_000 };
const outer = { ip: '198.51.100.7', port: 4_000 };
const at = (last: number) => ({ ip: `192.0.2.${last}`, port: 1 });
const bytes = new Uint8Array(103);
/** Asked over UDP whether it still knows us. */
const DOUBT = 'directory-client: directory.doubted';

let outside: Outside;
let peer: Actor<typeof peerMachine>;
/** What children were told and effects were asked for: "WHO: WHAT". */
let told: string[];

function begin(input: Partial<PeerInput> = {}): void {
  outside = new Outside();
  told = [];
  const child = fromCallback<EventObject>(({ receive, self }) =>
    receive(({ type }) => {
      if (type !== 'sweep' && type !== 'sockets.changed') told.push(`${self.id}: ${type}`);
    }),
  );
  const note = (what: string) => () => void told.push(what);
  const machine = peerMachine.provide({
    actors: {
      socket: child,
      directoryClient: child,
      outgoingSession: child,
      incomingSession: child,
      merkleWalk: child,
      historyCheck: child,
      ping: child,
    } as never,
    actions: {
      sendSigned: note('sign and send'),
      sealRoot: note('sign: Root'),
      sealKeepAlive: note('sign: HelloReply'),
      verifyAnnouncement: note('verify'),
      forgetConnections: note('directory: close connections'),
      rememberAddress: () => {},
      rememberReader: (_, { name }) => told.push(`store: ${name} reads`),
      lookForPeers: (_, { names }) => told.push(`directory: where are ${names.join(', ')}?`),
      askForChanges: (_, { cursor }) => told.push(`directory: what has changed since "${cursor}"?`),
    },
  });
  const rest = { name: 'bob', random: seededRandom(1), root: ZERO_HASH, binds: [], following: [], register: true };
  peer = createActor(machine, {
    id: 'peer',
    clock: outside.clock,
    input: {
      ...rest,
      quota: limits.messageQuota,
      formerReaders: [],
      guardedKey: undefined,
      history: undefined,
      flags: 0,
      ...input,
    },
  });
  peer.start();
  send({ type: 'socket.ready', index: 0, address: own, socket: outside.socket });
  send({ type: 'network.changed', why: 'start', localIps: [own.ip], atMs: outside.nowMs });
  send({ type: 'directory.known', addresses: [directory], key: 'key', atMs: outside.nowMs });
  told.length = 0;
}

beforeEach(() => begin());

const send = (event: PeerEvent) => peer.send(event);
function toldBy(work: () => void): string[] {
  told.length = 0;
  work();
  return [...told];
}
function establish(name: string, address = at(1)): void {
  send({ type: 'session.wanted', name, requester: outside.nobody('walk'), atMs: outside.nowMs });
  const session = actorId.outgoingSession(name);
  send({ type: 'session.established', session, name, address, key: 'key', provenBy: [7], atMs: outside.nowMs });
}
/** As when we register. */
function establishWithDirectory(): void {
  send({ type: 'directory.greetingWanted', atMs: outside.nowMs });
  const session = actorId.outgoingSessionTo(directory);
  send({
    type: 'session.established',
    session,
    name: '',
    address: directory,
    key: 'key',
    provenBy: [7],
    atMs: outside.nowMs,
  });
}
const isReading = (name: string, hasNewest: boolean) =>
  send({ type: 'reader.seen', name, hasNewest, atMs: outside.nowMs });
const seal = () => send({ type: 'root.sealed', root: ZERO_HASH, bytes });
const sweep = (laterMs = 0) => send({ type: 'sweep', atMs: outside.nowMs + laterMs });
const issue = (cursor: string) => send({ type: 'cursor.issued', cursor, atMs: outside.nowMs });
const listed = (addresses: (typeof own)[], wasUnheard: boolean) =>
  send({ type: 'registration.listed', addresses, wasUnheard, atMs: outside.nowMs });
const list = (...addresses: (typeof own)[]) => listed(addresses, false);

describe('a new root', () => {
  test('is not pushed if its signature comes after that of a newer one', () => {
    establish('alice');
    send({ type: 'root.published', root: hashOf(new Uint8Array([1])), atMs: 1 });
    expect(toldBy(seal)).toEqual([]);
  });

  test('is pushed at once to everybody with a session, but not to the directory', () => {
    establish('alice');
    establishWithDirectory();
    expect(toldBy(seal)).toEqual(['outgoing-session.alice: push.wanted']);
  });

  test('is pushed to readers without a session, once Hello is said to them', () => {
    isReading('alice', false);
    expect(toldBy(seal)).toEqual([]);
    expect(toldBy(sweep)).toEqual(['outgoing-session.alice: session.renew', 'outgoing-session.alice: push.wanted']);
    expect(toldBy(sweep)).toEqual([DOUBT]);
  });

  test('is not pushed to somebody who last read a day ago', () => {
    isReading('alice', false);
    sweep(timing.readerMemory);
    seal();
    expect(toldBy(() => sweep(timing.readerMemory))).toEqual([DOUBT]);
  });

  test('that a reader has come for need not be pushed again; its session is kept', () => {
    establish('alice');
    seal();
    expect(toldBy(() => isReading('alice', true))).toEqual([
      'store: alice reads',
      'outgoing-session.alice: session.used',
      'outgoing-session.alice: push.confirmed',
    ]);
    expect(toldBy(() => isReading('alice', false))).toEqual([
      'store: alice reads',
      'outgoing-session.alice: session.used',
    ]);
  });
});

describe('after a start', () => {
  test('those who have read lately are said Hello to once we are listed, and learn the root', () => {
    begin({ formerReaders: ['alice'] });
    seal();
    expect(toldBy(() => list(own))).toEqual([
      'outgoing-session.alice: session.renew',
      'outgoing-session.alice: push.wanted',
    ]);
  });

  test('they are so few at a time, in turn', () => {
    const readers = Array.from({ length: 2 * limits.greetingsPerSweep + 3 }, (_, i) => `reader ${i}`);
    begin({ formerReaders: readers });
    const greeted = [1, 2, 3, 4].map(() => toldBy(sweep).filter((what) => what !== DOUBT).length);
    expect(greeted).toEqual([limits.greetingsPerSweep, limits.greetingsPerSweep, 3, 0]);
  });
});

test('readers who have not answered since are greeted again when we are listed elsewhere than before', () => {
  establish('alice');
  isReading('alice', false);
  isReading('carol', false);
  expect(toldBy(() => list(own))).toEqual(['outgoing-session.carol: session.renew']);
  expect(toldBy(() => list(own))).toEqual([]);
  expect(toldBy(() => list({ ...own, port: own.port + 1 }, own))).toEqual(['outgoing-session.carol: session.renew']);
});

test('a network that changed: registered anew, and Hello to everybody in session and every reader', () => {
  establish('alice');
  establishWithDirectory();
  isReading('carol', false);
  const changed = () => {
    send({ type: 'network.changed', why: 'addresses', localIps: ['10.0.0.8'], atMs: outside.nowMs });
    sweep();
  };
  expect(toldBy(changed)).toEqual([
    'directory: close connections',
    'directory-client: ips.changed',
    'directory-client: registration.renew',
    'outgoing-session.@192.0.2.9:1194: session.greet',
    'outgoing-session.alice: session.renew',
    'outgoing-session.carol: session.renew',
  ]);
});

describe('after the directory could not be asked, everybody may have missed us', () => {
  const change = () =>
    send({ type: 'presence.changed', listings: [], removed: [], cursor: 'run.2', atMs: outside.nowMs });
  const renewed = ['outgoing-session.alice: session.renew', 'outgoing-session.carol: session.renew'];

  beforeEach(() => {
    begin({ following: ['alice'] });
    establish('alice');
    isReading('carol', false);
  });

  test('so that each is greeted once it answers, and followed peers are asked', () => {
    expect(toldBy(change)).toEqual([]);
    send({ type: 'presence.failed' });
    expect(toldBy(change)).toEqual(renewed);
    expect(Object.keys(peer.getSnapshot().children)).toContain('merkle-walk.alice');
    expect(toldBy(change)).toEqual([]);
  });

  test('so it is if it cannot tell what has changed, once it lists us', () => {
    send({ type: 'cursor.unavailable', atMs: outside.nowMs });
    send({
      type: 'registration.failed',
      failure: { code: 'unexpected', message: 'no' },
      retryInMs: 1,
    });
    expect(toldBy(() => list(own))).toEqual(expect.arrayContaining(renewed));
    expect(toldBy(() => list(own))).not.toContain(renewed[0]);
  });

  test('one that could not hear us over UDP is one, once it lists us', () => {
    expect(toldBy(change)).toEqual([]);
    expect(toldBy(() => listed([own], true))).toEqual(expect.arrayContaining(renewed));
    expect(toldBy(() => list(own))).not.toContain(renewed[0]);
  });

  test('everybody is greeted, if it is behind a NAT and listed elsewhere than before', () => {
    list(outer);
    expect(toldBy(() => list(outer))).not.toContain(renewed[0]);
    expect(toldBy(() => list({ ip: '198.51.100.8', port: 4_000 }))).toEqual(expect.arrayContaining(renewed));
  });

  test('one that refuses us but can be asked is no reason to greet anybody', () => {
    send({
      type: 'registration.failed',
      failure: { code: 'unexpected', message: 'no' },
      retryInMs: 1,
    });
    expect(toldBy(() => list(own))).not.toContain(renewed[0]);
  });

  test('it is asked at once if a root could not be pushed, but once between two sweeps, however many there are', () => {
    const lose = (hasPush: boolean, why?: { code: 'unexpected'; message: string }) =>
      send({ type: 'session.lost', session: 'outgoing-session.alice', name: 'alice', hasPush, failure: why });
    const why = { code: 'unexpected', message: 'no' } as const;
    const asks = (work: () => void) => toldBy(work).filter((told) => told.startsWith('directory: what'));
    expect(asks(() => lose(false, why))).toEqual([]);
    expect(asks(() => lose(true))).toEqual([]);
    expect(asks(() => lose(true, why))).toHaveLength(1);
    expect(asks(() => lose(true, why))).toEqual([]);
    sweep();
    expect(asks(() => lose(true, why))).toHaveLength(1);
  });
});

describe('a peer behind a NAT', () => {
  const keptAlive = () => outside.sentOf('HelloReply').map(({ to }) => to);

  function beginBehindNat(): void {
    begin({ following: ['alice'] });
    establish('alice', at(1));
    establish('carol', at(2));
    establishWithDirectory();
    list(outer);
    expect(toldBy(sweep)).toContain('sign: HelloReply');
    const hello = Uint8Array.of(0, 0, 0, 0, 128, 0, 5, 0, 0, 0, 0, 0);
    send({ type: 'keepAlive.sealed', bytes: hello });
  }

  test('keeps it open towards the directory and those whom it follows, every 25 s', () => {
    beginBehindNat();
    sweep();
    expect(keptAlive()).toHaveLength(2);
    expect(keptAlive()).toEqual(expect.arrayContaining([directory, at(1)]));
    sweep(timing.keepAliveInterval - 1);
    expect(keptAlive()).toHaveLength(2);
    sweep(timing.keepAliveInterval);
    expect(keptAlive()).toHaveLength(4);
  });

  test('signs that once, for all', () => {
    beginBehindNat();
    expect(toldBy(() => sweep(timing.keepAliveInterval))).not.toContain('sign: HelloReply');
  });

  test('is whoever is listed under an address that is not its own; others keep nothing open', () => {
    establishWithDirectory();
    list(own);
    expect(toldBy(() => sweep(timing.keepAliveInterval))).toEqual([]);
  });
});

describe('followed peers', () => {
  const listing = (...addresses: (typeof own)[]) => ({ name: 'alice', addresses, key: 'key' });
  const find = (...addresses: (typeof own)[]) =>
    send({ type: 'presence.found', listings: [listing(...addresses)], atMs: outside.nowMs });
  const change = (listings: readonly ReturnType<typeof listing>[], removed: readonly string[] = []) =>
    send({ type: 'presence.changed', listings, removed, cursor: 'run.2', atMs: outside.nowMs });
  const walks = () => Object.keys(peer.getSnapshot().children).filter((id) => id.startsWith('merkle-walk'));
  const end = () => {
    const output = { report: { peer: 'alice', root: null } as never, atMs: 1 };
    send({ type: 'xstate.done.actor.merkle-walk.alice', actorId: 'merkle-walk.alice', output });
  };
  const whereIsAlice = 'directory: where are alice?';
  const since = (cursor: string) => `directory: what has changed since "${cursor}"?`;

  beforeEach(() => begin({ following: ['alice'], register: false }));

  test('are asked about with every sweep: what has changed since the answer before', () => {
    expect(toldBy(sweep)).toEqual([since('')]);
    expect(toldBy(() => issue('run.1'))).toEqual([whereIsAlice]);
    find();
    expect(toldBy(() => sweep(timing.sweepInterval))).toEqual([since('run.1'), DOUBT]);
    change([]);
    expect(toldBy(() => sweep(2 * timing.sweepInterval))).toEqual([since('run.2')]);
  });

  test('are looked up again if the directory could not tell about them', () => {
    issue('run.1');
    expect(toldBy(sweep)).toEqual([since('run.1'), whereIsAlice]);
  });

  test('who are in session are not looked up', () => {
    establish('alice');
    expect(toldBy(() => issue('run.1'))).toEqual([]);
  });

  test('without a session are looked up with every sweep at a directory that does not tell what has changed', () => {
    expect(toldBy(() => send({ type: 'cursor.unavailable', atMs: outside.nowMs }))).toEqual([whereIsAlice]);
    find();
    expect(toldBy(() => sweep(timing.sweepInterval))).toEqual([whereIsAlice]);
    find();
    establish('alice');
    expect(toldBy(() => sweep(2 * timing.sweepInterval))).not.toContain(whereIsAlice);
  });

  test('nobody: nothing is asked', () => {
    begin({ following: [], register: false });
    expect(toldBy(sweep)).toEqual([]);
  });

  test('are asked for their root when they are listed, or listed elsewhere', () => {
    find(at(1));
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    find(at(1));
    expect(walks()).toEqual([]);
    find(at(2));
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    find();
    find(at(2));
    expect(walks()).toEqual(['merkle-walk.alice']);
  });

  test('are asked for their root when they are proven anew, at whichever address, with a session or without', () => {
    issue('run.1');
    find(at(1));
    end();
    change([listing(at(1))]);
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    establish('alice');
    expect(toldBy(() => change([listing(at(2))]))).toContain('outgoing-session.alice: listing.changed');
    expect(walks()).toEqual(['merkle-walk.alice']);
  });

  test('are asked once more after a download that was under way when they were proven anew', () => {
    change([listing(at(1))]);
    change([listing(at(2))]);
    sweep(timing.sweepInterval);
    end();
    expect(walks()).toEqual(['merkle-walk.alice']);
    end();
    expect(walks()).toEqual([]);
  });

  test('who are listed no more are not asked every minute', () => {
    const isAsked = () => {
      sweep(timing.followInterval);
      return walks().length > 0;
    };
    begin({ following: ['alice'] });
    change([listing(at(1))]);
    end();
    change([], ['alice']);
    expect(isAsked()).toBe(false);
  });

  test('may all have changed when the cursor has expired: those in session are asked, the others looked up', () => {
    begin({ following: ['alice', 'carol'], register: false });
    issue('run.1');
    find(at(1));
    end();
    establish('alice');
    expect(toldBy(() => issue('another.1'))).toEqual(['directory: where are carol?', DOUBT]);
    expect(walks()).toEqual(['merkle-walk.alice']);
  });
});

describe('whether the directory and UDP are lost, is asked of the directory', () => {
  const asksOf = (count: number) =>
    Array.from({ length: count }, () => toldBy(sweep).filter((what) => what === DOUBT).length);
  const silent = () => send({ type: 'session.silent', name: 'alice', address: at(1) });

  test('every ten seconds by whoever follows nobody, or has none of those in session', () => {
    expect(asksOf(6)).toEqual([0, 1, 0, 1, 0, 1]);
    begin({ following: ['alice'] });
    for (const _ of [1, 2, 3]) {
      expect(toldBy(sweep)).not.toContain(DOUBT);
      issue('run.1');
      expect(toldBy(sweep)).toContain(DOUBT);
      issue('run.1');
    }
    establish('alice');
    for (const _ of [1, 2, 3, 4]) {
      expect(toldBy(sweep)).not.toContain(DOUBT);
      send({ type: 'presence.changed', listings: [], removed: [], cursor: 'run.1', atMs: outside.nowMs });
    }
  });

  test('at once when somebody in session falls silent', () => {
    begin({ following: ['alice'] });
    establish('alice');
    expect(toldBy(silent)).toEqual([DOUBT]);
  });

  test('at once when it has forgotten what we knew of its list: it may have forgotten us', () => {
    begin({ following: ['alice'] });
    expect(toldBy(() => issue('run.1'))).not.toContain(DOUBT);
    expect(toldBy(() => issue('another.1'))).toContain(DOUBT);
  });

  test('over HTTPS when it could not be asked over HTTPS', () => {
    expect(toldBy(() => send({ type: 'presence.failed' }))).toEqual(['directory-client: listing.wanted']);
  });
});

describe('a reader that cannot be reached', () => {
  const silent = () => send({ type: 'session.silent', name: 'alice', address: at(1) });
  const unreached = () => unreachedReadersIn(peer.getSnapshot().context);

  test('is known from the silence of its session until it answers', () => {
    establish('alice');
    isReading('alice', true);
    silent();
    expect(unreached()).toEqual(['alice']);
    send({ type: 'session.answers', name: 'alice', address: at(1) });
    expect(unreached()).toEqual([]);
  });

  test('is known when it was greeted in vain, as after a start; reading again, it is reached', () => {
    begin({ formerReaders: ['alice'] });
    sweep();
    const lost = {
      type: 'session.lost',
      session: actorId.outgoingSession('alice'),
      name: 'alice',
      hasPush: true,
    } as const;
    send({ ...lost, failure: { code: 'peer-unreachable', message: 'silence' } });
    expect(unreached()).toEqual(['alice']);
    isReading('alice', true);
    expect(unreached()).toEqual([]);
  });

  test('is forgotten with the reader, after a day; others are no readers', () => {
    establish('alice');
    silent();
    expect(unreached()).toEqual([]);
    isReading('alice', true);
    silent();
    sweep(timing.readerMemory);
    expect(unreached()).toEqual([]);
    expect(peer.getSnapshot().context.silent.size).toBe(0);
  });
});

test('how the directory fails is told once, until it fails otherwise or has listed us', () => {
  const facts: string[] = [];
  peer.on('directory.unreachable', ({ failure }) => facts.push(failure.message));
  const fail = (message: string) =>
    send({ type: 'registration.failed', failure: { code: 'directory-unreachable', message }, retryInMs: 1 });
  fail('refused');
  fail('refused');
  fail('no UDP');
  fail('no UDP');
  list(own);
  fail('no UDP');
  expect(facts).toEqual(['refused', 'no UDP', 'no UDP']);
});

describe('the directory', () => {
  const check = () => send({ type: 'directory.checkWanted', requester: outside.nobody('directory-client') });

  test('is asked for its root over our session with it', () => {
    establishWithDirectory();
    expect(toldBy(check)).toEqual([`outgoing-session.@192.0.2.9:1194: root.wanted`]);
  });

  test('is not asked without a session, nor over that of a peer who is at the same address', () => {
    expect(toldBy(check)).toEqual([]);
    establish('alice', directory);
    expect(toldBy(check)).toEqual([]);
    expect(peer.getSnapshot().status).toBe('active');
  });

  test('that answers at none of its addresses is told to the directory client', () => {
    establishWithDirectory();
    const failure = { code: 'peer-unreachable', message: 'silence' } as const;
    const session = actorId.outgoingSessionTo(directory);
    expect(toldBy(() => send({ type: 'session.lost', session, name: '', hasPush: false, failure }))).toEqual([
      'directory-client: greeting.failed',
    ]);
  });
});
