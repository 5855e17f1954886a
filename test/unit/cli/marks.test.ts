/** notifications, mentions, unread, bookmark, list, and what mute does besides muting peers. */
import { beforeEach, describe, expect, test } from 'vitest';
import { fetchTree, messageNode, NOON, treeOf } from '../store/support.ts';
import { inHome, initHome, type Run, run } from './support.ts';

let home: string;
beforeEach(async () => {
  home = await initHome('me');
});

const { withStore, json, human } = inHome(() => home);
const bodiesOf = ({ lines }: Run) => lines.map(({ body }) => body);
const has = (peer: string, ...nodes: ReturnType<typeof messageNode>[]) =>
  withStore((store) => fetchTree(store, peer, treeOf(nodes)));

describe('notifications and mentions', () => {
  beforeEach(async () => {
    const own = (await json('post', 'a question')).lines[0]?.hash;
    has(
      'bob',
      messageNode('an answer', NOON, own),
      messageNode('hello @me', NOON + 1),
      messageNode('nothing', NOON + 2),
    );
  });

  test('say why, and what is new', async () => {
    const { lines } = await json('notifications');
    expect(lines.map(({ body, kind, new: isNew }) => [body, kind, isNew])).toEqual([
      ['an answer', 'reply', true],
      ['hello @me', 'mention', true],
    ]);
    expect(bodiesOf(await json('mentions'))).toEqual(['hello @me']);
    expect(bodiesOf(await json('notifications', '--limit', '1'))).toEqual(['hello @me']);
  });

  test('keep a position of their own: what a person was shown here, and only that, is not new', async () => {
    expect((await human('timeline')).out).toContain('an answer');
    expect((await json('notifications', '--new')).lines).toHaveLength(2);
    expect((await human('mentions')).out).toMatch(/^• bob .*\[mentions you\]\n {4}hello @me\n$/);
    expect(bodiesOf(await json('notifications', '--new'))).toEqual(['an answer']);
    expect((await human('notifications')).out.split('\n')[0]).toMatch(/^• bob/);
    expect(await human('notifications', '--new')).toMatchObject({ out: '', err: 'There is nothing new.\n', code: 0 });
  });

  test('of none, it is said', async () => {
    home = await initHome('other');
    expect((await human('notifications')).err).toMatch(/^Nobody has replied to you or mentioned you yet/);
  });
});

test('unread shows the oldest first, marks them as read, and says how many are left', async () => {
  has('bob', ...[1, 2, 3].map((i) => messageNode(`message ${i}`, NOON + i)));
  await json('follow', 'bob', '--force');
  expect(bodiesOf(await json('unread'))).toEqual(['message 1', 'message 2', 'message 3']);
  const first = await human('unread', '--limit', '2');
  expect(first.out).toMatch(/message 1[\s\S]*message 2/);
  expect(first.err).toBe('1 more unread message: run "murmure unread" again for the next.\n');
  expect(bodiesOf(await json('unread'))).toEqual(['message 3']);
  await human('unread');
  expect(await human('unread')).toMatchObject({ out: '', err: 'You have read everything.\n', code: 0 });
});

describe('bookmarks', () => {
  test('are shown in the order in which they were made, until they are removed', async () => {
    const [first, second] = [messageNode('first'), messageNode('second', NOON + 1)];
    has('bob', first, second);
    expect((await json('bookmark', second.hash, first.hash.slice(0, 8))).lines).toEqual([
      { hash: second.hash, bookmarked: true },
      { hash: first.hash, bookmarked: true },
    ]);
    expect((await human('bookmark', first.hash)).out).toBe(`${first.hash.slice(0, 12)} is bookmarked already.\n`);
    expect(bodiesOf(await json('bookmarks'))).toEqual(['second', 'first']);
    await json('bookmark', '--remove', second.hash);
    expect(bodiesOf(await json('bookmarks'))).toEqual(['first']);
  });

  test('of messages that were withdrawn are not shown, which is said', async () => {
    const [first, second] = [messageNode('first'), messageNode('second', NOON + 1)];
    has('bob', first, second);
    await json('bookmark', first.hash);
    has('bob', second);
    expect(await human('bookmarks')).toMatchObject({
      out: '',
      err: '1 bookmarked message can no longer be shown: withdrawn since.\n',
    });
    expect((await human('bookmark', '--remove', first.hash)).code).toBe(0);
    expect((await human('bookmarks')).err).toMatch(/no bookmarks yet/);
  });
});

describe('mute', () => {
  test('hides a word, says how much is hidden, and shows it when asked, with why', async () => {
    has('bob', messageNode('Le FOOTBALL, toujours'), messageNode('rien', NOON + 1));
    expect((await json('mute', '--word', 'Football')).lines).toEqual([{ word: 'football', muted: true }]);
    expect(bodiesOf(await json('timeline'))).toEqual(['rien']);
    expect((await human('timeline')).err).toBe('1 muted message is not shown: --muted shows them.\n');
    expect((await json('timeline', '--muted')).lines[0]).toMatchObject({ mutedBy: 'word' });
    expect((await human('timeline', '--muted')).out).toContain('[muted: “football”]');
    expect(bodiesOf(await json('timeline', 'bob'))).toEqual(['rien']);
    // Whoever looks for something finds it.
    expect((await json('search', 'football')).lines).toMatchObject([{ mutedBy: 'word' }]);
    expect((await human('unmute', '--word', 'FOOTBALL')).out).toBe(
      'The timeline shows messages with “football” again.\n',
    );
    expect(await json('timeline')).toMatchObject({ lines: [{}, {}] });
  });

  test('hides a conversation, by any of its messages', async () => {
    const question = messageNode('question');
    const answer = messageNode('answer', NOON + 1, question.hash);
    has('bob', question, answer, messageNode('else', NOON + 2));
    expect((await json('mute', '--thread', answer.hash)).lines).toEqual([{ thread: question.hash, muted: true }]);
    expect(bodiesOf(await json('timeline'))).toEqual(['else']);
    expect((await json('unmute', '--thread', answer.hash)).lines).toEqual([{ thread: question.hash, muted: false }]);
    expect(bodiesOf(await json('timeline'))).toHaveLength(3);
    expect(await human('unmute', '--thread', answer.hash)).toMatchObject({ code: 2 });
  });

  test('until a date, after which all is heard again', async () => {
    has('bob', messageNode('rain'));
    const nowMs = () => Date.UTC(2026, 5, 1);
    const at = (time: () => number, ...argv: string[]) => run([...argv, '--home', home, '--json'], { nowMs: time });
    const until = '2026-06-02T00:00:00.000Z';
    const muted = await at(nowMs, 'mute', 'bob', '--word', 'snow', '--until', '2026-06-02');
    expect(muted.lines).toEqual([
      { peer: 'bob', muted: true, until },
      { word: 'snow', muted: true, until },
    ]);
    expect((await at(nowMs, 'timeline')).lines).toEqual([]);
    expect((await at(nowMs, 'mute')).lines).toEqual(muted.lines);
    const later = () => Date.UTC(2026, 5, 2);
    expect(bodiesOf(await at(later, 'timeline'))).toEqual(['rain']);
    expect((await at(later, 'mute')).lines).toEqual([]);
    expect(await at(later, 'mute', 'bob', '--until', '2026-06-02')).toMatchObject({ code: 2 });
  });

  test('without anything to mute lists what is, for a person as well', async () => {
    const question = messageNode('Is it raining?');
    has('bob', question);
    expect((await human('mute')).err).toBe('Nothing is muted.\n');
    await json('mute', 'bob', '--word', 'football', '--thread', question.hash);
    const listed = (await human('mute')).out.split('\n');
    expect(listed[0]).toMatch(/^peer +bob$/);
    expect(listed[1]).toMatch(/^word +football$/);
    expect(listed[2]).toMatch(/^conversation +[0-9a-f]{12} +Is it raining\?$/);
    expect(await human('unmute')).toMatchObject({ code: 2 });
  });
});

describe('lists', () => {
  beforeEach(() => {
    has('alice', messageNode('from alice'));
    has('bob', messageNode('from bob', NOON + 1));
    has('carol', messageNode('from carol', NOON + 2));
  });

  test('have members, and stand for them where peers are named', async () => {
    expect((await json('list', 'add', 'friends', 'bob', 'alice')).lines).toEqual([
      { list: 'friends', peers: ['alice', 'bob'] },
    ]);
    expect(bodiesOf(await json('timeline', '@friends'))).toEqual(['from alice', 'from bob']);
    expect(bodiesOf(await json('timeline', '@friends', 'carol', 'bob'))).toHaveLength(3);
    expect((await json('follow', '@friends')).lines.map(({ peer }) => peer)).toEqual(['alice', 'bob']);
    expect((await json('mute', '@friends')).lines.map(({ peer }) => peer)).toEqual(['alice', 'bob']);
    expect((await json('list', 'add', 'all', '@friends', 'carol')).lines).toEqual([
      { list: 'all', peers: ['alice', 'bob', 'carol'] },
    ]);
  });

  test('may have members that nothing was downloaded of yet: the messages of the others are shown', async () => {
    await json('list', 'add', 'friends', 'alice', 'dora', '--force');
    expect(bodiesOf(await json('timeline', '@friends'))).toEqual(['from alice']);
    await json('list', 'add', 'strangers', 'dora', '--force');
    expect((await json('timeline', '@strangers')).code).toBe(4);
  });

  test('are shown, and removed with their last member', async () => {
    await json('list', 'add', 'friends', 'bob', 'alice');
    expect((await human('list')).out).toBe('@friends  alice, bob\n');
    expect((await json('list', 'remove', '@friends', 'bob')).lines).toEqual([{ list: 'friends', peers: ['alice'] }]);
    expect((await json('list', 'remove', 'friends')).lines).toEqual([{ list: 'friends', peers: [] }]);
    expect((await human('list')).err).toMatch(/no lists yet/);
  });

  test('that nobody has made are unknown: 4, with the nearest name', async () => {
    await json('list', 'add', 'friends', 'bob');
    const { code, err } = await human('timeline', '@freinds');
    expect([code, err]).toEqual([4, expect.stringContaining('did you mean "friends"?')]);
    expect((await human('list', 'show', 'work')).code).toBe(4);
    expect((await human('list', 'add', 'a/b', 'bob')).code).toBe(2);
    expect((await human('list', 'add', 'friends', 'me')).code).toBe(2);
  });

  test('do not hide a peer that is called so', async () => {
    has('@home', messageNode('from @home', NOON + 3));
    expect(bodiesOf(await json('timeline', '@home'))).toEqual(['from @home']);
  });

  test('are completed', async () => {
    await json('list', 'add', 'friends', 'bob');
    const values = async (kind: string) => (await human('complete', kind)).out.split('\n');
    expect(await values('peer')).toContain('@friends');
    expect(await values('list')).toContain('friends');
  });
});
