/** Whatever a simulation is about: our programs keep to the protocol in it. */
import { afterEach, expect } from 'vitest';
import { takeViolations } from './watched-network.ts';

afterEach(() => {
  expect(takeViolations().slice(0, 20), 'what our programs said against docs/protocol.md').toEqual([]);
});
