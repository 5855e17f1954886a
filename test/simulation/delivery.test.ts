/**
 * Delivery: whatever happened, a post is at every follower within ten seconds once author, follower and directory can reach each other.
 * Twelve peers of several kinds live through a time of posts and troubles (`support/delivery/`), here for less than an hour at a time; `npm run test:long`
 * lets them live through two days.
 */
import { expect, test } from 'vitest';
import { type DeliveryReport, delaysOf, describeReport, LATE_MS } from '../support/delivery/ledger.ts';
import { type DeliveryOptions, deliver } from '../support/delivery/run.ts';
import { allTroubles, type Trouble } from '../support/delivery/troubles.ts';
import { underSeeds, withFreshSeed } from '../support/seeds.ts';

/** What this finds under a fresh seed, it finds again under the seed that is printed. */
async function expectDelivered(seed: number, options: Omit<DeliveryOptions, 'seed'>): Promise<DeliveryReport> {
  const report = await deliver({ seed, ...options });
  // Not by having posted nothing.
  expect(report.delivered.length).toBeGreaterThan(20 * options.hours);
  expect(report.missing, describeReport(report)).toEqual([]);
  expect(delaysOf(report.delivered).all?.maximum, describeReport(report)).toBeLessThan(LATE_MS);
  return report;
}

test.each<[string, Trouble[]]>([
  ['in good weather', []],
  ['behind NATs of three kinds', ['nats']],
  ['with one datagram in twenty lost', ['loss']],
])('within ten seconds every post is at every follower, %s', async (_, troubles) => {
  await underSeeds(withFreshSeed(1), async (seed) => {
    await expectDelivered(seed, { hours: 0.1, troubles, postsPerHour: 90 });
  });
});

test('with all troubles at once, every post is at every follower within ten seconds of when it can be', async () => {
  await underSeeds(withFreshSeed(1, 2), async (seed) => {
    const options = { hours: 0.35, troubles: allTroubles, postsPerHour: 60, haste: 6 };
    process.stdout.write(`${describeReport(await expectDelivered(seed, options))}\n`);
  });
});

test('the same seed gives the same run', async () => {
  const run = () =>
    deliver({ seed: 5, hours: 0.1, troubles: ['loss', 'nats', 'directory restarts'], postsPerHour: 60 });
  expect(await run()).toEqual(await run());
});
