/** XState warns on the console where an actor hears what it should not: in a simulation that is a failure. */
import { afterEach, beforeEach, expect, type MockInstance, vi } from 'vitest';

let warn: MockInstance;
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  expect(warn.mock.calls).toEqual([]);
  warn.mockRestore();
});
