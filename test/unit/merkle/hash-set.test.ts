import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HashSet, hasHash, withHash, withHashes } from '../../../src/merkle/hash-set.ts';
import type { Hash } from '../../../src/wire/hash.ts';

/** Few digits, so that hashes share long beginnings. */
const anyHash = fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', 'f'), minLength: 64, maxLength: 64 });
const siblings = fc
  .tuple(anyHash, fc.nat(63), fc.constantFrom('0', '7', 'f'))
  .map(([hash, at, digit]) => [hash, hash.slice(0, at) + digit + hash.slice(at + 1)]);
const anyHashes = fc.array(siblings, { maxLength: 30 }).map((pairs) => pairs.flat());

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

  test('holds hashes apart that differ in the last digit only', () => {
    const [a, b] = [`${'0'.repeat(63)}a`, `${'0'.repeat(63)}b`];
    const set = setOf([a, b]);
    expect([a, b, '0'.repeat(64)].map((hash) => hasHash(set, hash))).toEqual([true, true, false]);
  });

  test('is empty when undefined', () => {
    expect(hasHash(undefined, '0'.repeat(64))).toBe(false);
  });

  test('adding copies a handful of branches, however many hashes there are', () => {
    const hash = (index: number) => (Math.imul(index + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0').repeat(8);
    const set = setOf(Array.from({ length: 10_000 }, (_, index) => hash(index)));
    const isOld = new Set<unknown>();
    const visit = (branch: HashSet, see: (branch: HashSet) => boolean): void => {
      if (typeof branch === 'object' && see(branch)) for (const below of branch) visit(below, see);
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
