/** Protocol §4, §6, §11: ids of requests, and the pauses between their sends. */
import { expect, test } from 'vitest';
import { backedOff, drawId, withJitter } from '../../machines/retransmission.ts';

const drawing = (...numbers: number[]) => ({
  uint32: () => numbers.shift() as number,
  fraction: () => 0,
});

test('an id is never 0, and ends in a zero byte where that is needed', () => {
  expect(drawId(drawing(0, 0xffffffff), false)).toBe(0xffffffff);
  expect(drawId(drawing(0xffffffff), true)).toBe(0xffffff00);
  expect(drawId(drawing(0x12, 0x80000034), true)).toBe(0x80000000);
});

test('timeouts are spread by a tenth either way', () => {
  expect([0, 2 ** 31, 2 ** 32 - 1].map((id) => withJitter(1_000, id))).toEqual([900, 1_000, 1_100]);
});

test('timeouts double up to sixteen seconds, and what was waited adds up', () => {
  const sends = [{ sends: 1, timeoutMs: 2_000, waitedMs: 0 }];
  for (let i = 0; i < 4; i++) sends.push(backedOff(sends.at(-1) as (typeof sends)[number]));
  expect(sends.map(({ timeoutMs }) => timeoutMs)).toEqual([2_000, 4_000, 8_000, 16_000, 16_000]);
  expect(sends.at(-1)).toMatchObject({ sends: 5, waitedMs: 30_000 });
});
