import { expect, test, vi } from 'vitest';
import type { Engine } from '../../../src/directory/redis/engine.ts';
import { formatRecord } from '../../../src/directory/redis/name-record.ts';
import { Replica } from '../../../src/directory/redis/replica.ts';
import { SHARES } from '../../../src/directory/redis/shares.ts';
import type { PublicKey } from '../../../src/identity/public-key.ts';

const HOUR = 3_600_000;
const NAMES = 10_000;
/** Some milliseconds of work. */
const MOST_A_TURN = 1_000;

test('a sweep that forgets ten thousand addresses lets other work have its turn after each thousand', async () => {
  let nowMs = 0;
  const nothing = { status: 'ok', epoch: '', last: '0-0', runningMs: 0, steadyMs: 0, record: '', extra: '' };
  const engine = { run: async () => nothing } as unknown as Engine;
  const replica = new Replica(engine, { instance: 'one', now: () => nowMs });
  // From now on it reckons the engine's time by its own clock.
  await replica.check();
  for (let i = 0; i < NAMES; i++) {
    const address = { address: `10.0.${i >> 8}.${i & 255}:1`, provenMs: 0, answeredMs: 0, provers: [] };
    replica.put(`peer${i}`, { key: 'key', provenRunningMs: 0, addresses: [address], version: '1-0' }, false);
  }
  expect(replica.listing.names(0)).toHaveLength(NAMES);
  nowMs = HOUR;
  const cursor = replica.changes.cursor;
  const forgotten = () => replica.changes.since(cursor)?.length ?? 0;
  const sweeping = replica.expire(nowMs).then(() => 'over');
  const turn = () => new Promise<string>((resolve) => setImmediate(resolve, 'another turn'));
  let before = 0;
  let turns = 0;
  while ((await Promise.race([sweeping, turn()])) !== 'over') {
    expect(forgotten() - before).toBeLessThanOrEqual(2 * MOST_A_TURN);
    before = forgotten();
    turns += 1;
  }
  expect(forgotten()).toBe(NAMES);
  expect(turns).toBeGreaterThan(NAMES / MOST_A_TURN / 2);
});

test('an instance that starts on a hundred thousand names lets other work have its turn after two thousand, and misses nothing meanwhile', async () => {
  const inShare = 1_600;
  const known = { key: 'key' as PublicKey, provenRunningMs: 0, addresses: [] };
  const moved = { ...known, provenRunningMs: 5 };
  const engine = {
    run: async () => ({ status: 'ok', epoch: 'e', last: '7-0', runningMs: 0, steadyMs: 0, record: '', extra: '' }),
    changesSince: async () => [],
    async *names(share: number) {
      for (let i = 0; i < inShare; i++) yield [`peer${share}-${i}`, formatRecord(known)];
    },
  } as unknown as Engine;
  const replica = new Replica(engine, { instance: 'one', now: () => 0 });
  const put = vi.spyOn(replica, 'put');
  const starting = replica.loadAll().then(() => 'over');
  // Written by another instance, after the share was looked at.
  const change = { id: '8-0', kind: 'prove', name: 'peer0-1', record: formatRecord(moved), prev: '7-0' };
  const reading = replica.follow(0, [change]).then(() => replica.follow(0, [change]));
  const turn = () => new Promise<string>((resolve) => setImmediate(resolve, 'another turn'));
  let before = 0;
  while ((await Promise.race([starting, turn()])) !== 'over') {
    expect(put.mock.calls.length - before).toBeLessThanOrEqual(4 * MOST_A_TURN);
    before = put.mock.calls.length;
  }
  await reading;
  expect(put.mock.calls.length).toBe(SHARES * inShare + 1);
  expect(replica.names.get('peer0-1')).toMatchObject(moved);
});
