/** post --delay, and withdraw --last. */
import { beforeEach, describe, expect, test } from 'vitest';
import { homeAt } from '../../../src/cli/home/home.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { answers, initHome, run } from './support.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
let home: string;
beforeEach(async () => {
  home = await initHome('me');
});

const json = (...argv: string[]) => run([...argv, '--home', home, '--json'], { nowMs: () => NOW });
const human = (...argv: string[]) => run([...argv, '--home', home], { nowMs: () => NOW });

function waiting() {
  using store = openSqliteStore(homeAt(home).storeFile);
  return store.scheduled();
}

describe('a message with a delay', () => {
  test('is stored at once, and not published', async () => {
    const { code, lines } = await json('post', 'not yet', '--delay', '30s');
    expect([code, lines]).toEqual([0, [{ scheduled: '2026-01-31T12:00:30.000Z', id: 1 }]]);
    expect((await json('timeline')).lines).toEqual([]);
    expect(waiting()).toEqual([{ id: 1, body: 'not yet', inReplyTo: null, dueMs: NOW + 30_000 }]);
  });

  test.each([
    ['90', 90_000],
    ['5m', 300_000],
    ['2 h', 7_200_000],
    ['1D', 86_400_000],
  ])('of %s waits so long', async (delay, ms) => {
    await json('post', 'not yet', '--delay', delay);
    expect(waiting()[0]?.dueMs).toBe(NOW + ms);
  });

  test.each(['', '0s', 'soon', '-5s', '1.5h', '2y', '400d'])(
    'of "%s" is refused, and nothing is stored',
    async (delay) => {
      expect((await json('post', 'not yet', `--delay=${delay}`)).code).toBe(2);
      expect(waiting()).toEqual([]);
    },
  );

  test('that is too long to be published is refused at once', async () => {
    expect((await json('post', 'x'.repeat(986), '--delay', '30s')).code).toBe(2);
  });

  test('says to a person when it will be seen, and how to undo that', async () => {
    const { out, err } = await human('post', 'not yet', '--delay', '30s');
    expect(out).toMatch(/^To be published at \d\d:\d\d:30: “not yet”\.\n$/);
    expect(err).toContain('withdraw --last');
    expect(err).toContain('No peer is running');
  });
});

describe('withdraw --last', () => {
  test('gives back what nobody has seen, the newest first, and then withdraws what was published', async () => {
    const [published] = (await json('post', 'seen')).lines;
    await json('post', 'first', '--delay', '30s');
    await json('post', 'second', '--delay', '10s', '--reply-to', published?.hash);
    const undone = { id: 2, body: 'second', inReplyTo: published?.hash };
    expect((await json('withdraw', '--last')).lines).toEqual([undone]);
    expect((await human('withdraw', '--last')).out).toBe('first\n');
    expect((await json('timeline')).lines).toHaveLength(1);
    expect((await json('withdraw', '--last')).lines[0]).toMatchObject({ hash: published?.hash });
    expect((await json('timeline')).lines).toEqual([]);
  });

  test('asks before it withdraws what others may have seen', async () => {
    await json('post', 'seen');
    const prompts = answers('no');
    await run(['withdraw', '--last', '--home', home], { prompts });
    expect(prompts.asked[0]).toContain('Withdraw “seen”?');
    expect((await json('timeline')).lines).toHaveLength(1);
  });

  test('with nothing to withdraw, with a hash besides, or without either: 2', async () => {
    expect((await human('withdraw', '--last')).err).toContain('you have not published a message');
    for (const argv of [['--last', '3f9a2c'], []]) expect((await human('withdraw', ...argv)).code).toBe(2);
  });
});

test('a number is never given twice', async () => {
  const id = async () => (await json('post', 'not yet', '--delay', '30s')).lines[0]?.id;
  expect(await id()).toBe(1);
  await json('withdraw', '--last');
  expect(await id()).toBe(2);
});
