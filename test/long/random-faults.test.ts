/** A thousand plans of what fails when. */
import { expect, test } from 'vitest';
import { runPlan } from '../support/faults.ts';

const HUNDREDS = Array.from({ length: 10 }, (_, hundred) => 100 * hundred + 1);

test.each(HUNDREDS)('plans %i and the 99 after it: the peer lives, and what it took arrives', async (first) => {
  const failed: unknown[] = [];
  for (let seed = first; seed < first + 100; seed++) {
    const { acknowledged, arrived, written, read, warnings } = await runPlan(seed);
    const isLost = acknowledged.some((text) => !arrived.includes(text)) || written.join() !== read.join();
    if (isLost || warnings > 200) failed.push({ seed, acknowledged, arrived, written, read, warnings });
  }
  expect(failed).toEqual([]);
});
