import { expect, test } from 'vitest';
import { type Listed, Listing } from '../../../src/directory/listing.ts';

const HOUR = 3_600_000;
const MANY = 100_000;
const nameOf = (i: number) => `peer${String(i).padStart(6, '0')}`;

/** Of names that were all answered from at 0. */
function listingOf(names: readonly string[]): Listing & { reads: number } {
  let reads = 0;
  const listing = new Listing(() => {
    reads += 1;
    return names.map((name): Listed => [name, 0]);
  });
  return Object.defineProperty(listing, 'reads', { get: () => reads }) as Listing & { reads: number };
}

test('names come and go at their places, and the registry is read once', () => {
  const listing = listingOf(['b', 'd']);
  expect(listing.names(0)).toEqual(['b', 'd']);
  for (const name of ['e', 'a', 'c', '\u{1f980}', '\uff5e']) listing.note(name, 1);
  listing.note('b', undefined);
  expect(listing.names(1)).toEqual(['a', 'c', 'd', 'e', '\uff5e', '\u{1f980}']);
  listing.note('d', HOUR - 1);
  expect(listing.names(HOUR)).toEqual(['a', 'c', 'd', 'e', '\uff5e', '\u{1f980}']);
  expect(listing.names(HOUR + 1)).toEqual(['d']);
  expect(listing.names(2 * HOUR - 1)).toEqual([]);
  expect(listing.reads).toBe(1);
});

test('one that goes and comes back, or is told of again, leaves the list as it is', () => {
  const listing = listingOf(['a', 'b']);
  const names = listing.names(0);
  listing.note('a', undefined);
  listing.note('a', 5);
  listing.note('b', 6);
  expect(listing.names(7)).toBe(names);
});

test('a hundred thousand names that come, and go, in any order give the list that reading them anew would', () => {
  const listing = listingOf([]);
  listing.names(0);
  for (let i = 0; i < MANY; i++) listing.note(nameOf((i * 7_919) % MANY), i % 2 === 0 ? 1 : 2);
  expect(listing.names(2)).toEqual(Array.from({ length: MANY }, (_, i) => nameOf(i)));
  expect(listing.names(HOUR + 1)).toHaveLength(MANY / 2);
  expect(listing.names(HOUR + 2)).toEqual([]);
});

test('told of an earlier time, it reads anew: what had ended then had not', () => {
  const listing = listingOf(['a']);
  expect(listing.names(HOUR)).toEqual([]);
  expect(listing.names(HOUR - 1)).toEqual(['a']);
  expect(listing.reads).toBe(2);
});
