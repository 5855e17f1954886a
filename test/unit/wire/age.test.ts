/** Ages by clocks that may have been set in between. */
import { expect, test } from 'vitest';
import { isYounger } from '../../../src/wire/age.ts';

test.for([
  ['of this very moment is', 100, true],
  ['of almost that long ago is', 91, true],
  ['of exactly that long ago is not', 90, false],
  ['of longer ago is not', 80, false],
  ['in the future has no known age, and is not', 101, false],
] as const)('a time %s younger', ([, thenMs, expected]) => {
  expect(isYounger(thenMs, 10, 100)).toBe(expected);
});
