import { expect, test } from 'vitest';
import type { Engine } from '../../../src/directory/redis/engine.ts';
import { Replica } from '../../../src/directory/redis/replica.ts';

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
