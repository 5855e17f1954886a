/** block and unblock. */
import { beforeEach, expect, test } from 'vitest';
import { homeAt } from '../../../src/cli/home/home.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { fetchTree, messageNode, treeOf } from '../store/support.ts';
import { initHome, run } from './support.ts';

let home: string;
const loud = messageNode('loud words');
const json = (...argv: string[]) => run([...argv, '--home', home, '--json']);

beforeEach(async () => {
  home = await initHome('me');
  using store = openSqliteStore(homeAt(home).storeFile);
  fetchTree(store, 'bob', treeOf([loud]));
  fetchTree(store, 'carol', treeOf([messageNode('quiet words')]));
  store.setFollowing('bob', true, 1);
});

test('whoever is blocked is seen nowhere, is no longer followed, and can be unblocked', async () => {
  const { hash } = loud;
  const bodies = async (...argv: string[]) => (await json(...argv)).lines.map(({ body }) => body);
  expect((await json('block', 'bob')).lines).toEqual([{ peer: 'bob', blocked: true }]);
  expect(await bodies('timeline')).toEqual(['quiet words']);
  expect(await bodies('search', 'words')).toEqual(['quiet words']);
  for (const argv of [
    ['show', hash],
    ['thread', hash],
  ])
    expect((await json(...argv)).code, argv[0]).toBe(7);
  expect((await json('following')).lines).toEqual([]);
  expect((await json('unblock', 'bob')).lines).toEqual([{ peer: 'bob', blocked: false }]);
  expect(await bodies('timeline')).toEqual(['loud words', 'quiet words']);
  expect((await json('following')).lines).toEqual([]);
});

test.each(['timeline', 'follow'])('%s of somebody who is blocked says so: 2', async (command) => {
  await json('block', 'bob');
  const { code, err } = await json(command, 'bob');
  expect([code, err]).toEqual([2, expect.stringContaining('murmure unblock bob')]);
});

test('whoever is blocked leaves all lists, and is put on none: 2', async () => {
  await json('list', 'add', 'friends', 'bob', 'carol', '--force');
  await json('block', 'bob');
  expect((await json('list', 'show')).lines).toEqual([{ list: 'friends', peers: ['carol'] }]);
  expect((await json('timeline', '@friends')).lines.map(({ body }) => body)).toEqual(['quiet words']);
  expect((await json('list', 'add', 'friends', 'bob', '--force')).code).toBe(2);
});

test('a list can be blocked: all who are on it', async () => {
  await json('list', 'add', 'spam', 'bob', 'carol', '--force');
  expect((await json('block', '@spam')).lines.map(({ peer }) => peer)).toEqual(['bob', 'carol']);
  expect((await json('timeline')).lines).toEqual([]);
});

test('not oneself: 2; unblock not somebody nobody knows: 4', async () => {
  expect((await json('block', 'me')).code).toBe(2);
  expect((await json('unblock', 'nobody')).code).toBe(4);
});

test('a backup keeps who is blocked', async () => {
  await json('mute', 'bob', '--until', '2100-01-01');
  await json('block', 'bob');
  const file = `${home}.backup`;
  await json('key', 'export', file);
  const restored = `${home}-2`;
  expect((await run(['key', 'import', file, '--home', restored])).code).toBe(0);
  using store = openSqliteStore(homeAt(restored).storeFile);
  expect(store.peer('bob')).toMatchObject({ blocked: true, muted: true, mutedUntilMs: Date.UTC(2100, 0) });
});
