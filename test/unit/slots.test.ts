/** Children that are used again. */
import { expect, test } from 'vitest';
import { areAllFree, busySlots, giveBack, noSlots, takeSlot } from '../../machines/slots.ts';

test('a slot that was given back is taken before a new one is made', () => {
  const first = takeSlot(noSlots);
  const second = takeSlot(first.slots);
  expect([first.slot, first.isNew, second.slot, second.isNew]).toEqual([0, true, 1, true]);
  const again = takeSlot(giveBack(second.slots, 0));
  expect([again.slot, again.isNew]).toEqual([0, false]);
  expect(takeSlot(again.slots)).toMatchObject({ slot: 2, isNew: true });
});

test('it is known which are busy', () => {
  const { slots } = takeSlot(takeSlot(noSlots).slots);
  expect([busySlots(noSlots), areAllFree(noSlots)]).toEqual([[], true]);
  expect([busySlots(slots), areAllFree(slots)]).toEqual([[0, 1], false]);
  const one = giveBack(slots, 0);
  expect([busySlots(one), areAllFree(one)]).toEqual([[1], false]);
  expect(areAllFree(giveBack(one, 1))).toBe(true);
});
