/** Whatever a small channel does: who asks gets the node once the channel is kind, and nobody is flooded meanwhile. */
import { expect, test } from 'vitest';
import { explore } from './explore.ts';
import { newWorld } from './small-world.ts';

test.each([
  { losses: 0, copies: 0, mostStates: 1_000 },
  { losses: 2, copies: 1, mostStates: 3_000 },
])(
  'with $losses losses, $copies copies, any order and any timer: of $mostStates states none is a dead end, or sends too much',
  ({ losses, copies, mostStates }) => {
    const { states, counterexample } = explore(newWorld(losses, copies), mostStates);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThanOrEqual(mostStates);
  },
);

test('a peer that takes an address for proven too early is found out, and how', () => {
  const { counterexample } = explore(newWorld(0, 0, true), 10_000);
  expect(counterexample?.why).toBe('B sent a node to an address that is not proven');
  expect(counterexample?.path.at(-1)).toBe('type 2 to b arrives');
});
