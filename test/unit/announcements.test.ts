/** Roots that a peer announces: a few at once, and then one a second. */
import { expect, test } from 'vitest';
import { type Allowance, allowanceAt, isSpent, spent } from '../../machines/announcements.ts';

/** How many downloads are begun at each of these times, if twenty roots are announced. */
function begun(timesMs: readonly number[]): number[] {
  let allowance: Allowance | undefined;
  return timesMs.map((atMs) => {
    let count = 0;
    for (let i = 0; i < 20; i++) {
      allowance = allowanceAt(allowance, atMs);
      if (isSpent(allowance)) continue;
      allowance = spent(allowance);
      count += 1;
    }
    return count;
  });
}

test('ten are looked into at once, and then one for each second that has passed', () => {
  expect(begun([0, 999, 1_000, 4_500, 5_000])).toEqual([10, 0, 1, 3, 1]);
});

test('what was not used is not saved up', () => {
  expect(begun([0, 3_600_000])).toEqual([10, 10]);
});

test('a clock that is set back gives nothing, and takes nothing away', () => {
  expect(begun([10_000, 5_000, 6_000])).toEqual([10, 0, 1]);
});
