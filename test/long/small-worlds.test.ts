/** Small worlds, as far as ten minutes go. */
import { expect, test } from 'vitest';
import { explore } from '../worlds/explore.ts';
import { newWorld } from '../worlds/small-world.ts';

const STATES = 120_000;

test('with two losses, a copy, any order and any timer: no dead end, and nothing too much to an address that is not proven', async ({
  annotate,
}) => {
  const { states, depth, isComplete, counterexample } = explore(newWorld(2, 1), STATES);
  await annotate(`${states} states, ${depth} steps deep${isComplete ? ', all there are' : ''}`);
  expect(counterexample).toBeUndefined();
});
