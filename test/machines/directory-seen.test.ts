/** Protocol §3, §5, §8, §9: what others see of a directory's UDP side. */
import { beforeEach, describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { EMPTY_ROOT, ZERO_HASH } from '../../src/wire/hash.ts';
import { formatAddress, type SocketAddress } from '../../src/wire/socket-address.ts';
import { at, bind, hello, SeenDirectory } from './seen-directory.ts';

let directory: SeenDirectory;
beforeEach(() => {
  directory = new SeenDirectory();
});

describe('sockets', () => {
  test('are bound at each local address, and it is told which', () => {
    const other = { ip: '::', port: 1_194 };
    expect(new SeenDirectory([bind, other]).facts).toEqual([
      { type: 'socket.bound', index: 0, address: bind },
      { type: 'socket.bound', index: 1, address: other },
    ]);
  });

  test('that break are told of, and bound again', async () => {
    directory.socket().send({ type: 'socket.failed', why: 'gone' });
    await directory.outside.clock.advance(timing.socketReopen);
    expect(directory.facts.slice(1)).toEqual([
      { type: 'socket.failed', why: 'gone' },
      { type: 'socket.bound', index: 0, address: bind },
    ]);
  });

  test('whose actor fails are opened anew, and the others stay', () => {
    const two = new SeenDirectory([bind, { ip: '::', port: 1_194 }]);
    const [first, second] = [two.socket(0), two.socket(1)];
    two.actor.send({ type: 'xstate.error.actor.socket.0', actorId: 'socket.0', error: new Error('broken') } as never);
    expect(two.facts.slice(2).map(({ type }) => type)).toEqual(['directory.warning', 'socket.bound']);
    expect(two.facts[2]).toMatchObject({ message: expect.stringMatching(/^socket\.0 .*broken$/) });
    expect(two.socket(0)).not.toBe(first);
    expect(two.socket(1)).toBe(second);
  });

  test('are closed when it is stopped', () => {
    directory.actor.send({ type: 'directory.stop' });
    expect(directory.actor.getSnapshot().status).toBe('done');
  });
});

describe('a Hello', () => {
  test('of a registered peer is answered; our own Hello follows, and its answer gets the address listed', () => {
    directory.registered.set('alice', true);
    expect(directory.sentBy(() => directory.hear(at(1), hello(7, 'alice'), 'signed'))).toEqual([
      'HelloReply 7',
      'Hello ?',
    ]);
    expect(directory.outside.told).toEqual([]);
    directory.reply(at(1), 'alice', 'signed');
    expect(directory.outside.told).toEqual(['list alice 192.0.2.1:1 key']);
    expect(directory.facts.slice(1)).toEqual([
      { type: 'hello.answered', name: 'alice', address: at(1) },
      { type: 'address.proven', name: 'alice', address: at(1) },
    ]);
  });

  test.each([
    ['under another name', 'bob', 'signed'],
    ['with a signature of another key', 'alice', 'forged'],
    ['without a signature', 'alice', 'unsigned'],
  ] as const)('whose own Hello is answered %s gets nothing listed', async (_, name, signed) => {
    directory.registered.set('alice', true);
    directory.hear(at(1), hello(7, 'alice'), 'signed');
    directory.reply(at(1), name, signed);
    await directory.outside.clock.advance(60_000);
    expect(directory.outside.told).toEqual([]);
    expect(directory.facts.at(-1)).toEqual({ type: 'address.unproven', name: 'alice', address: at(1) });
  });

  test('of somebody who is not registered is answered, and nothing more', () => {
    expect(directory.sentBy(() => directory.hear(at(1), hello(7, 'guest'), 'signed'))).toEqual(['HelloReply 7']);
  });

  test('that no key of this name signed is ignored, and told of', () => {
    directory.registered.set('alice', true);
    expect(directory.sentBy(() => directory.hear(at(1), hello(7, 'alice'), 'forged'))).toEqual([]);
    expect(directory.facts.slice(1)).toEqual([{ type: 'hello.ignored', name: 'alice', address: at(1) }]);
  });

  describe('of a proven peer is answered again', () => {
    const again = (id: number) => directory.sentBy(() => directory.hear(at(1), hello(id, 'alice'), 'signed'));

    test('and its address is proven again only after a second', async () => {
      directory.prove(at(1), 'alice');
      await directory.outside.clock.advance(999);
      expect(again(8)).toEqual(['HelloReply 8']);
      await directory.outside.clock.advance(1);
      expect(again(9)).toEqual(['HelloReply 9', 'Hello ?']);
      expect(again(10)).toEqual(['HelloReply 10']);
    });

    test('and if it is the same Hello, sent again, only after ten seconds', async () => {
      directory.prove(at(1), 'alice', 8);
      await directory.outside.clock.advance(9_999);
      expect(again(8)).toEqual(['HelloReply 8']);
      await directory.outside.clock.advance(1);
      expect(again(8)).toEqual(['HelloReply 8', 'Hello ?']);
    });
  });

  test('under another name from a proven address is another peer, which has to prove it', () => {
    directory.prove(at(1), 'alice');
    directory.registered.set('bob', true);
    expect(directory.sentBy(() => directory.hear(at(1), hello(8, 'bob'), 'signed'))).toEqual([
      'HelloReply 8',
      'Hello ?',
    ]);
    directory.reply(at(1), 'bob', 'signed');
    expect(directory.outside.told).toEqual(['list bob 192.0.2.1:1 key']);
  });

  test('under another name takes the place of the proof that is under way there', () => {
    for (const name of ['alice', 'bob']) directory.registered.set(name, true);
    directory.hear(at(1), hello(7, 'alice'), 'signed');
    expect(directory.sentBy(() => directory.hear(at(1), hello(8, 'bob'), 'signed'))).toEqual(['HelloReply 8']);
    directory.reply(at(1), 'alice', 'signed');
    expect(directory.outside.told).toEqual(['list alice 192.0.2.1:1 key']);
  });
});

describe('requests', () => {
  test('of whoever has a session get an empty root and no nodes, both signed', () => {
    directory.prove(at(1), 'alice');
    expect(directory.sentBy(() => directory.hear(at(1), { type: 'RootRequest', id: 8 }))).toEqual(['Root 8']);
    expect(directory.sentBy(() => directory.hear(at(1), { type: 'GetDatum', id: 9, hash: ZERO_HASH }))).toEqual([
      'NoDatum 9',
    ]);
    expect(directory.outside.sentOf('Root')[0]?.datagram.hash).toBe(EMPTY_ROOT);
    expect(directory.outside.sentOf('NoDatum')[0]?.datagram.hash).toBe(ZERO_HASH);
  });

  const refusals = () => directory.outside.sentOf('Error').map(({ datagram }) => `${datagram.id} ${datagram.text}`);

  test('of whoever has none are refused, as briefly as their bytes have paid for', () => {
    directory.hear(at(1), { type: 'RootRequest', id: 8 });
    directory.hear(at(1), { type: 'GetDatum', id: 9, hash: ZERO_HASH });
    expect(refusals()).toEqual(['8 no session', '9 no session: say Hello first']);
  });

  test('of another type are refused, and so are those after an hour', async () => {
    directory.prove(at(1), 'alice');
    directory.hear(at(1), { type: 'Unknown', id: 8, code: 77, body: new Uint8Array(0) });
    await directory.outside.clock.advance(timing.sessionLifetime - 1);
    expect(directory.sentBy(() => directory.hear(at(1), { type: 'RootRequest', id: 9 }))).toEqual(['Root 9']);
    await directory.outside.clock.advance(1);
    directory.hear(at(1), { type: 'RootRequest', id: 10 });
    expect(refusals()).toEqual(['8 unknown request type', '10 session expired: say Hello again']);
  });

  test('of a session that expired an hour ago are those of a stranger', async () => {
    directory.prove(at(1), 'alice');
    directory.hear(at(2), hello(7, 'guest'));
    const expired = (ip: number) => {
      directory.hear(at(ip), { type: 'GetDatum', id: 9, hash: ZERO_HASH });
      return refusals().at(-1);
    };
    await directory.outside.clock.advance(timing.sessionLifetime + timing.expiredSessionMemory - 1);
    directory.sweep();
    for (const ip of [1, 2]) expect(expired(ip)).toBe('9 session expired: say Hello again');
    await directory.outside.clock.advance(1);
    directory.sweep();
    for (const ip of [1, 2]) expect(expired(ip)).toMatch(/^9 no session/);
    expect(directory.outside.told).toEqual(['forget expired', 'forget expired']);
  });

  test('are refused five times between two sweeps, and two hundred times in all', () => {
    const refused = (last: number) =>
      directory.sentBy(() => directory.hear(at(last), { type: 'GetDatum', id: 9, hash: ZERO_HASH })).length;
    const times = (count: number, last: number) => Array.from({ length: count }, () => refused(last));
    const sum = (counts: number[]) => counts.reduce((all, count) => all + count, 0);
    expect(sum(times(9, 1))).toBe(limits.errorsPerSource);
    expect(sum(Array.from({ length: 60 }, (_, i) => sum(times(5, 2 + i))))).toBe(
      limits.errorsInAll - limits.errorsPerSource,
    );
    directory.sweep();
    expect(sum(times(9, 1))).toBe(limits.errorsPerSource);
  });
});

describe('NAT traversal', () => {
  const ask = (from: number, target: SocketAddress) =>
    directory.sentBy(() => directory.hear(at(from), { type: 'NatTraversalClient', id: 0, address: target }));

  test('is forwarded to a listed address, with that of whoever asks', () => {
    directory.prove(at(1), 'alice');
    directory.prove(at(2), 'bob');
    expect(ask(1, at(2))).toEqual(['NatTraversalServer 0']);
    const [sent] = directory.outside.sentOf('NatTraversalServer');
    expect([sent?.to, sent?.datagram.address]).toEqual([at(2), at(1)]);
    expect(directory.facts).toEqual([{ type: 'traversal.forwarded', sender: at(1), target: at(2) }]);
  });

  test('is not, if nobody is listed there, or if whoever asks has no session', () => {
    directory.prove(at(1), 'alice');
    expect(ask(1, at(2))).toEqual([]);
    expect(ask(3, at(1))).toEqual([]);
  });

  test('is not, if we have no socket of its kind', () => {
    directory.prove(at(1), 'alice');
    directory.listed.add('carol [2001:db8::1]:1');
    expect(ask(1, { ip: '2001:db8::1', port: 1 })).toEqual([]);
  });

  test('goes to the instance that has proven the address, where that is another one, and is rationed alike', () => {
    directory.prove(at(1), 'alice');
    directory.listed.add('bob 192.0.2.2:1');
    directory.provers.set('192.0.2.2:1', 'another');
    expect(Array.from({ length: 30 }, () => ask(1, at(2))).flat()).toEqual([]);
    const relayed = Array.from(
      { length: limits.traversalsPerSweep },
      () => 'relay 192.0.2.1:1 to 192.0.2.2:1 through another',
    );
    expect(directory.outside.told).toEqual(relayed);
    expect(directory.facts[0]).toEqual({ type: 'traversal.relayed', sender: at(1), target: at(2) });
  });

  test('needs no socket of its kind to go through another instance', () => {
    directory.prove(at(1), 'alice');
    directory.listed.add('carol [2001:db8::1]:1');
    directory.provers.set('[2001:db8::1]:1', 'another');
    ask(1, { ip: '2001:db8::1', port: 1 });
    expect(directory.outside.told).toEqual(['relay 192.0.2.1:1 to [2001:db8::1]:1 through another']);
  });

  test('is rationed for whoever asks, and for whoever is asked', () => {
    for (const last of [1, 2, 3]) directory.prove(at(last), `peer${last}`);
    const many = (from: number, to: number) => Array.from({ length: 30 }, () => ask(from, at(to)).length);
    const sum = (counts: number[]) => counts.reduce((all, count) => all + count, 0);
    expect(sum(many(1, 2))).toBe(limits.traversalsPerSweep);
    expect(sum(many(1, 3))).toBe(0);
    expect(sum(many(3, 2))).toBe(0);
    directory.sweep();
    expect(sum(many(3, 2))).toBe(limits.traversalsPerSweep);
  });
});

describe('an address that is listed', () => {
  const list = (name: string, address: SocketAddress, others: readonly SocketAddress[] = []) =>
    directory.actor.send({ type: 'address.listed', name, key: 'key', address, others, atMs: directory.outside.nowMs });

  test('has its older ones asked at once, and is asked itself after a minute', async () => {
    list('alice', at(1), [at(2)]);
    expect([directory.hellosTo(at(1)), directory.hellosTo(at(2))]).toEqual([0, 1]);
    directory.reply(at(2), 'alice', 'signed');
    expect(directory.outside.told).toEqual(['confirm alice 192.0.2.2:1']);
    await directory.outside.clock.advance(timing.probePause - 1);
    directory.sweep();
    expect(directory.hellosTo(at(1))).toBe(0);
    await directory.outside.clock.advance(1);
    directory.sweep();
    directory.sweep();
    expect(directory.hellosTo(at(1))).toBe(1);
    directory.reply(at(1), 'alice', 'signed');
    expect(directory.outside.told).toContain('confirm alice 192.0.2.1:1');
  });

  test('is dropped, with its session, if it does not answer four Hellos', async () => {
    directory.prove(at(1), 'alice');
    list('alice', at(3), [at(1)]);
    await directory.outside.clock.advance(60_000);
    expect(directory.hellosTo(at(1))).toBe(1 + limits.helloSends);
    expect(directory.outside.told).toEqual(['drop alice 192.0.2.1:1']);
    expect(directory.facts).toEqual([{ type: 'address.dropped', name: 'alice', address: at(1) }]);
    directory.hear(at(1), { type: 'RootRequest', id: 9 });
    expect(directory.outside.sentOf('Error')[0]?.datagram.text).toMatch(/^no session/);
  });

  test('that does not answer takes nothing from another name that has a session there', async () => {
    directory.prove(at(1), 'bob');
    list('alice', at(3), [at(1)]);
    await directory.outside.clock.advance(60_000);
    expect(directory.outside.told).toEqual(['drop alice 192.0.2.1:1']);
    expect(directory.sentBy(() => directory.hear(at(1), { type: 'RootRequest', id: 9 }))).toEqual(['Root 9']);
  });

  test('whose owner says Hello meanwhile is proven by the answer, and not only confirmed', () => {
    directory.registered.set('alice', true);
    list('alice', at(3), [at(1)]);
    expect(directory.sentBy(() => directory.hear(at(1), hello(7, 'alice'), 'signed'))).toEqual(['HelloReply 7']);
    directory.reply(at(1), 'alice', 'signed');
    expect(directory.outside.told).toEqual(['list alice 192.0.2.1:1 key']);
  });

  test('whose owner says Hello under another name is asked under that, and about the first one a minute later', async () => {
    directory.registered.set('bob', true);
    list('alice', at(3), [at(1)]);
    expect(directory.sentBy(() => directory.hear(at(1), hello(7, 'bob'), 'signed'))).toEqual([
      'HelloReply 7',
      'Hello ?',
    ]);
    directory.reply(at(1), 'bob', 'signed');
    expect(directory.outside.told).toEqual(['list bob 192.0.2.1:1 key']);
    const before = directory.hellosTo(at(1));
    await directory.outside.clock.advance(timing.probePause - 1);
    directory.sweep();
    expect(directory.hellosTo(at(1))).toBe(before);
    await directory.outside.clock.advance(1);
    directory.sweep();
    expect(directory.hellosTo(at(1))).toBe(before + 1);
    directory.reply(at(1), 'alice', 'signed');
    expect(directory.outside.told).toContain('confirm alice 192.0.2.1:1');
  });

  test('since nobody knows when is asked at once', () => {
    const addresses = [{ name: 'alice', key: 'key', address: at(1) }];
    directory.actor.send({ type: 'addresses.undated', addresses, atMs: directory.outside.nowMs });
    expect(directory.hellosTo(at(1))).toBe(1);
  });

  test('waits for the next sweep if 512 are being asked', async () => {
    const others = Array.from({ length: 600 }, (_, i) => at(1, i + 1));
    list('alice', at(3), others);
    const asked = () => new Set(directory.outside.sentOf('Hello').map(({ to }) => formatAddress(to))).size;
    expect(asked()).toBe(512);
    for (const address of others.slice(0, 8)) directory.reply(address, 'alice', 'signed');
    directory.sweep();
    expect(asked()).toBe(520);
  });
});

test('of more than 1024 proofs, that which waits longest makes room', async () => {
  directory.registered.set('v'.repeat(200), true);
  // Of one host not so many are heard at once.
  const of = (port: number) => at(1 + (port % 4), port);
  const say = (port: number) => directory.hear(of(port), hello(7, 'v'.repeat(200)), 'signed');
  for (let port = 1; port <= 1_025; port++) say(port);
  directory.reply(of(1), 'v'.repeat(200), 'signed');
  expect(directory.outside.told).toEqual([]);
  for (const port of [2, 1_025]) directory.reply(of(port), 'v'.repeat(200), 'signed');
  expect(directory.outside.told).toHaveLength(2);
  await directory.outside.clock.advance(60_000);
  expect(directory.facts.filter(({ type }) => type === 'address.unproven')).toHaveLength(1_022);
});

test('a proof that has ended leaves nothing behind', async () => {
  directory.prove(at(1), 'alice');
  directory.hear(at(2), hello(7, 'alice'), 'signed');
  await directory.outside.clock.advance(60_000);
  expect(Object.keys(directory.actor.getSnapshot().children)).toEqual(['socket.0']);
});

test('a proof whose actor fails makes room for another one of the same address', () => {
  directory.registered.set('alice', true);
  directory.hear(at(1), hello(7, 'alice'), 'signed');
  const id = 'address-proof.0';
  directory.actor.send({ type: `xstate.error.actor.${id}`, actorId: id, error: new Error('broken') } as never);
  expect(directory.facts.at(-1)).toMatchObject({ type: 'directory.warning' });
  expect(directory.sentBy(() => directory.hear(at(1), hello(8, 'alice'), 'signed'))).toEqual([
    'HelloReply 8',
    'Hello ?',
  ]);
});
