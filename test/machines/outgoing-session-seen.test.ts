/** Protocol §5, §6, §8: what others see of how our session with a peer opens, asks again, and pushes. */
import { beforeEach, describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import { at, key, LOOK_UP, root, SeenSession } from './seen-session.ts';

let seen: SeenSession;

beforeEach(() => {
  seen = new SeenSession();
});

test('a GetNodes that stays unanswered is sent twice, and its nodes are asked for one by one then', async () => {
  await seen.establish();
  const { outside } = seen;
  seen.send({ type: 'flags.learned', address: at(1), key, flags: BULK_FLAG, id: 9 });
  const wanted = [{ parent: undefined, children: [root], mask: 1, depth: 0 }];
  const requester = outside.nobody('walk');
  seen.send({ type: 'bulk.wanted', requests: [{ wanted, grant: 1 }], requester, atMs: outside.nowMs });
  // The path answers all else.
  for (let i = 0; i < 10; i++) {
    await outside.clock.advance(300);
    seen.wantRoot();
    seen.answerRootFrom(at(1));
  }
  await outside.clock.advance(30_000);
  expect(outside.sentOf('GetNodes')).toHaveLength(limits.bulkSends);
  expect(limits.bulkSends).toBe(2);
  expect(outside.last('nodes.received')).toMatchObject({ nodes: [], single: [root], isBulk: false });
});

describe('opening', () => {
  test('asks the directory, says Hello to the three newest addresses 250 ms apart, and the first reply decides', async () => {
    seen.open();
    expect(seen.outside.told).toEqual([LOOK_UP]);
    seen.locate(at(1), at(2), at(3), at(4));
    await seen.outside.clock.advance(1_000);
    expect(seen.outside.whereTo('Hello')).toEqual([
      ['192.0.2.1', 0],
      ['192.0.2.2', 250],
      ['192.0.2.3', 500],
    ]);
    seen.replyFrom(at(2));
    expect(seen.outside.told).toEqual([LOOK_UP, 'peer: session.established', 'walk: session.ready']);
    expect(seen.outside.last('session.established')).toMatchObject({ name: 'alice', address: at(2), key });
    expect(seen.states).toEqual([
      'closed.recent',
      'locating',
      'greeting.racing',
      'greeting.awaitingReply',
      'established.answering',
    ]);
  });

  test('the other Hellos are cancelled: they are not repeated, and a late reply moves nothing', async () => {
    seen.open();
    seen.locate(at(1), at(2));
    await seen.outside.clock.advance(1_000);
    seen.replyFrom(at(2));
    seen.outside.told.length = 0;
    seen.replyFrom(at(1));
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.sentOf('Hello')).toHaveLength(2);
    expect(seen.outside.told).toEqual([]);
    seen.wantRoot();
    expect(seen.outside.sentOf('RootRequest').map(({ to }) => to)).toEqual([at(2)]);
  });

  test('a reply that is forged, unsigned or under another name opens nothing', async () => {
    seen.open();
    seen.locate(at(1));
    seen.replyFrom(at(1), 'forged');
    seen.replyFrom(at(1), 'unsigned');
    seen.replyFrom(at(1), 'signed', 'mallory');
    expect(seen.states.at(-1)).toMatch(/^greeting/);
    seen.replyFrom(at(1));
    expect(seen.states.at(-1)).toBe('established.answering');
  });

  test('a refused Hello is followed by one to the next address at once', async () => {
    seen.open();
    seen.locate(at(1), at(2), at(3), at(4), at(5));
    await seen.outside.clock.advance(1_000);
    for (const last of [1, 2, 3]) {
      seen.outside.receive(at(last), { type: 'Error', id: seen.lastTo('Hello', at(last)), text: 'no' });
    }
    expect(seen.outside.whereTo('Hello').at(-1)).toEqual(['192.0.2.4', 1_000]);
    expect(seen.outside.told.filter((text) => text === 'peer: error.answered')).toHaveLength(3);
  });

  test('after a second and a half the directory is asked to open their NATs', async () => {
    seen.open();
    seen.locate(at(1), at(2));
    await seen.outside.clock.advance(timing.traversalDelay - 1);
    expect(seen.outside.told).toEqual([LOOK_UP]);
    await seen.outside.clock.advance(1);
    const asked = seen.outside.events.filter(({ event }) => event.type === 'traversal.wanted');
    expect(asked.map(({ event }) => event.address)).toEqual([at(1), at(2)]);
  });

  test('unanswered for 10 s: whoever waits is told, and a late HelloReply still opens the session', async () => {
    seen.open();
    seen.locate(at(1));
    await seen.outside.clock.advance(timing.greetingPatience - 1);
    expect(seen.outside.told).not.toContain('walk: session.failed');
    await seen.outside.clock.advance(1);
    expect(seen.outside.told.slice(-2)).toEqual(['walk: session.failed', 'peer: session.lost']);
    expect(seen.outside.last('session.failed').failure).toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('alice (192.0.2.1:1) did not answer Hello within 10 s'),
    });
    expect(seen.states.at(-1)).toBe('closed.recent');
    await seen.outside.clock.advance(3_000);
    seen.replyFrom(at(1));
    expect(seen.states.at(-1)).toBe('established.answering');
    expect(seen.outside.told.at(-1)).toBe('peer: session.established');
  });

  test('whoever waits is told when it is not known for 20 s where the peer is', async () => {
    seen.open();
    await seen.outside.clock.advance(timing.locatingPatience - 1);
    expect(seen.outside.told).not.toContain('walk: session.failed');
    await seen.outside.clock.advance(1);
    expect(seen.outside.last('session.failed').failure).toMatchObject({
      code: 'directory-unreachable',
      message: expect.stringContaining('where alice is was not known after 20 s'),
    });
    // The next one asks again.
    seen.open();
    expect(seen.outside.told.at(-1)).toBe(LOOK_UP);
  });

  test('what failed an earlier time is not told again as the reason', async () => {
    seen.open();
    seen.send({ type: 'peer.notLocated', failure: { code: 'peer-unknown', message: 'nobody has that name' } });
    expect(seen.outside.last('session.failed').failure).toMatchObject({ code: 'peer-unknown' });
    seen.open();
    seen.locate(at(1));
    await seen.outside.clock.advance(timing.greetingPatience);
    expect(seen.outside.last('session.failed').failure).toMatchObject({ code: 'peer-unreachable' });
  });
});

describe('a refusal', () => {
  test('means that the other side forgot us: Hello is said again, and what was refused is asked again', async () => {
    await seen.establish();
    seen.wantRoot();
    seen.refuseFrom(at(1));
    expect(seen.outside.told).toEqual(['peer: error.answered']);
    expect(seen.outside.whereTo('Hello')).toHaveLength(2);
    expect(seen.idsTo('RootRequest', at(1))).toHaveLength(1);
    seen.replyFrom(at(1));
    const [first, second] = seen.idsTo('RootRequest', at(1));
    expect(second).not.toBe(first);
    seen.answerRootFrom(at(1));
    expect(seen.outside.told.at(-1)).toBe('walk: root.received');
  });

  test('that comes again is passed on', async () => {
    await seen.establish();
    seen.wantRoot();
    seen.refuseFrom(at(1));
    seen.replyFrom(at(1));
    seen.refuseFrom(at(1));
    expect(seen.outside.whereTo('Hello')).toHaveLength(2);
    expect(seen.outside.last('root.failed')).toMatchObject({ isFinal: true, failure: { code: 'peer-unreachable' } });
    expect(seen.states.at(-1)).toBe('established.answering');
  });
});

describe('a pushed Root', () => {
  const bytes = encodeDatagram({ type: 'Root', id: 0, hash: root });

  test('is repeated, the pause doubling, four times in all', async () => {
    seen.adopt(at(1));
    seen.send({ type: 'push.wanted', bytes });
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.whereTo('Root').map(([, atMs]) => atMs)).toEqual([0, 1_000, 3_000, 7_000]);
  });

  test('is repeated no more once the peer has asked for it', async () => {
    seen.adopt(at(1));
    seen.send({ type: 'push.wanted', bytes });
    await seen.outside.clock.advance(1_500);
    seen.send({ type: 'push.confirmed' });
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.sentOf('Root')).toHaveLength(2);
  });

  test('that nobody asks for puts the path in question: it is pushed where the directory lists the peer now, anew', async () => {
    seen.adopt(at(1));
    seen.outside.told.length = 0;
    seen.send({ type: 'push.wanted', bytes });
    await seen.outside.clock.advance(8_500);
    expect(seen.idsTo('RootRequest', at(1))).toHaveLength(limits.challengeSends);
    expect(seen.outside.told).toEqual([LOOK_UP, 'peer: session.silent']);
    seen.locate(at(9), at(1));
    seen.replyFrom(at(9));
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.sentOf('Root').filter(({ to }) => to.ip === at(9).ip)).toHaveLength(limits.pushSends);
  });

  test('that nobody asks for leaves a path alone that answers', async () => {
    await seen.establish();
    seen.send({ type: 'push.wanted', bytes });
    await seen.outside.clock.advance(1_500);
    seen.answerRootFrom(at(1));
    await seen.outside.clock.advance(60_000);
    expect(seen.outside.told).toEqual(['peer: root.seen']);
    expect(seen.idsTo('RootRequest', at(1))).toHaveLength(1);
  });

  test('does not keep a session that cannot be opened', async () => {
    seen.send({ type: 'session.renew', atMs: seen.outside.nowMs });
    seen.send({ type: 'push.wanted', bytes });
    seen.locate(at(1));
    await seen.outside.clock.advance(60_000);
    for (let i = 0; i < 2; i++) seen.send({ type: 'sweep', atMs: seen.outside.nowMs });
    expect(seen.outside.last('session.ended')).toMatchObject({ session: 'outgoing-session.alice' });
  });

  test('waits for a session', async () => {
    seen.send({ type: 'session.renew', atMs: seen.outside.nowMs });
    seen.send({ type: 'push.wanted', bytes });
    seen.locate(at(1));
    expect(seen.outside.sentOf('Root')).toEqual([]);
    seen.replyFrom(at(1));
    expect(seen.outside.sentOf('Root').map(({ to }) => to)).toEqual([at(1)]);
  });
});
