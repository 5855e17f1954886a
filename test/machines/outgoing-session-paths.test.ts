/** Protocol §5: what others see of a session whose path falls silent, or whose peer turns up elsewhere. */
import { beforeEach, describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { at, key, LOOK_UP, root, SeenSession } from './seen-session.ts';

let seen: SeenSession;

beforeEach(() => {
  seen = new SeenSession();
});

describe('a path that falls silent', () => {
  test('after three timeouts the directory is asked, and what is under way goes on at another address under the same id', async () => {
    await seen.establish();
    seen.wantRoot();
    seen.wantNodes(root);
    await seen.outside.clock.advance(9_000);
    expect(seen.outside.told).toEqual([]);
    await seen.outside.clock.advance(3_000);
    expect(seen.idsTo('RootRequest', at(1))).toHaveLength(limits.sendsBeforeSuspicion + 1);
    expect(seen.outside.told).toEqual([LOOK_UP, 'peer: session.silent']);
    seen.locate(at(1), at(9));
    expect(seen.outside.whereTo('Hello').at(-1)?.[0]).toBe('192.0.2.9');
    seen.replyFrom(at(9));
    expect(seen.outside.last('session.established')).toMatchObject({ address: at(9) });
    expect(seen.idsTo('RootRequest', at(9))).toEqual([seen.idsTo('RootRequest', at(1))[0]]);
    expect(seen.idsTo('GetDatum', at(9))).toEqual([seen.idsTo('GetDatum', at(1))[0]]);
    seen.answerRootFrom(at(9));
    expect(seen.outside.last('root.received')).toMatchObject({ root, authenticated: true });
    expect(seen.states.slice(-4)).toEqual([
      'established.answering',
      'established.searching.locating',
      'established.searching.racing',
      'established.answering',
    ]);
  });

  test('is not one from which other answers have come meanwhile', async () => {
    await seen.establish();
    seen.wantRoot();
    seen.wantNodes(root);
    await seen.outside.clock.advance(1_000);
    const id = seen.lastTo('GetDatum', at(1));
    seen.outside.receive(at(1), { type: 'NoDatum', id, hash: root });
    await seen.outside.clock.advance(12_000);
    expect(seen.idsTo('RootRequest', at(1)).length).toBeGreaterThan(limits.sendsBeforeSuspicion);
    expect(seen.outside.told).not.toContain(LOOK_UP);
  });

  test('what the new address needs to answer is remembered', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(12_000);
    seen.locate(at(9));
    await seen.outside.clock.advance(3_000);
    seen.replyFrom(at(9));
    expect(seen.outside.told).toContain('store: 192.0.2.9 needs ids that end in zero');
    seen.wantNodes(root);
    expect(seen.lastTo('GetDatum', at(9)) & 0xff).toBe(0);
  });

  test('an answer from it after all ends the search, and nothing else is said Hello to', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(12_000);
    seen.locate(at(1), at(8), at(9));
    seen.answerRootFrom(at(1));
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.whereTo('Hello').map(([ip]) => ip)).toEqual(['192.0.2.1', '192.0.2.8']);
    expect(seen.outside.told).toEqual([
      LOOK_UP,
      'peer: session.silent',
      'walk: root.received',
      'peer: session.answers',
    ]);
  });

  test('that is asked now and then whether it still answers is said to be silent after three timeouts', async () => {
    await seen.establish();
    seen.outside.told.length = 0;
    seen.send({ type: 'path.check' });
    await seen.outside.clock.advance(9_500);
    expect(seen.outside.told).toEqual([LOOK_UP, 'peer: session.silent']);
  });

  test('that has a question under way is not asked another one for that', async () => {
    await seen.establish();
    seen.wantRoot();
    seen.send({ type: 'path.check' });
    expect(new Set(seen.idsTo('RootRequest', at(1))).size).toBe(1);
  });

  test('if no other address answers either, the session is lost, and it is said what stayed unanswered', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(12_000);
    seen.locate(at(9));
    await seen.outside.clock.advance(timing.searchPatience);
    expect(seen.outside.last('session.lost').failure).toMatchObject({
      message: expect.stringMatching(/^alice \(192\.0\.2\.1:1\) did not answer RootRequest/),
    });
    expect(seen.outside.told).toContain('walk: root.failed');
    await seen.outside.clock.advance(60_000);
    expect(seen.idsTo('RootRequest', at(1)).length).toBeLessThanOrEqual(limits.requestSends);
  });

  test('whoever wants the session while it searches pays for no Hello that is under way', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(12_000);
    seen.locate(at(9));
    await seen.outside.clock.advance(3_000);
    seen.send({ type: 'session.open', waiter: seen.outside.nobody('another walk'), atMs: seen.outside.nowMs });
    expect(seen.outside.last('session.ready')).toMatchObject({ sent: 0, repeated: 0 });
  });

  test('a search that ended well is not the reason for which the session is over an hour later', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(12_000);
    seen.answerRootFrom(at(1));
    seen.send({ type: 'sweep', atMs: seen.outside.nowMs + timing.sessionLifetime });
    expect(seen.outside.last('session.lost').failure).toBeUndefined();
  });

  test('a directory has no other address: its session is over', async () => {
    seen = new SeenSession({ addresses: [at(1)], key }, '');
    seen.send({ type: 'session.greet', atMs: seen.outside.nowMs });
    seen.replyFrom(at(1), 'signed', '');
    seen.wantRoot();
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.told).not.toContain(LOOK_UP);
    expect(seen.outside.told.slice(-2)).toEqual(['walk: root.failed', 'peer: session.lost']);
  });
});

test('a Hello that was repeated in vain for long is said at once when the other side is known to be there', async () => {
  seen = new SeenSession({ addresses: [at(1)], key }, '');
  const greet = () => seen.send({ type: 'session.greet', atMs: seen.outside.nowMs });
  greet();
  await seen.outside.clock.advance(8_000);
  const before = seen.idsTo('Hello', at(1)).length;
  greet();
  expect(seen.idsTo('Hello', at(1))).toHaveLength(before + 1);
});

test('a peer that may have moved is looked up while it is greeted in vain, and greeted where it is listed now', async () => {
  seen.open();
  seen.locate(at(1));
  await seen.outside.clock.advance(3_000);
  seen.outside.told.length = 0;
  seen.send({ type: 'session.renew', atMs: seen.outside.nowMs });
  expect(seen.outside.told).toContain(LOOK_UP);
  seen.locate(at(2), at(1));
  expect(seen.idsTo('Hello', at(2))).toHaveLength(1);
  seen.replyFrom(at(2));
  expect(seen.outside.last('session.established')).toMatchObject({ address: at(2) });
});

describe('what is under way when the session expires, as after a sleep', () => {
  const expire = () => seen.send({ type: 'sweep', atMs: seen.outside.nowMs + timing.sessionLifetime });

  test('goes on at once where the peer says Hello next, under the same id', async () => {
    await seen.establish();
    seen.wantNodes(root);
    expire();
    seen.adopt(at(9));
    expect(seen.idsTo('GetDatum', at(9))).toEqual(seen.idsTo('GetDatum', at(1)));
    const sent = seen.idsTo('GetDatum', at(1)).length;
    await seen.outside.clock.advance(60_000);
    expect(seen.idsTo('GetDatum', at(1))).toHaveLength(sent);
  });

  test('has the peer looked for, without anybody who asks for a session', async () => {
    await seen.establish();
    seen.wantNodes(root);
    expire();
    expect(seen.outside.told).toEqual([LOOK_UP, 'peer: session.lost']);
    seen.locate(at(9));
    await seen.outside.clock.advance(timing.connectionAttemptDelay);
    seen.replyFrom(at(9));
    expect(seen.idsTo('GetDatum', at(9))).toEqual([seen.lastTo('GetDatum', at(1))]);
  });

  test('is nothing: then nobody is looked for', async () => {
    await seen.establish();
    expire();
    expect(seen.outside.told).toEqual(['peer: session.lost']);
  });
});

test('a peer that said Hello is known to be near: its silence is noticed within four seconds', async () => {
  const { outside } = seen;
  seen.send({ type: 'session.adopt', address: at(1), key, atMs: outside.nowMs, roundTripMs: 60 });
  outside.told.length = 0;
  seen.wantRoot();
  await outside.clock.advance(4_000);
  expect(outside.told).toEqual([LOOK_UP, 'peer: session.silent']);
});

describe('a listing that changes', () => {
  const list = (address: typeof own, under: string | undefined = key) =>
    seen.send({ type: 'listing.changed', addresses: [address, own], key: under, atMs: seen.outside.nowMs });
  const own = at(1);

  test('takes nothing away from a path that answers: it is only asked once', async () => {
    await seen.establish();
    list(at(2));
    expect(seen.idsTo('RootRequest', own)).toHaveLength(1);
    seen.answerRootFrom(own);
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.whereTo('Hello').map(([ip]) => ip)).toEqual([own.ip]);
    expect(seen.outside.told).toEqual(['peer: root.seen']);
    seen.wantRoot();
    expect(seen.idsTo('RootRequest', own)).toHaveLength(2);
  });

  test('is where Hello goes at once when the path in use leaves the challenge unanswered', async () => {
    await seen.establish();
    list(at(2));
    await seen.outside.clock.advance(10_500);
    expect(seen.outside.whereTo('Hello').map(([ip]) => ip)).toEqual([own.ip, at(2).ip]);
    seen.replyFrom(at(2));
    expect(seen.outside.last('session.established')).toMatchObject({ address: at(2) });
  });

  test.each([
    ['the address in use', () => list(own)],
    ['an address under another key', () => list(at(2), 'another')],
    [
      'an address without a key',
      () => seen.send({ type: 'listing.changed', addresses: [at(2)], key: undefined, atMs: 1 }),
    ],
  ])('with %s is no reason to ask', async (_, change) => {
    await seen.establish();
    const before = seen.outside.sent.length;
    change();
    await seen.outside.clock.advance(10_000);
    expect(seen.outside.sent).toHaveLength(before);
  });

  test('while Hello is under way is said Hello to as well', () => {
    seen.open();
    seen.locate(at(1));
    list(at(2));
    expect(seen.outside.whereTo('Hello').map(([ip]) => ip)).toEqual([own.ip, at(2).ip]);
    seen.replyFrom(at(2));
    expect(seen.outside.last('session.established')).toMatchObject({ address: at(2) });
  });

  test('while another path is searched for is said Hello to as well', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(12_000);
    seen.locate(at(8));
    list(at(2));
    seen.replyFrom(at(2));
    expect(seen.outside.last('session.established')).toMatchObject({ address: at(2) });
    expect(seen.idsTo('RootRequest', at(2))).toHaveLength(1);
  });
});

describe('the same peer at a further address', () => {
  test('takes nothing away from a path that answers: that is only challenged', async () => {
    seen.adopt(at(1));
    seen.outside.told.length = 0;
    seen.adopt(at(2));
    expect(seen.outside.sent.map(({ datagram, to }) => [datagram.type, to])).toEqual([['RootRequest', at(1)]]);
    seen.answerRootFrom(at(1));
    expect(seen.outside.told).toEqual(['peer: root.seen']);
    seen.wantRoot();
    expect(seen.idsTo('RootRequest', at(1))).toHaveLength(2);
    expect(seen.idsTo('RootRequest', at(2))).toEqual([]);
  });

  test('is said Hello to once the path in use leaves the challenge unanswered', async () => {
    seen.adopt(at(1));
    seen.outside.told.length = 0;
    seen.adopt(at(2));
    await seen.outside.clock.advance(10_000);
    expect(seen.idsTo('RootRequest', at(1))).toHaveLength(limits.challengeSends);
    expect(seen.outside.told).toContain(LOOK_UP);
    expect(seen.outside.whereTo('Hello').map(([ip]) => ip)).toContain('192.0.2.2');
    seen.replyFrom(at(2));
    expect(seen.outside.last('session.established')).toMatchObject({ address: at(2) });
  });

  test('is not thought slow because it was searched for after a silence: no round trip counts from before its Hello', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(500);
    seen.adopt(at(2));
    while (seen.idsTo('Hello', at(2)).length === 0) await seen.outside.clock.advance(10);
    await seen.outside.clock.advance(50);
    seen.replyFrom(at(2));
    const before = seen.idsTo('RootRequest', at(2)).length;
    await seen.outside.clock.advance(timing.initialTimeout * 1.2);
    expect(seen.idsTo('RootRequest', at(2)).length).toBeGreaterThan(before);
  });

  test.each([
    ['of a peer without a key is ignored', undefined, undefined],
    ['under another key is ignored', key, 'another'],
    ['without the key that the peer has is ignored', key, undefined],
  ])('%s', async (_, first, second) => {
    seen.send({ type: 'session.adopt', address: at(1), key: first, atMs: seen.outside.nowMs });
    seen.outside.told.length = 0;
    seen.send({ type: 'session.adopt', address: at(2), key: second, atMs: seen.outside.nowMs });
    expect(seen.outside.told).toEqual([]);
    expect(seen.outside.sent).toEqual([]);
    seen.wantRoot();
    expect(seen.outside.sent.map(({ to }) => to)).toEqual([at(1)]);
  });

  test('is ignored as well while another path is searched for, unless it is under the same key', async () => {
    await seen.establish();
    seen.wantRoot();
    await seen.outside.clock.advance(12_000);
    seen.send({ type: 'session.adopt', address: at(2), key: undefined, atMs: seen.outside.nowMs });
    expect(seen.states.at(-1)).toBe('established.searching.locating');
    expect(seen.outside.whereTo('Hello').map(([ip]) => ip)).toEqual(['192.0.2.1']);
    seen.adopt(at(3));
    expect(seen.outside.whereTo('Hello').map(([ip]) => ip)).toEqual(['192.0.2.1', '192.0.2.3']);
  });
});
