/** Two days of twelve peers with all troubles, under several seeds: `test/simulation/delivery.test.ts` has the short version. */
import { expect, test } from 'vitest';
import { delaysOf, describeReport } from '../support/delivery/ledger.ts';
import { deliver } from '../support/delivery/run.ts';
import { allTroubles } from '../support/delivery/troubles.ts';
import { underSeeds, withFreshSeed } from '../support/seeds.ts';

const HOURS = 48;
const LIMIT_MS = 10_000;

test.each(withFreshSeed(1, 2, 3, 4).map((seed) => [seed]))(
  'in 48 hours with all troubles every post arrives, and 95 of 100 within ten seconds of when they can (seed %i)',
  async (only) => {
    await underSeeds([only], async (seed) => {
      const report = await deliver({ seed, hours: HOURS, troubles: allTroubles });
      process.stdout.write(`${describeReport(report)}\n`);
      expect(report.posts).toBeGreaterThan(3 * HOURS);
      expect(report.missing, describeReport(report)).toEqual([]);
      expect(delaysOf(report).all?.p95, describeReport(report)).toBeLessThan(LIMIT_MS);
    });
  },
);
