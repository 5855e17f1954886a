/** A feed of more messages than the quota: what is said, and what is shown. */
import { expect, test } from 'vitest';
import { bodiesOf } from '../support/scenarios.ts';
import { World } from '../support/world.ts';

test('a feed that outgrows the quota goes on showing what it showed, and is shown wholly once its own quota is raised', async () => {
  const world = new World(3);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  const bob = await world.addPeer('bob', { quota: 10 });
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
  const post = (from: number, to: number) => {
    for (let i = from; i < to; i++) alice.peer.post(`message ${i}`);
  };
  post(0, 10);
  expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated', totalMessages: 10 });
  post(10, 12);
  const refused = await world.settle(bob.peer.sync('alice'));
  expect(refused).toMatchObject({ status: 'failed', error: { code: 'invalid-data' }, totalMessages: 10 });
  expect(refused.error?.message).toBe(
    'the feed of alice has 12 messages, more than the quota of 10; what was shown of it stays. To download it, raise the quota: murmure follow alice --quota 24',
  );
  expect(bodiesOf(bob, 'alice')).toHaveLength(10);
  bob.store.setQuota('alice', 24, world.clock.now());
  expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated', totalMessages: 12 });
  // A smaller one of its own counts as well.
  bob.store.setQuota('alice', 11, world.clock.now());
  post(12, 13);
  expect((await world.settle(bob.peer.sync('alice'))).error?.message).toContain('more than the quota of 11');
  expect(bodiesOf(bob, 'alice')).toHaveLength(12);
  await world.close();
});

test('a feed that is over the quota from the start shows nothing, keeps nothing, and comes wholly later', async () => {
  const world = new World(4);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  const bob = await world.addPeer('bob', { quota: 50 });
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
  for (let i = 0; i < 60; i++) alice.peer.post(`message ${i}`);
  const refused = await world.settle(bob.peer.sync('alice'));
  expect(refused.error?.message).toContain('the feed of alice has 60 messages, more than the quota of 50');
  expect(bodiesOf(bob, 'alice')).toEqual([]);
  bob.store.collectGarbage();
  expect(bob.store.getNode(alice.store.ownFeed().root)).toBeUndefined();
  bob.store.setQuota('alice', 60, world.clock.now());
  expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated', newMessages: 60 });
  await world.close();
});
