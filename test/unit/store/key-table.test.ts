import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyTable } from '../../../src/store/key-table.ts';

const MOST = 2 ** 52 - 1;
/** Few, so that some are added twice, and neighbours. */
const anyKey = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: MOST - 3, max: MOST }));

test('a table of keys gives all leaves that were added under a key, and nothing for another', () => {
  fc.assert(
    fc.property(fc.array(anyKey, { maxLength: 3_000 }), (keys) => {
      const table = new KeyTable();
      const model = new Map<number, number[]>();
      for (const [leaf, key] of keys.entries()) {
        table.add(key, leaf);
        model.set(key, [...(model.get(key) ?? []), leaf]);
      }
      expect(table.size).toBe(keys.length);
      for (let key = 0; key <= 41; key++) {
        expect([table.get(key) ?? []].flat().sort((a, b) => a - b)).toEqual(model.get(key) ?? []);
      }
      expect([...table.sortedKeys()]).toEqual(keys.toSorted((a, b) => a - b));
      const entries = [...table.entries()].map(({ key, leaf }) => [leaf, key]);
      expect(entries.sort(([a = 0], [b = 0]) => a - b)).toEqual([...keys.entries()]);
    }),
    { numRuns: 20 },
  );
});
