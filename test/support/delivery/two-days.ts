/** The long test of delivery: a hundred seeds and a fresh one, dealt out to several test files, so that all cores have something to do. */
import { afterAll, expect, test } from 'vitest';
import { withFreshSeed } from '../seeds.ts';
import { type Delivery, delaysOf, describeDelays, describeReport, LATE_MS } from './ledger.ts';
import { deliver } from './run.ts';
import { allTroubles } from './troubles.ts';

const HOURS = 48;
const hundred = Array.from({ length: 100 }, (_, i) => i + 1);

/** Every `files`th seed, from the `file`th on. */
export function liveTwoDays(file: number, files: number): void {
  const delivered: Delivery[] = [];
  const seeds = withFreshSeed(...hundred).filter((_, index) => index % files === file - 1);

  test.each(seeds.map((seed) => [seed]))(
    'in 48 hours with all troubles every post is at every follower within ten seconds of when it can be (seed %i)',
    async (seed) => {
      const report = await deliver({ seed, hours: HOURS, troubles: allTroubles });
      delivered.push(...report.delivered);
      const what = `${describeReport(report)}\nnode test/support/delivery/main.ts ${seed} ${HOURS} all runs it alone`;
      expect(report.posts).toBeGreaterThan(3 * HOURS);
      expect(report.missing, what).toEqual([]);
      expect(delaysOf(report.delivered).all?.maximum, what).toBeLessThan(LATE_MS);
    },
  );

  afterAll(() => {
    process.stdout.write(`${seeds.length} seeds, ${file} of ${files}\n${describeDelays(delivered)}\n`);
  });
}
