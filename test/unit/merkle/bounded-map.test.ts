import { expect, test } from 'vitest';
import { dropOldest } from '../../../src/merkle/bounded-map.ts';

const filled = (size: number) => new Map(Array.from({ length: size }, (_, i) => [i, i]));

test('a Map that is not over its limit keeps all', () => {
  const map = filled(32);
  dropOldest(map, 32);
  expect(map.size).toBe(32);
});

test('of one that is, a sixteenth goes, those that were set first', () => {
  const map = filled(33);
  dropOldest(map, 32);
  expect([...map.keys()]).toEqual(Array.from({ length: 31 }, (_, i) => i + 2));
});
