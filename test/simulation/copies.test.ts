/** Two copies of one home that both publish (docs/adr/0030): what was posted from either arrives, and stays. */
import { describe, expect, test } from 'vitest';
import type { Hash } from '../../src/wire/hash.ts';
import { addGuarded, copyOf, stoppedIn } from '../support/copied-homes.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import type { VirtualPeer } from '../support/world.ts';

const MINUTE = 60_000;

const errorsAt = ({ facts }: VirtualPeer) =>
  facts.flatMap((fact) => (fact.type === 'error.received' ? `${fact.name}: ${fact.text}` : []));

/** Yan follows zoe, who has posted three messages. `lost`: what yan had of her, and has no more. */
async function followed(seed: number, { isMutual = true } = {}) {
  const world = await listedPeers(seed, [], undefined, { signatures: 'seals' });
  const follow = isMutual ? ['yan'] : [];
  const zoe = await addGuarded(world, 'zoe', { follow });
  const yan = await addGuarded(world, 'yan', { follow: ['zoe'] });
  for (const { peer } of world.peers) await world.settle(peer.whenListed());
  for (const text of ['one', 'two', 'three']) zoe.peer.post(text);
  await world.until(() => bodiesOf(yan, 'zoe').length === 3, MINUTE);
  const lost: number[] = [];
  yan.peer.on('sync.finished', ({ report }) => {
    if (report.withdrawnMessages > 0) lost.push(report.withdrawnMessages);
  });
  const startCopy = async (store = copyOf(zoe)) => {
    const second = await addGuarded(world, 'zoe', { store, follow });
    return second;
  };
  /** Nothing was lost, whenever; and this is there in the end. */
  const expectAtYan = (...texts: string[]) => {
    expect(bodiesOf(yan, 'zoe').toSorted()).toEqual(['one', 'two', 'three', ...texts].toSorted());
    expect(lost).toEqual([]);
  };
  const has = (text: string) => world.until(() => bodiesOf(yan, 'zoe').includes(text), MINUTE);
  /** So long after it is listed. */
  const copyPosts = async (text: string, afterMs = 0) => {
    const second = await startCopy();
    await world.settle(second.peer.whenListed());
    await world.clock.advance(afterMs);
    second.peer.post(text);
    await has(text);
    return second;
  };
  return { world, zoe, yan, startCopy, copyPosts, expectAtYan, has };
}

describe('a copy that published while nobody could reach the first, and is gone: when that is back, and posts nothing,', () => {
  const failure = (zoe: VirtualPeer) => [() => zoe.host.unplug(), () => zoe.host.plugIn()];
  const pause = (zoe: VirtualPeer) => [() => zoe.host.sleep(), () => zoe.host.wake()];
  const after = [0, 700, 3_000, 6_000, 12_000, 14_000, 16_000];
  test.each([
    ...after.map((ms) => ['its network failed', ms, failure] as const),
    ...after.map((ms) => ['it stood still', ms, pause] as const),
  ])('nothing is withdrawn, and it stops and says so: %s, %i ms longer', async (_, laterMs, away) => {
    const { world, zoe, copyPosts, expectAtYan } = await followed(83, { isMutual: false });
    await world.clock.advance(MINUTE);
    const [leave, comeBack] = away(zoe);
    leave?.();
    const second = await copyPosts('from the copy');
    second.host.unplug();
    await world.clock.advance(laterMs);
    comeBack?.();
    await world.until(() => stoppedIn(zoe).length > 0, 2 * MINUTE);
    await world.clock.advance(5 * MINUTE);
    expectAtYan('from the copy');
    expect(stoppedIn(zoe)).toMatchObject([{ code: 'invalid-data' }]);
    await world.close();
  });
});

/** As `kill -STOP` and `kill -CONT`: nothing notices that. */
describe('a home whose program stood still for less than half a minute, while a copy of it published,', () => {
  test.each([0, 20, 50, 100, 200, 500, 1_000, 3_000])(
    'publishes what the copy has published with what is posted %i ms after it goes on',
    async (offsetMs) => {
      const { world, zoe, copyPosts, expectAtYan, has } = await followed(90 + (offsetMs % 7));
      zoe.host.sleep();
      const second = await copyPosts('from the copy', 8_000);
      zoe.host.wake();
      await world.clock.advance(offsetMs);
      zoe.peer.post('from the first');
      await has('from the first');
      await world.clock.advance(5 * MINUTE);
      expectAtYan('from the copy', 'from the first');
      // One of them goes on, and has all of it.
      expect(stoppedIn(zoe).length + stoppedIn(second).length).toBe(1);
      const [going] = [zoe, second].filter((one) => stoppedIn(one).length === 0);
      going?.peer.post('next');
      await has('next');
      expectAtYan('from the copy', 'from the first', 'next');
      expect([zoe, second].flatMap(errorsAt)).toEqual([]);
      await world.close();
    },
  );

  test('stops while the directory is away, and takes nothing back', async () => {
    const { world, zoe, copyPosts, expectAtYan } = await followed(91);
    zoe.host.sleep();
    await copyPosts('from the copy', 8_000);
    world.isDirectoryDown = true;
    world.stopDirectory();
    zoe.host.wake();
    zoe.peer.post('from the first');
    await world.until(() => stoppedIn(zoe).length > 0, MINUTE);
    await world.clock.advance(MINUTE);
    expectAtYan('from the copy');
    await world.close();
  });

  test('takes nothing back if the copy has ended meanwhile: it stops, and publishes all once both run again', async () => {
    const { world, zoe, copyPosts, expectAtYan, has } = await followed(92);
    zoe.host.sleep();
    const second = await copyPosts('from the copy');
    await second.peer.close();
    zoe.host.wake();
    zoe.peer.post('from the first');
    await world.until(() => stoppedIn(zoe).length > 0, MINUTE);
    await world.clock.advance(5 * MINUTE);
    expectAtYan('from the copy');
    await world.restart(second);
    await world.restart(zoe);
    await has('from the first');
    await world.clock.advance(MINUTE);
    expectAtYan('from the copy', 'from the first');
    await world.close();
  });
});

describe('of two copies that run at the same time', () => {
  test.each([0, 5, 10, 20, 40, 80, 160, 320, 1_000])(
    'the posts of both arrive, %i ms after the second one has started',
    async (offsetMs) => {
      const { world, zoe, startCopy, expectAtYan } = await followed(93);
      const second = await startCopy();
      await world.clock.advance(offsetMs);
      // It may know already that it is not to publish.
      if (stoppedIn(second).length === 0) second.peer.post('from the copy');
      zoe.peer.post('from the first');
      await world.clock.advance(MINUTE);
      expectAtYan('from the first', ...bodiesOf(second, 'zoe').filter((body) => body === 'from the copy'));
      expect(stoppedIn(zoe)).toEqual([]);
      expect([zoe, second].flatMap(errorsAt)).toEqual([]);
      await world.close();
    },
  );

  test('and cannot reach each other, the one that was not heard meanwhile stops, and takes nothing back', async () => {
    const { world, zoe, startCopy, expectAtYan, has } = await followed(94);
    world.network.cut(zoe.ip, `10.0.1.${world.peers.length + 1}`);
    zoe.host.sleep();
    const second = await startCopy();
    await world.settle(second.peer.whenListed());
    await world.clock.advance(20_000);
    second.peer.post('from the copy');
    await has('from the copy');
    zoe.host.wake();
    zoe.peer.post('from the first');
    await world.until(() => stoppedIn(zoe).length > 0, MINUTE);
    await world.clock.advance(5 * MINUTE);
    expectAtYan('from the copy');
    world.network.heal();
    await world.restart(zoe);
    await has('from the first');
    await world.clock.advance(MINUTE);
    expectAtYan('from the copy', 'from the first');
    await world.close();
  });

  test('what was withdrawn in one is not published again by the other', async () => {
    const { world, zoe, yan, startCopy, has } = await followed(95);
    zoe.host.sleep();
    const second = await startCopy();
    await world.settle(second.peer.whenListed());
    const [two] = second.store.messages({ authors: ['zoe'] }).filter(({ body }) => body === 'two');
    await world.settle(second.peer.withdraw(two?.hash as Hash));
    await world.until(() => bodiesOf(yan, 'zoe').length === 2, MINUTE);
    zoe.host.wake();
    zoe.peer.post('from the first');
    await has('from the first');
    await world.clock.advance(MINUTE);
    expect(bodiesOf(yan, 'zoe').toSorted()).toEqual(['from the first', 'one', 'three']);
    await world.close();
  });

  test('a reader that slept meanwhile has the posts of both', async () => {
    const { world, zoe, yan, startCopy, expectAtYan } = await followed(96);
    yan.host.sleep();
    zoe.host.sleep();
    const second = await startCopy();
    await world.settle(second.peer.whenListed());
    second.peer.post('from the copy');
    await world.clock.advance(10_000);
    zoe.host.wake();
    zoe.peer.post('from the first');
    await world.clock.advance(10 * MINUTE);
    yan.host.wake();
    await world.clock.advance(MINUTE);
    expectAtYan('from the copy', 'from the first');
    await world.close();
  });
});

test('posts in quick succession are no reason to think that a reader has a later tree', async () => {
  const { world, zoe, yan } = await followed(97);
  for (let index = 0; index < 200; index++) {
    zoe.peer.post(`post ${index}`);
    await world.clock.advance(index % 20);
  }
  await world.until(() => bodiesOf(yan, 'zoe').length === 203, MINUTE);
  expect(stoppedIn(zoe)).toEqual([]);
  await world.close();
});
