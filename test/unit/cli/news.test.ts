/** What `serve` and the front end's log do not say again and again. */
import { describe, expect, test } from 'vitest';
import { News } from '../../../src/cli/render/news.ts';
import type { PeerFact } from '../../../src/index.ts';
import { syncReport } from './support.ts';

const address = { ip: '192.0.2.1', port: 1 };
const failed = (message: string, name = 'alice'): PeerFact => ({
  type: 'session.failed',
  name,
  address,
  failure: { code: 'peer-unreachable', message },
});
const synced = (message?: string): PeerFact => ({
  type: 'sync.finished',
  report: { ...syncReport('alice'), ...(message && { error: { code: 'peer-unreachable', message } }) },
});
const opened: PeerFact = { type: 'session.opened', direction: 'outgoing', name: 'alice', address, authenticated: true };

/** Which of them a person is told. */
const toldOf = (...facts: PeerFact[]) => {
  const news = new News();
  return facts.map((fact) => news.isNews(fact));
};

describe('a session that fails', () => {
  test('is told once, and again when it fails in another way', () => {
    expect(toldOf(failed('silence'), failed('silence'), failed('no way'), failed('silence'))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  test('is told again once there was one', () => {
    expect(toldOf(failed('silence'), opened, failed('silence'))).toEqual([true, true, true]);
  });

  test('with somebody else is other news; those without a name are told apart by address', () => {
    expect(toldOf(failed('silence'), failed('silence', 'bob'), failed('silence', ''), failed('silence', ''))).toEqual([
      ...[true, true, true, false],
    ]);
  });

  test('is not told again as the failure of the download that waited for it', () => {
    expect(toldOf(synced('silence'), failed('silence'), synced('silence'), synced(), synced('silence'))).toEqual([
      ...[true, false, false, true, true],
    ]);
  });
});

test('a changed key is told once, whatever fails because of it, until it is accepted', () => {
  const changed: PeerFact = { type: 'key.changed', name: 'alice' };
  const accepted: PeerFact = { type: 'trust.changed', name: 'alice' };
  expect(toldOf(changed, failed('another key'), changed, accepted, changed)).toEqual([true, true, false, true, true]);
});

test('everything else is news each time', () => {
  const published: PeerFact = { type: 'root.published', root: 'ab'.repeat(32) };
  expect(toldOf(published, published)).toEqual([true, true]);
});

test('of thousands of names, the latest are remembered', () => {
  const news = new News();
  for (let i = 0; i < 3_000; i++) news.isNews(failed('silence', `peer ${i}`));
  expect(news.isNews(failed('silence', 'peer 2999'))).toBe(false);
  expect(news.isNews(failed('silence', 'peer 0'))).toBe(true);
});
