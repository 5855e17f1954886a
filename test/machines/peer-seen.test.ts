/** Protocol §5: what a peer tells its children and the world so that posts arrive; the children only take notes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { actorId } from '../../machines/actor-ids.ts';
import { unreachedReadersIn } from '../../machines/peer-context.ts';
import { limits, timing } from '../../machines/timing.ts';
import { hashOf } from '../../src/wire/hash.ts';
import {
  at,
  begin,
  DOUBT,
  directory,
  establish,
  establishWithDirectory,
  isReading,
  list,
  listed,
  outer,
  outside,
  own,
  peer,
  seal,
  send,
  sweep,
  toldBy,
} from './telling-peer.ts';

beforeEach(() => begin());

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
