import { expect, test } from 'vitest';
import { hashOf } from '../../../src/wire/hash.ts';
import { DIRECTORY, delaysOf, describeReport, Ledger } from '../../support/delivery/ledger.ts';

const first = hashOf(Uint8Array.of(1));
const second = hashOf(Uint8Array.of(2));
const outage = { who: 'bob', why: 'sleeps', fromMs: 500, toMs: 5_000 };

test('a delay counts from the post, or from when author, follower and directory could be reached again', () => {
  const ledger = new Ledger();
  ledger.posted(first, 'alice', ['bob', 'carol'], 1_000);
  ledger.arrived(first, 'carol', 1_200);
  ledger.outage(outage);
  ledger.outage({ who: 'dora', why: 'restarts', fromMs: 0, toMs: 5_500 });
  ledger.arrived(first, 'bob', 6_000);
  ledger.outage({ who: DIRECTORY, why: 'directory restarts', fromMs: 6_500, toMs: 7_000 });
  ledger.posted(second, 'alice', ['carol'], 8_000);
  ledger.arrived(second, 'carol', 8_300);
  expect(ledger.report(1, 9_000).delivered).toMatchObject([
    { follower: 'carol', delayMs: 200, after: 'no trouble' },
    { follower: 'bob', delayMs: 1_000, after: 'sleeps' },
    { follower: 'carol', delayMs: 300, after: 'directory restarts' },
  ]);
});

test('what came twice counts once, and what never came is missing', () => {
  const ledger = new Ledger();
  ledger.posted(first, 'alice', ['bob', 'carol'], 1_000);
  ledger.arrived(first, 'carol', 1_200);
  ledger.arrived(first, 'carol', 1_400);
  ledger.outage(outage);
  const report = ledger.report(7, 9_000);
  expect(report.delivered).toHaveLength(1);
  expect(report.missing).toEqual([{ author: 'alice', follower: 'bob', postedAtMs: 1_000, after: 'sleeps' }]);
  expect(describeReport(report)).toContain('seed 7: 1 posts, 1 deliveries missing');
});

test('median, 95 % and maximum are those of the sorted delays', () => {
  const ledger = new Ledger();
  const followers = Array.from({ length: 100 }, (_, i) => `follower ${i}`);
  ledger.posted(first, 'alice', followers, 0);
  for (const [index, follower] of followers.entries()) ledger.arrived(first, follower, index + 1);
  expect(delaysOf(ledger.report(1, 200).delivered).all).toEqual({ count: 100, median: 50, p95: 95, maximum: 100 });
});

test('a trouble that comes later excuses nobody: the longest time in which all could be reached counts', () => {
  const ledger = new Ledger();
  ledger.posted(first, 'alice', ['bob'], 1_000);
  ledger.outage({ who: 'alice', why: 'moves', fromMs: 31_000, toMs: 32_000 });
  ledger.outage({ who: 'bob', why: 'sleeps', fromMs: 20_000, toMs: 50_000 });
  ledger.arrived(first, 'bob', 51_000);
  expect(ledger.report(1, 60_000).delivered).toMatchObject([{ delayMs: 19_000, after: 'no trouble' }]);
});
