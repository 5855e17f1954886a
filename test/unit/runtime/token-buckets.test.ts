import { describe, expect, test } from 'vitest';
import { MAX_BUCKETS, sourceOf, TokenBuckets } from '../../../src/runtime/token-buckets.ts';

const T0 = 1_800_000_000_000;
const SOURCE = '192.0.2.1';
const limit = { perSecond: 10, burst: 3 };

describe('token buckets', () => {
  test('let a burst through, then say how long to wait', () => {
    const buckets = new TokenBuckets(limit);
    expect([1, 2, 3, 4, 5].map(() => buckets.take(SOURCE, T0))).toEqual([0, 0, 0, 0.1, 0.1]);
    expect(buckets.take(SOURCE, T0 + 40)).toBeCloseTo(0.06);
  });

  test('let through what is within the rate, for ever', () => {
    const buckets = new TokenBuckets(limit);
    for (let i = 0; i < 1_000; i++) expect(buckets.take(SOURCE, T0 + i * 100)).toBe(0);
  });

  test('let through no more than burst and rate, however the requests are spread', () => {
    const buckets = new TokenBuckets(limit);
    let taken = 0;
    for (let ms = 0; ms < 10_000; ms++) if (buckets.take(SOURCE, T0 + ms) === 0) taken += 1;
    expect(taken).toBe(3 + 99);
  });

  test('refill up to the burst, and no further', () => {
    const buckets = new TokenBuckets(limit);
    for (let i = 0; i < 3; i++) buckets.take(SOURCE, T0);
    const later = T0 + 3_600_000;
    expect([1, 2, 3, 4].map(() => buckets.take(SOURCE, later))).toEqual([0, 0, 0, 0.1]);
  });

  test('a refused request costs nothing', () => {
    const buckets = new TokenBuckets(limit);
    for (let i = 0; i < 100; i++) buckets.take(SOURCE, T0);
    expect(buckets.take(SOURCE, T0 + 100)).toBe(0);
  });

  test('are one per source', () => {
    const buckets = new TokenBuckets(limit);
    for (let i = 0; i < 4; i++) buckets.take(SOURCE, T0);
    expect(buckets.take(SOURCE, T0)).toBeGreaterThan(0);
    expect(buckets.take('192.0.2.2', T0)).toBe(0);
  });

  test('a clock that is set back neither fills nor empties them', () => {
    const buckets = new TokenBuckets(limit);
    buckets.take(SOURCE, T0);
    expect([1, 2, 3].map(() => buckets.take(SOURCE, T0 - 3_600_000))).toEqual([0, 0, 0.1]);
    expect(buckets.take(SOURCE, T0 - 3_600_000 + 100)).toBe(0);
  });

  test('are bounded in number: the source that asked least recently is forgotten first', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 });
    buckets.take('idle', T0);
    buckets.take('busy', T0);
    for (let i = 0; i < MAX_BUCKETS - 2; i++) buckets.take(`flood ${i}`, T0);
    expect(buckets.take('busy', T0)).toBe(1);
    buckets.take('one more', T0);
    expect(buckets.take('busy', T0)).toBe(1);
    expect(buckets.take('idle', T0)).toBe(0);
  });
});

describe('the source of a request', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:db8::2:3:4:5:6', '2001:db8:0:2'],
    ['::2:3:4:5:6:7', '0:0:2:3'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s is %s: an IPv6 network of 64 bits is one', (ip, source) => {
    expect(sourceOf(ip)).toBe(source);
  });
});
