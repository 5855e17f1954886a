import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  emptyTable,
  entriesOf,
  entryOf,
  type Key,
  type Table,
  withEntry,
  withoutEntry,
} from '../../../src/merkle/hash-table.ts';

const HOSTILE = ['__proto__', 'constructor', 'toString', 'length', '', '0', '\0'];
const anyKey = fc.oneof(
  fc.constantFrom<Key>(...HOSTILE, 0, 1, -1, 0xffff_ffff, 2 ** 40, 1.5),
  fc.integer({ min: 0, max: 40 }),
  fc.string({ maxLength: 3 }),
);
const anyChange = fc.record({ key: anyKey, value: fc.option(fc.nat(9), { nil: undefined }) });

function tableOf(entries: Iterable<readonly [Key, number]>): Table<number> {
  let table = emptyTable<number>();
  for (const [key, value] of entries) table = withEntry(table, key, value);
  return table;
}

describe('the persistent table', () => {
  test('behaves as a Map does, whatever the keys, and leaves earlier tables as they were', () => {
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 100 }), (changes) => {
        const map = new Map<Key, number>();
        let table = emptyTable<number>();
        for (const { key, value } of changes) {
          const earlier = table;
          const entries = [...entriesOf(earlier)];
          if (value === undefined) map.delete(key);
          else map.set(key, value);
          table = value === undefined ? withoutEntry(table, key) : withEntry(table, key, value);
          expect([...entriesOf(earlier)]).toEqual(entries);
          expect(entryOf(table, key)).toBe(value);
        }
        expect(table.size).toBe(map.size);
        expect(new Map(entriesOf(table))).toEqual(map);
      }),
    );
  });

  test('lists its entries in an order that does not depend on how it came about', () => {
    const entries = fc.uniqueArray(fc.tuple(anyKey, fc.nat()), { selector: ([key]) => key, maxLength: 300 });
    fc.assert(
      fc.property(entries, (some) => {
        const forwards = tableOf(some);
        const backwards = withoutEntry(tableOf([['passing', 1], ...some.toReversed()]), 'passing');
        const expected = withoutEntry(forwards, 'passing');
        expect(backwards).toEqual(expected);
        expect([...entriesOf(backwards)]).toEqual([...entriesOf(expected)]);
      }),
    );
  });

  test('survives JSON', () => {
    const table = tableOf([...HOSTILE.map((key, index) => [key, index] as const), [7, 7], [-3, 3]]);
    const revived: Table<number> = JSON.parse(JSON.stringify(table));
    expect(revived).toEqual(table);
    expect(entryOf(revived, '__proto__')).toBe(0);
    expect(entryOf(revived, 7)).toBe(7);
  });

  test('holds the number 1 and the string "1" apart', () => {
    const table = tableOf([
      [1, 10],
      ['1', 20],
    ]);
    expect([entryOf(table, 1), entryOf(table, '1')]).toEqual([10, 20]);
    expect(entryOf(emptyTable(), '__proto__')).toBeUndefined();
  });

  test('is the same table after a change that changes nothing', () => {
    const table = tableOf([['a', 1]]);
    expect(withEntry(table, 'a', 1)).toBe(table);
    expect(withoutEntry(table, 'b')).toBe(table);
  });

  test('spreads hashes, addresses, consecutive ids and random ones over the buckets', () => {
    const kinds: ((index: number) => Key)[] = [
      (index) => index,
      (index) => Math.imul(index + 1, 0x6c078965) >>> 0,
      (index) => `192.0.2.1:${40_000 + index}`,
      (index) => index.toString(16).padStart(64, '0'),
    ];
    for (const key of kinds) {
      const table = tableOf(Array.from({ length: 512 }, (_, index) => [key(index), index] as const));
      expect(Math.max(...table.buckets.map((bucket) => bucket.length)), `${key}`).toBeLessThan(8 * 4);
    }
  });
});
