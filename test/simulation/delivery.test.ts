/**
 * Delivery: whatever happened, a post is at every follower within ten seconds once author, follower and directory can reach each other.
 * Twelve peers of several kinds live through a time of posts and troubles (`support/delivery/`), here with one trouble at a time.
 */
import { describe, expect, test } from 'vitest';
import { type DeliveryReport, delaysOf, describeReport } from '../support/delivery/ledger.ts';
import { deliver } from '../support/delivery/run.ts';
import type { Trouble } from '../support/delivery/troubles.ts';
import { underSeeds, withFreshSeed } from '../support/seeds.ts';

const LIMIT_MS = 10_000;

/** Not by having posted nothing. */
function expectEverythingDelivered(report: DeliveryReport, hours: number): void {
  expect(report.delivered.length).toBeGreaterThan(20 * hours);
  expect(report.missing, describeReport(report)).toEqual([]);
}

describe('within ten seconds every post is at every follower', () => {
  test.each<[string, Trouble[]]>([
    ['in good weather', []],
    ['behind NATs of three kinds', ['nats']],
  ])('%s', async (_, troubles) => {
    await underSeeds(withFreshSeed(1), async (seed) => {
      const hours = 0.4;
      const report = await deliver({ seed, hours, troubles, postsPerHour: 30 });
      expectEverythingDelivered(report, hours);
      expect(delaysOf(report).all?.maximum, describeReport(report)).toBeLessThan(LIMIT_MS);
    });
  });
});

test('in the end every post is at every follower, with one datagram in twenty lost', async () => {
  await underSeeds(withFreshSeed(1), async (seed) => {
    const hours = 0.4;
    expectEverythingDelivered(await deliver({ seed, hours, troubles: ['loss'], postsPerHour: 30 }), hours);
  });
});

test('the same seed gives the same run', async () => {
  const run = () =>
    deliver({ seed: 5, hours: 0.2, troubles: ['loss', 'nats', 'directory restarts'], postsPerHour: 60 });
  expect(await run()).toEqual(await run());
});
