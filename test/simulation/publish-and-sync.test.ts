import { describe, expect, test } from 'vitest';
import { FullDiskError } from '../../src/store/store-errors.ts';
import { listedPeers, publishAndSync } from '../support/scenarios.ts';
import { underSeeds } from '../support/seeds.ts';
import type { VirtualPeer } from '../support/world.ts';

const SEEDS = 15;

describe('register, sync, a new message, its push, an incremental sync', () => {
  test.each([0, 0.05, 0.2])(
    `under ${SEEDS} seeds, with %d of the datagrams lost`,
    async (loss) => {
      await underSeeds(SEEDS, async (seed) => {
        const world = await publishAndSync(seed, loss);
        await world.close();
      });
    },
    600_000,
  );

  test('the same seed gives the same run, byte for byte', async () => {
    const runs = [await publishAndSync(7, 0.2), await publishAndSync(7, 0.2)];
    const [one, other] = runs.map(({ network }) => network.log.map(({ bytes, ...sent }) => [sent, hex(bytes)]));
    expect(one?.length).toBeGreaterThan(50);
    expect(other).toEqual(one);
    for (const world of runs) await world.close();
  });

  test('another seed gives another run', async () => {
    const runs = [await publishAndSync(7, 0.2), await publishAndSync(8, 0.2)];
    const [one, other] = runs.map(({ network }) => network.log.length);
    expect(other).not.toBe(one);
    for (const world of runs) await world.close();
  });
});

test.each([
  ['a full disk', new FullDiskError('/a/store.db', undefined), /^the disk is full, .* to \/a\/store\.db: make room/],
  [
    'a mistake of ours',
    new TypeError('x is no function'),
    /^the sync of alice broke down: TypeError: x is no function$/,
  ],
])('a sync that breaks down over %s is an unexpected failure: the tree is not to blame', async (_, error, message) => {
  const world = await listedPeers(1, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.post('a message');
  bob.store.adopt = () => {
    throw error;
  };
  const report = await world.settle(bob.peer.sync('alice'));
  expect(report).toMatchObject({
    status: 'failed',
    error: { code: 'unexpected', message: expect.stringMatching(message) },
  });
  await world.close();
});

test('a store that breaks down while a peer is located is an unexpected failure: the directory was reached', async () => {
  const world = await listedPeers(1, ['alice', 'bob']);
  const bob = world.peers[1] as VirtualPeer;
  bob.store.pinKey = () => {
    throw new FullDiskError('/a/store.db', undefined);
  };
  const report = await world.settle(bob.peer.sync('alice'));
  expect(report).toMatchObject({
    status: 'failed',
    error: { code: 'unexpected', message: expect.stringContaining('the disk is full') },
  });
  await world.close();
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
