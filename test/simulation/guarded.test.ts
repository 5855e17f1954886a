/** A home that was put back from a copy, and two running copies of one home (docs/adr/0016): nothing that was published is lost. */
import { describe, expect, test } from 'vitest';
import { decodeDatagram } from '../../src/wire/datagram.ts';
import type { Hash } from '../../src/wire/hash.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { addGuarded, copyOf, stoppedIn } from '../support/copied-homes.ts';
import { Publisher } from '../support/publisher.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const MINUTE = 60_000;

function rootsSentBy(world: World, { ip }: VirtualPeer): number {
  return world.network.log.filter(({ from, bytes }) => {
    const decoded = decodeDatagram(bytes);
    return from.ip === ip && decoded.ok && decoded.value.datagram.type === 'Root';
  }).length;
}

/** Yan follows zoe, who posts three messages, is copied, and posts two more. */
async function copied(seed: number) {
  const world = await listedPeers(seed, []);
  const zoe = await addGuarded(world, 'zoe', { follow: ['yan'] });
  const yan = await addGuarded(world, 'yan', { follow: ['zoe'] });
  for (const { peer } of world.peers) await world.settle(peer.whenListed());
  for (const text of ['one', 'two', 'three']) zoe.peer.post(text);
  const copy = copyOf(zoe);
  await world.until(() => bodiesOf(yan, 'zoe').length === 3, MINUTE);
  for (const text of ['four', 'five']) zoe.peer.post(text);
  await world.until(() => bodiesOf(yan, 'zoe').length === 5, MINUTE);
  return { world, zoe, yan, copy };
}

describe('a home that was put back from a copy', () => {
  test('publishes nothing, says so, refuses posts, and goes on reading', async () => {
    const { world, zoe, yan, copy } = await copied(41);
    await zoe.peer.close();
    const back = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'] });
    await world.until(() => stoppedIn(back).length > 0, MINUTE);
    expect(stoppedIn(back)).toEqual([
      {
        code: 'invalid-data',
        message: expect.stringMatching(/"yan" has messages of yours that are newer .*key resume/),
      },
    ]);
    expect(() => back.peer.post('six')).toThrow('key resume');
    yan.peer.post('news');
    await world.clock.advance(3 * MINUTE);
    expect(bodiesOf(back, 'yan')).toContain('news');
    expect(bodiesOf(yan, 'zoe')).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(rootsSentBy(world, back)).toBe(0);
    await world.close();
  });

  test('is noticed by a reader as well whom it does not follow', async () => {
    const { world, zoe, yan, copy } = await copied(42);
    await zoe.peer.close();
    copy.noteReader('yan', world.clock.now());
    const back = await addGuarded(world, 'zoe', { store: copy });
    await world.until(() => stoppedIn(back).length > 0, MINUTE);
    expect(bodiesOf(yan, 'zoe')).toHaveLength(5);
    await world.close();
  });

  test('stops as soon as somebody can be reached who was offline at its start', async () => {
    const { world, zoe, yan, copy } = await copied(43);
    await zoe.peer.close();
    await yan.peer.close();
    await world.clock.advance(2 * MINUTE);
    const back = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'] });
    await world.clock.advance(MINUTE);
    expect(stoppedIn(back)).toEqual([]);
    await world.restart(yan);
    await world.until(() => stoppedIn(back).length > 0, MINUTE);
    await world.close();
  });
});

describe('a home whose owner has given up what came after three messages', () => {
  test('tells those who have that what it published since', async () => {
    const { world, zoe, yan, copy } = await copied(44);
    await zoe.peer.close();
    copy.publish('zoe', { date: 1, inReplyTo: null, body: 'six' }, world.clock.now());
    const back = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'], givenUp: 3 });
    await world.until(() => bodiesOf(yan, 'zoe').includes('six'), MINUTE);
    expect(bodiesOf(yan, 'zoe').toSorted()).toEqual(['one', 'six', 'three', 'two']);
    expect(stoppedIn(back)).toEqual([]);
    await world.close();
  });

  test.each([[[]], [['six']]])(
    'stops if that tree is put back once somebody has read it, with %j after it',
    async (texts) => {
      const { world, zoe, yan, copy } = await copied(45);
      await zoe.peer.close();
      for (const body of texts) copy.publish('zoe', { date: 1, inReplyTo: null, body }, world.clock.now());
      const back = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'], givenUp: 2 });
      await world.until(() => stoppedIn(back).length > 0, MINUTE);
      expect(bodiesOf(yan, 'zoe')).toHaveLength(5);
      await world.close();
    },
  );
});

describe('a home that was put back from a copy that tells nothing by itself, since every later tree begins with it,', () => {
  const copiedAt = async (messages: number) => {
    const world = await listedPeers(70 + messages, []);
    const zoe = await addGuarded(world, 'zoe', { follow: ['yan'] });
    const yan = await addGuarded(world, 'yan', { follow: ['zoe'] });
    for (const { peer } of world.peers) await world.settle(peer.whenListed());
    for (let index = 0; index < messages; index++) zoe.peer.post(`message ${index}`);
    const copy = copyOf(zoe);
    for (const text of ['four', 'five']) zoe.peer.post(text);
    await world.until(() => bodiesOf(yan, 'zoe').length === messages + 2, MINUTE);
    await zoe.peer.close();
    return { world, yan, copy, total: messages + 2 };
  };

  test.each([0, 1, 32])('of %i messages, publishes nothing, and says so', async (messages) => {
    const { world, yan, copy, total } = await copiedAt(messages);
    const back = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'] });
    await world.until(() => stoppedIn(back).length > 0, MINUTE);
    expect(stoppedIn(back)).toMatchObject([{ code: 'invalid-data', message: expect.stringContaining('newer than') }]);
    expect(bodiesOf(yan, 'zoe')).toHaveLength(total);
    expect(rootsSentBy(world, back)).toBe(0);
    await world.close();
  });

  test.each([0, 1, 32])(
    'of %i messages, is noticed by a command, and by the check after an import',
    async (messages) => {
      const { world, yan, copy, total } = await copiedAt(messages);
      const command = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'], register: false });
      expect(await world.settle(command.peer.checkHistory())).toEqual([{ peer: 'yan', outcome: 'later' }]);
      await world.settle(command.peer.sync('yan'));
      expect(stoppedIn(command)).toMatchObject([{ code: 'invalid-data' }]);
      expect(bodiesOf(yan, 'zoe')).toHaveLength(total);
      await world.close();
    },
  );

  test.each([1, 32])('of %i messages, is noticed though a message was posted from it', async (messages) => {
    const { world, yan, copy, total } = await copiedAt(messages);
    const back = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'] });
    back.peer.post('six');
    await world.until(() => stoppedIn(back).length > 0, MINUTE);
    expect(bodiesOf(yan, 'zoe')).toHaveLength(total);
    await world.close();
  });

  test.each([0, 1, 32])('of %i messages, goes on as ever where nobody has more', async (messages) => {
    const world = await listedPeers(80 + messages, []);
    const zoe = await addGuarded(world, 'zoe', { follow: ['yan'] });
    const yan = await addGuarded(world, 'yan', { follow: ['zoe'] });
    for (const { peer } of world.peers) await world.settle(peer.whenListed());
    for (let index = 0; index < messages; index++) zoe.peer.post(`message ${index}`);
    await world.until(() => bodiesOf(yan, 'zoe').length === messages, MINUTE);
    await zoe.peer.close();
    const back = await addGuarded(world, 'zoe', { store: zoe.store, host: zoe.host, follow: ['yan'] });
    back.peer.post('next');
    await world.until(() => bodiesOf(yan, 'zoe').includes('next'), MINUTE);
    expect(stoppedIn(back)).toEqual([]);
    await world.close();
  });
});

describe('a home that was put back from a copy takes nothing from anybody', () => {
  const whole = ['one', 'two', 'three', 'four', 'five'];

  test.each([
    ['whom it follows', ['yan']],
    ['whom it does not follow', []],
  ])('where a command, which does not register, asks somebody %s', async (_, follow) => {
    const { world, zoe, yan, copy } = await copied(60);
    await zoe.peer.close();
    const command = await addGuarded(world, 'zoe', { store: copy, follow, register: false });
    await world.settle(command.peer.sync('yan'));
    // Yan asks back at once, and every minute.
    await world.clock.advance(3 * MINUTE);
    expect(stoppedIn(command)).toMatchObject([{ code: 'invalid-data' }]);
    expect(rootsSentBy(world, command)).toBe(0);
    expect(bodiesOf(yan, 'zoe')).toEqual(whole);
    await world.close();
  });

  test('where it follows nobody, and knows no reader: the first one that comes tells', async () => {
    const { world, zoe, yan, copy } = await copied(61);
    await zoe.peer.close();
    const back = await addGuarded(world, 'zoe', { store: copy });
    await world.settle(back.peer.whenListed());
    await world.until(() => stoppedIn(back).length > 0, 3 * MINUTE);
    await world.clock.advance(3 * MINUTE);
    expect(rootsSentBy(world, back)).toBe(0);
    expect(bodiesOf(yan, 'zoe')).toEqual(whole);
    await world.close();
  });

  test('where something was posted and withdrawn in it before its start', async () => {
    const { world, zoe, yan, copy } = await copied(62);
    await zoe.peer.close();
    for (const body of ['other four', 'other five', 'other six'])
      copy.publish('zoe', { date: 2, inReplyTo: null, body }, world.clock.now());
    copy.withdraw('zoe', copy.messages({ authors: ['zoe'] }).at(-1)?.hash as Hash, world.clock.now());
    const back = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'] });
    await world.until(() => stoppedIn(back).length > 0, MINUTE);
    await world.clock.advance(3 * MINUTE);
    expect(bodiesOf(yan, 'zoe')).toEqual(whole);
    await world.close();
  });

  test('where somebody comes whom it does not follow, while others know what it knows', async () => {
    const { world, zoe, yan, copy } = await copied(63);
    await zoe.peer.close();
    const back = await addGuarded(world, 'zoe', { store: copy, follow: ['xia'] });
    const xia = await addGuarded(world, 'xia', { follow: ['zoe'] });
    await world.until(() => bodiesOf(xia, 'zoe').length === 3, MINUTE);
    await world.clock.advance(3 * MINUTE);
    expect(bodiesOf(yan, 'zoe')).toEqual(whole);
    expect(stoppedIn(back)).toEqual([]);
    expect(back.facts).toContainEqual({
      type: 'peer.warning',
      message: expect.stringContaining('"yan", whom you do not follow, says that it has messages of yours'),
    });
    await world.close();
  });
});

test('a stranger that lies about our history silences nobody', async () => {
  const { world, zoe, yan } = await copied(64);
  await world.restart(zoe);
  await world.settle(zoe.peer.whenListed());
  const [newest] = zoe.store.messages({ authors: ['zoe'] }).toReversed();
  const leaf = zoe.store.getNode(newest?.hash as Hash) as Uint8Array;
  const liar = await Publisher.join(world, 'liar', [leaf], leaf);
  await liar.stranger.sendSigned(zoe.peer.addresses[0] as SocketAddress, {
    type: 'Hello',
    id: 1,
    flags: 0,
    name: 'liar',
  });
  await world.until(() => liar.asked.length > 0, MINUTE);
  await world.clock.advance(MINUTE);
  zoe.peer.post('six');
  await world.until(() => bodiesOf(yan, 'zoe').includes('six'), 10_000);
  expect(stoppedIn(zoe)).toEqual([]);
  await world.close();
});

describe('a home that is as it was publishes', () => {
  test('what was posted before its start, within ten seconds', async () => {
    const { world, zoe, yan } = await copied(44);
    await zoe.peer.close();
    zoe.store.publish('zoe', { date: 1, inReplyTo: null, body: 'six' }, world.clock.now());
    await world.restart(zoe);
    await world.until(() => bodiesOf(yan, 'zoe').includes('six'), 10_000);
    expect(stoppedIn(zoe)).toEqual([]);
    await world.close();
  });

  test('what was withdrawn before its start, however much', async () => {
    const { world, zoe, yan } = await copied(45);
    await zoe.peer.close();
    for (const { hash } of zoe.store.messages({ authors: ['zoe'] }).slice(0, 3)) zoe.store.withdraw('zoe', hash, 0);
    await world.restart(zoe);
    await world.until(() => bodiesOf(yan, 'zoe').length === 2, 10_000);
    await world.clock.advance(MINUTE);
    expect(stoppedIn(zoe)).toEqual([]);
    await world.close();
  });

  test('though somebody whom it follows is offline: others do not wait for that', async () => {
    const { world, zoe, yan } = await copied(46);
    await zoe.peer.close();
    zoe.store.setFollowing('mute', true, 0);
    zoe.store.publish('zoe', { date: 1, inReplyTo: null, body: 'six' }, world.clock.now());
    const mute = await addGuarded(world, 'mute', {});
    await world.settle(mute.peer.whenListed());
    await mute.peer.close();
    await world.restart(zoe);
    await world.until(() => bodiesOf(yan, 'zoe').includes('six'), 10_000);
    await world.close();
  });

  test('a message that is posted while others are asked', async () => {
    const { world, zoe, yan } = await copied(47);
    await world.restart(zoe);
    zoe.peer.post('six');
    await world.until(() => bodiesOf(yan, 'zoe').includes('six'), 10_000);
    await world.close();
  });
});

describe('of two running copies of a home', () => {
  test('the later one stops publishing, and goes on reading; the earlier one is not disturbed', async () => {
    const { world, zoe, yan } = await copied(48);
    const second = await addGuarded(world, 'zoe', { store: copyOf(zoe), follow: ['yan'] });
    await world.until(() => stoppedIn(second).length > 0, MINUTE);
    expect(stoppedIn(second)).toEqual([
      { code: 'in-use', message: expect.stringContaining('another murmure at 10.0.1.1:40000 publishes as zoe') },
    ]);
    zoe.peer.post('six');
    yan.peer.post('news');
    await world.clock.advance(3 * MINUTE);
    expect(stoppedIn(zoe)).toEqual([]);
    expect(bodiesOf(yan, 'zoe')).toContain('six');
    expect(bodiesOf(second, 'yan')).toContain('news');
    expect(world.registry.lookup('zoe', world.clock.now())?.addresses).toEqual(zoe.peer.addresses);
    await world.close();
  });

  test('the one that was asleep when the other started stops as it wakes, and takes back nothing', async () => {
    const { world, zoe, yan } = await copied(65);
    const copy = copyOf(zoe);
    zoe.host.sleep();
    await world.clock.advance(10 * MINUTE);
    const second = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'] });
    await world.settle(second.peer.whenListed());
    second.peer.post('six');
    await world.until(() => bodiesOf(yan, 'zoe').includes('six'), MINUTE);
    await world.clock.advance(60 * MINUTE);
    zoe.host.wake();
    await world.until(() => stoppedIn(zoe).length > 0, MINUTE);
    second.peer.post('seven');
    await world.clock.advance(20 * MINUTE);
    expect(stoppedIn(second)).toEqual([]);
    expect(bodiesOf(yan, 'zoe')).toEqual(['one', 'two', 'three', 'four', 'five', 'six', 'seven']);
    await world.close();
  });

  test('the later one stops within the quarter of an hour in which both can be reached again, though nobody started', async () => {
    const { world, zoe, yan } = await copied(66);
    const copy = copyOf(zoe);
    zoe.host.unplug();
    const second = await addGuarded(world, 'zoe', { store: copy, follow: ['yan'] });
    await world.settle(second.peer.whenListed());
    await world.clock.advance(MINUTE);
    expect(stoppedIn(second)).toEqual([]);
    zoe.host.plugIn();
    await world.until(() => stoppedIn(second).length + stoppedIn(zoe).length > 0, 16 * MINUTE);
    await world.clock.advance(20 * MINUTE);
    const [going, stopped] = stoppedIn(zoe).length === 0 ? [zoe, second] : [second, zoe];
    expect(stoppedIn(going)).toEqual([]);
    expect(stoppedIn(stopped)).toMatchObject([{ code: 'in-use' }]);
    going.peer.post('six');
    await world.until(() => bodiesOf(yan, 'zoe').includes('six'), 10_000);
    await world.close();
  });

  test('that start in the same second, one goes on', async () => {
    const { world, zoe } = await copied(67);
    await world.clock.advance(2 * MINUTE);
    const copy = copyOf(zoe);
    await zoe.peer.close();
    const both = await world.settle(
      Promise.all([
        world.addPeer('zoe', { guarded: true, store: zoe.store }),
        world.addPeer('zoe', { guarded: true, store: copy }),
      ]),
    );
    await world.clock.advance(20 * MINUTE);
    expect(both.map((one) => stoppedIn(one).length).sort()).toEqual([0, 1]);
    await world.close();
  });

  test('one that has stopped takes nothing from one that starts', async () => {
    const { world, zoe } = await copied(49);
    const second = await addGuarded(world, 'zoe', { store: copyOf(zoe) });
    await world.until(() => stoppedIn(second).length > 0, MINUTE);
    await world.restart(zoe);
    await world.clock.advance(2 * MINUTE);
    expect(stoppedIn(zoe)).toEqual([]);
    await world.close();
  });
});

describe('a peer takes nothing for a copy of itself', () => {
  test('that is its own former address', async () => {
    const { world, zoe } = await copied(50);
    zoe.host.firstPort += 1;
    await world.restart(zoe);
    await world.clock.advance(2 * MINUTE);
    expect(stoppedIn(zoe)).toEqual([]);
    await world.close();
  });

  test('that is itself: its NAT sends its own Hello back', async () => {
    const { world, zoe } = await copied(51);
    // Its addresses are not known to be its own.
    await zoe.peer.close();
    const natted = await addGuarded(world, 'zoe', {
      store: zoe.store,
      udp: ['10.0.1.9:41000'],
      environment: {
        network: {
          open: (...args) => world.network.open(...args),
          localIps: () => ['192.168.0.2'],
        },
      },
    });
    await world.settle(natted.peer.whenListed());
    await world.clock.advance(2 * MINUTE);
    const hellos = world.network.log.filter(({ from, to }) => from.ip === '10.0.1.9' && to.ip === '10.0.1.9');
    expect(hellos.length).toBeGreaterThan(0);
    expect(stoppedIn(natted)).toEqual([]);
    await world.close();
  });
});

test.each([1, 2, 3, 4])(
  'a reader who was out of reach for long has what was published meanwhile (seed %i)',
  async (seed) => {
    const world = await listedPeers(seed, []);
    const zoe = await addGuarded(world, 'zoe', {});
    const yan = await addGuarded(world, 'yan', { follow: ['zoe'] });
    for (const { peer } of world.peers) await world.settle(peer.whenListed());
    zoe.peer.post('one');
    await world.until(() => bodiesOf(yan, 'zoe').length === 1, MINUTE);
    world.network.cut(zoe.ip, yan.ip);
    zoe.peer.post('two');
    await world.clock.advance(80_000);
    zoe.peer.post('three');
    await world.clock.advance(18_000);
    world.network.heal();
    await world.until(() => bodiesOf(yan, 'zoe').length === 3, MINUTE);
    await world.close();
  },
);
