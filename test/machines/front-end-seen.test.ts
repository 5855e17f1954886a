/** What a person at the front end is asked and shown, along every way through it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { choose, dismissed, failure, give, SeenFrontEnd, timeline, told, wish } from './seen-front-end.ts';

const address = { ip: '10.0.0.1', port: 1_194 };
const interrupt = { type: 'prompt.cancelled', isExit: true };
const listed = (...names: string[]) => ({ type: 'peers.listed', names });
const received = (notifications: number) => ({ type: 'messages.received', peer: 'alice', count: 2, notifications });
const synced = (peer: string) => ({ type: 'sync.finished', report: { peer } });

let front: SeenFrontEnd;
beforeEach(() => {
  front = new SeenFrontEnd();
});

describe('screens', () => {
  test('begin with the timeline, and lead on to others and back', () => {
    expect(front.done).toEqual([told(undefined, '')]);
    const thread = { kind: 'thread', subject: '00', cursor: '' };
    expect(front.after(choose('thread', '00', '00'))).toEqual([['showScreen', { place: thread, notice: undefined }]]);
    expect(front.after(choose('back'))).toEqual([told(undefined, '00')]);
    expect(front.after(choose('back'))).toEqual([told(undefined, '00')]);
  });

  test('forget with the next key what was told before', () => {
    front.after(choose('search'), give('  '), choose('addresses', 'alice'), { type: 'work.failed', failure });
    expect(front.screen.notice).toEqual({ type: 'failure', failure });
    front.after(choose('help'));
    expect(front.screen.notice).toBeUndefined();
    front.after(choose('addresses', 'alice'), { type: 'work.failed', failure }, choose('back'));
    expect(front.screen.notice).toBeUndefined();
    front.after(choose('addresses', 'alice'), { type: 'work.failed', failure }, choose('post'), dismissed);
    expect(front.screen.notice).toBeUndefined();
  });

  test('are brought up to date when messages arrive, and only replies and mentions ring', () => {
    expect(front.after(received(0))).toEqual([['refresh', { notice: undefined }]]);
    expect(front.after(received(2))).toEqual([
      ['refresh', { notice: undefined }],
      ['ring', { notifications: 2 }],
    ]);
  });

  test('that are about a peer ask for one if none is at hand', () => {
    expect(front.after(choose('tree'))).toEqual([['listPeers', { action: 'tree' }]]);
    expect(front.after(listed('alice', 'bob'))).toEqual([['askPeer', { action: 'tree', names: ['alice', 'bob'] }]]);
    front.after({ type: 'peer.chosen', name: 'bob' });
    expect(front.screen.place).toEqual({ kind: 'tree', subject: 'bob', cursor: '' });
    front.after(choose('back'));
    expect(front.screen.place).toEqual(timeline());
  });
});

test('the way back leads to the timeline, however far one went', () => {
  front.after(...Array.from({ length: 100 }, (_, i) => choose('peer', `peer ${i}`)));
  const back: string[] = [];
  while (front.screen.place.kind !== 'timeline') {
    back.push(front.screen.place.subject);
    front.after(choose('back'));
  }
  expect(back).toEqual(Array.from({ length: 33 }, (_, i) => `peer ${99 - i}`));
});

describe('what a peer is needed for', () => {
  test.each(['follow', 'unfollow', 'mute', 'unmute', 'sync', 'root', 'addresses', 'peer', 'messages', 'tree'])(
    '%s asks for one',
    (action) => {
      expect(front.after(choose(action))).toEqual([['listPeers', { action }]]);
    },
  );

  test('is not done if there is nobody, or nobody can be listed, or nobody is chosen', () => {
    expect(front.after(choose('follow'), listed()).at(-1)).toEqual(told({ type: 'nobody.found', action: 'follow' }));
    expect(front.after(choose('follow'), { type: 'work.failed', failure }).at(-1)).toEqual(
      told({ type: 'failure', failure }),
    );
    expect(front.after(choose('follow'), listed('alice'), dismissed).at(-1)).toEqual(told(undefined));
  });

  test('is done with whoever is chosen', () => {
    front.after(choose('mute'), listed('alice', 'bob'));
    expect(front.after({ type: 'peer.chosen', name: 'bob' })).toEqual([
      wish({ type: 'mute.wanted', name: 'bob', muted: true, ticket: 'me.1' }),
    ]);
  });
});

describe('a line', () => {
  test('to search for leads to what is found', () => {
    expect(front.after(choose('search'))).toEqual([['askLine', { action: 'search' }]]);
    front.after(give(' cats '));
    expect(front.screen).toEqual({ place: { kind: 'found', subject: 'cats', cursor: '' }, notice: undefined });
    front.after(choose('back'));
    expect(front.screen.place).toEqual(timeline());
  });

  test('that is an address is said Hello to, and the answer from there is told', () => {
    expect(front.after(choose('hello'))).toEqual([['askLine', { action: 'hello' }]]);
    expect(front.after(give(' 10.0.0.1:1194 '))).toEqual([
      wish({ type: 'hello.wanted', address }),
      told({ type: 'hello.sent', address }),
    ]);
    const opened = { type: 'session.opened', direction: 'outgoing', name: 'bob', address };
    expect(front.after({ ...opened, direction: 'incoming' })).toEqual([]);
    expect(front.after({ ...opened, address: { ...address, port: 2 } })).toEqual([]);
    expect(front.after(opened)).toEqual([['refresh', { notice: { type: 'hello.answered', address, name: 'bob' } }]]);
    expect(front.after(opened)).toEqual([]);
  });

  test('that is no address is refused, with the reason', () => {
    front.after(choose('hello'));
    front.after(give('somewhere'));
    expect(front.screen.notice).toEqual({
      type: 'failure',
      failure: { code: 'usage', message: expect.stringContaining('192.0.2.1:8080') },
    });
    expect(front.done.map(([name]) => name)).toEqual(['showScreen']);
  });

  test.each([
    [true, 'muted'],
    [false, 'shown again'],
  ])('with a word asks the peer for what is to become of it: %s', (muted) => {
    expect(front.after(choose('mute-word'))).toEqual([['askLine', { action: 'mute-word' }]]);
    const mark = { kind: 'word', subject: 'football', marked: muted };
    expect(front.after({ type: 'word.given', word: 'football', muted })).toEqual([
      wish({ type: 'mark.wanted', ...mark, ticket: 'me.1' }),
    ]);
    const answer = { type: 'mark.changed', ...mark, ticket: 'me.1' };
    expect(front.after(answer)).toEqual([told(answer)]);
  });

  test.each([give(' '), dismissed])('that is empty, or not given, changes nothing: %j', (answer) => {
    front.after(choose('search'));
    expect(front.after(answer)).toEqual([told(undefined)]);
  });
});

describe('a web address in a message', () => {
  test('is opened once the person says so', () => {
    expect(front.after(choose('open-link', '00'))).toEqual([['askLink', { subject: '00' }]]);
    const notice = { type: 'link.opened', href: 'https://example.org/' };
    expect(front.after({ type: 'work.done', notice })).toEqual([told(notice)]);
  });

  test.each([
    [dismissed, undefined],
    [
      { type: 'work.failed', failure },
      { type: 'failure', failure },
    ],
  ])('is not opened after %j', (answer, notice) => {
    front.after(choose('open-link', '00'));
    expect(front.after(answer)).toEqual([told(notice)]);
  });
});

describe('downloads', () => {
  test.each(['sync', 'root'])('that were asked for with %s are told when they begin and when they end', (action) => {
    expect(front.after(choose(action, 'alice'))).toEqual([
      wish({ type: 'sync.wanted', name: 'alice' }),
      told({ type: 'syncs.begun', names: ['alice'] }),
    ]);
    expect(front.after(synced('bob'))).toEqual([]);
    const report = { peer: 'alice' };
    expect(front.after(synced('alice'))).toEqual([
      ['refresh', { notice: { type: 'sync.finished', about: action, report } }],
    ]);
    expect(front.after(synced('alice'))).toEqual([]);
  });

  test('from everybody begin with the list, and only failures are told', () => {
    expect(front.after(choose('sync-all'))).toEqual([['listPeers', { action: 'sync-all' }]]);
    expect(front.after(listed('alice', 'bob'))).toEqual([
      wish({ type: 'sync.wanted', name: 'alice' }),
      wish({ type: 'sync.wanted', name: 'bob' }),
      told({ type: 'syncs.begun', names: ['alice', 'bob'] }),
    ]);
    expect(front.after(synced('alice'))).toEqual([
      ['refresh', { notice: { type: 'syncs.begun', names: ['alice', 'bob'] } }],
    ]);
    const report = { peer: 'bob', error: failure };
    expect(front.after({ type: 'sync.finished', report })).toEqual([
      ['refresh', { notice: { type: 'sync.finished', about: 'follow', report } }],
    ]);
  });

  test('that are asked for again are told as they were asked for last', () => {
    front.after(choose('sync', 'alice'), choose('root', 'alice'));
    expect(front.after(synced('alice'))).toMatchObject([['refresh', { notice: { about: 'root' } }]]);
    expect(front.after(synced('alice'))).toEqual([]);
  });
});

test('of more than a thousand downloads, nothing is told of the first ones', () => {
  const names = Array.from({ length: 1_001 }, (_, i) => `peer${i}`);
  front.after(choose('sync-all'), listed(...names));
  const failed = (peer: string) => ({ type: 'sync.finished', report: { peer, error: failure } });
  expect(front.after(failed('peer0'))).toEqual([]);
  expect(front.after(failed('peer1'))).toHaveLength(1);
});

test.each(['toggle-dates', 'edit-settings'])('%s is done here, and told', (action) => {
  expect(front.after(choose(action))).toEqual([['act', { action, subject: '' }]]);
  expect(front.after({ type: 'work.done', notice: { type: 'settings.edited' } })).toEqual([
    told({ type: 'settings.edited' }),
  ]);
  front.after(choose(action));
  expect(front.after({ type: 'work.failed', failure })).toEqual([told({ type: 'failure', failure })]);
});

describe('leaving', () => {
  test('is done at once with the key for it', () => {
    expect(front.after(choose('quit'))).toEqual([]);
    expect(front.state).toBe('left');
  });

  test('asks first after Ctrl-C, and where drafts would be lost', () => {
    expect(front.after(interrupt)).toEqual([['askQuit', { lostDrafts: 0 }]]);
    front = new SeenFrontEnd({ drafts: { '': 'hello', '00': 'I' }, keepsDrafts: false });
    expect(front.after(choose('quit'))).toEqual([['askQuit', { lostDrafts: 2 }]]);
  });

  test.each([
    [interrupt, 'left'],
    [{ type: 'quit.answered', yes: true }, 'left'],
    [{ type: 'quit.answered', yes: false }, 'viewing'],
    [dismissed, 'viewing'],
  ])('once asked: %j', (answer, state) => {
    front.after(interrupt);
    expect(front.after(answer)).toEqual(state === 'viewing' ? [told(undefined, '')] : []);
    expect(front.state).toBe(state);
  });
});
