/** Some random inputs of everything that is read from outside; test:long has a million of each. */
import { test } from 'vitest';
import { BODIES } from '../support/fuzz/bodies.ts';
import { FUZZED } from '../support/fuzz/inputs.ts';
import { fuzz } from '../support/fuzz/run.ts';

test.each([...FUZZED, ...BODIES])('$name is taken or refused, and breaks nothing', (fuzzed) => fuzz(fuzzed, 400));
