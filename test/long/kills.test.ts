/** Five hundred kills of the real program, and fifty of a directory. The machine runs on: what the system has not written to disk is not lost. */
import { test } from 'vitest';
import { survive, surviveRegistrations } from '../support/kills.ts';

test.each([1, 2, 3, 4, 5])('nothing acknowledged is lost, and nothing damaged, in a hundred kills (seed %i)', (seed) =>
  survive(100, seed),
);

test('a name that was bound stays bound, however often the directory is killed', () => surviveRegistrations(50, 1));
