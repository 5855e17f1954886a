import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HashSet, hasHash, withHash, withHashes } from '../../../src/merkle/hash-set.ts';
import { type Hash, hashOf, KEY_DIGITS } from '../../../src/wire/hash.ts';

/** Few digits, so that hashes share long beginnings; they differ in what is their key. */
const anyKey = fc.string({
  unit: fc.constantFrom('0', '1', '9', 'a', 'f'),
  minLength: KEY_DIGITS,
  maxLength: KEY_DIGITS,
});
const siblings = fc
  .tuple(anyKey, fc.nat(KEY_DIGITS - 1), fc.constantFrom('0', '7', 'f'))
  .map(([key, at, digit]) => [key, key.slice(0, at) + digit + key.slice(at + 1)]);
const anyHashes = fc.array(siblings, { maxLength: 100 }).map((pairs) => pairs.flat().map((key) => key.padEnd(64, '5')));

const setOf = (hashes: Iterable<Hash>): HashSet => {
  let set: HashSet;
  for (const hash of hashes) set = withHash(set, hash);
  return set;
};

describe('the persistent set of hashes', () => {
  test('behaves as a Set does, and leaves earlier sets as they were', () => {
    fc.assert(
      fc.property(anyHashes, anyHashes, (some, others) => {
        const model = new Set<Hash>();
        let set: HashSet;
        for (const hash of some) {
          const earlier = set;
          const before = model.has(hash);
          expect(hasHash(set, hash)).toBe(before);
          set = withHash(set, hash);
          model.add(hash);
          expect(hasHash(earlier, hash)).toBe(before);
          expect(hasHash(set, hash)).toBe(true);
        }
        for (const hash of [...some, ...others]) expect(hasHash(set, hash)).toBe(model.has(hash));
      }),
    );
  });

  test('is the same, in whatever order it came about', () => {
    fc.assert(
      fc.property(anyHashes, (some) => {
        expect(setOf(some.toReversed())).toEqual(setOf(some));
      }),
    );
  });

  test('is the same, whether hashes are added together or one by one, and leaves the earlier set as it was', () => {
    fc.assert(
      fc.property(anyHashes, anyHashes, (some, others) => {
        const set = setOf(some);
        const fresh = [...new Set(others)].filter((hash) => !hasHash(set, hash));
        expect(withHashes(set, fresh)).toEqual(setOf([...some, ...others]));
        expect(set).toEqual(setOf(some));
      }),
    );
  });

  test('is the same set after adding what is in it', () => {
    fc.assert(
      fc.property(anyHashes, (some) => {
        const set = setOf(some);
        for (const hash of some) expect(withHash(set, hash)).toBe(set);
      }),
    );
  });

  test('holds hashes apart that differ in the last digit of their keys, and no others', () => {
    const [a, b, c, d] = ['a', 'b', '0', 'a1'].map((end) => `${'0'.repeat(KEY_DIGITS - 1)}${end}`.padEnd(64, '0'));
    const set = setOf([a as Hash, b as Hash]);
    expect([a, b, c, d].map((hash) => hasHash(set, hash as Hash))).toEqual([true, true, false, true]);
  });

  test('ends, however many hashes begin alike', () => {
    const alike = Array.from({ length: 100 }, (_, i) => `${'7'.repeat(KEY_DIGITS)}${i}`.padEnd(64, '0'));
    const nearly = Array.from({ length: 16 }, (_, i) =>
      `${'7'.repeat(KEY_DIGITS - 1)}${i.toString(16)}`.padEnd(64, '0'),
    );
    const rest = Array.from({ length: 40 }, (_, i) =>
      `${'7'.repeat(KEY_DIGITS - 2)}${(i + 16).toString(16)}`.padEnd(64, '0'),
    );
    const set = withHashes(setOf(alike), [...nearly, ...rest]);
    for (const hash of [...alike, ...nearly, ...rest]) expect(hasHash(set, hash)).toBe(true);
  });

  test('takes a dozen bytes for each of many hashes', () => {
    const set = withHashes(
      undefined,
      Array.from({ length: 100_000 }, (_, i) => hashOf(Uint8Array.of(i, i >> 8, i >> 16))),
    );
    let words = 0;
    const count = (at: HashSet): void => {
      words += (at?.length ?? 0) + 2;
      for (const below of at ?? []) if (typeof below === 'object') count(below);
    };
    count(set);
    expect(words / 100_000).toBeLessThan(1.5);
  });

  test('is empty when undefined', () => {
    expect(hasHash(undefined, '0'.repeat(64))).toBe(false);
  });

  test('adding copies a handful of branches, however many hashes there are', () => {
    const hash = (index: number) => (Math.imul(index + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0').repeat(8);
    const set = setOf(Array.from({ length: 10_000 }, (_, index) => hash(index)));
    const isOld = new Set<unknown>();
    const visit = (branch: HashSet, see: (branch: HashSet) => boolean): void => {
      if (typeof branch === 'object' && see(branch))
        for (const below of branch) if (typeof below === 'object') visit(below, see);
    };
    visit(set, (branch) => {
      isOld.add(branch);
      return true;
    });
    let copied = 0;
    visit(withHash(set, hash(10_000)), (branch) => {
      if (isOld.has(branch)) return false;
      copied += 1;
      return true;
    });
    expect(isOld.size).toBeGreaterThan(500);
    expect(copied).toBeGreaterThan(0);
    expect(copied).toBeLessThan(10);
  });
});
