/** Every tenth call of disk, directory and signature fails, for two minutes: nothing that was acknowledged is lost. */
import { expect, test } from 'vitest';
import { runPlan } from '../support/faults.ts';

test.each(Array.from({ length: 6 }, (_, seed) => seed + 1))(
  'plan %i: the peer lives, and what it took arrives',
  async (seed) => {
    const { faults, acknowledged, arrived, written, read, warnings } = await runPlan(seed);
    expect(faults).toBeGreaterThan(20);
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(arrived).toEqual(expect.arrayContaining([...acknowledged]));
    expect(read).toEqual(written);
    expect(warnings).toBeLessThan(200);
  },
);
