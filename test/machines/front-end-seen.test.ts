/** What a person at the front end is asked and shown, and what the peer is asked for, along every way through it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { frontEndMachine } from '../../machines/front-end.machine.ts';
import type { FrontEndEvent } from '../../machines/front-end-setup.ts';
import { FRONT_END_EFFECTS } from './front-end-effects.ts';

const failure = { code: 'unexpected', message: 'disk full' } as const;
const address = { ip: '10.0.0.1', port: 1_194 };
const choose = (action: string, subject = '', cursor = 'item') => ({ type: 'action.chosen', action, subject, cursor });
const give = (text: string) => ({ type: 'text.given', text });
const dismissed = { type: 'prompt.cancelled', isExit: false };
const interrupt = { type: 'prompt.cancelled', isExit: true };
const listed = (...names: string[]) => ({ type: 'peers.listed', names });
const received = (notifications: number) => ({ type: 'messages.received', peer: 'alice', count: 2, notifications });
const synced = (peer: string) => ({ type: 'sync.finished', report: { peer } });

interface Heard {
  readonly type: string;
  readonly [field: string]: unknown;
}

class SeenFrontEnd {
  /** What was to be done outside: its name, and with what. */
  readonly done: [string, unknown][] = [];
  readonly actor;

  constructor({ drafts = {}, keepsDrafts = true }: { drafts?: Record<string, string>; keepsDrafts?: boolean } = {}) {
    const note = (name: string) => [name, (_: unknown, params: unknown) => void this.done.push([name, params])];
    const machine = frontEndMachine.provide({ actions: Object.fromEntries(FRONT_END_EFFECTS.map(note)) });
    this.actor = createActor(machine, { input: { id: 'me', drafts, keepsDrafts } }).start();
  }

  /** What these events cause. */
  after(...events: readonly Heard[]): [string, unknown][] {
    this.done.length = 0;
    for (const event of events) this.actor.send(event as FrontEndEvent);
    return [...this.done];
  }

  /** The screen that is shown last, and what is told on it. */
  get screen() {
    const shown = this.done.findLast(([name]) => name === 'showScreen')?.[1];
    return shown as { place: { kind: string; subject: string; cursor: string }; notice: unknown };
  }

  get state() {
    return this.actor.getSnapshot().value;
  }
}

let front: SeenFrontEnd;
beforeEach(() => {
  front = new SeenFrontEnd();
});

const timeline = (cursor = 'item') => ({ kind: 'timeline', subject: '', cursor });
/** Back on the timeline, told this. */
const told = (notice: unknown, cursor = 'item') => ['showScreen', { place: timeline(cursor), notice }];
const wish = (asked: object) => ['sendToPeer', { wish: asked }];

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

describe('changes that the peer is asked for', () => {
  const marked = (kind: string, isMarked: boolean) => {
    const mark = { kind, subject: 'alice', marked: isMarked };
    return [
      { type: 'mark.wanted', ...mark },
      { type: 'mark.changed', ...mark },
    ];
  };
  const answers = {
    follow: [
      { type: 'follow.wanted', name: 'alice', following: true },
      { type: 'follow.changed', name: 'alice', following: true },
    ],
    unfollow: [
      { type: 'follow.wanted', name: 'alice', following: false },
      { type: 'follow.changed', name: 'alice', following: false },
    ],
    block: [
      { type: 'block.wanted', name: 'alice', blocked: true },
      { type: 'block.changed', name: 'alice', blocked: true },
    ],
    unblock: [
      { type: 'block.wanted', name: 'alice', blocked: false },
      { type: 'block.changed', name: 'alice', blocked: false },
    ],
    mute: [
      { type: 'mute.wanted', name: 'alice', muted: true },
      { type: 'mute.changed', name: 'alice', muted: true },
    ],
    unmute: [
      { type: 'mute.wanted', name: 'alice', muted: false },
      { type: 'mute.changed', name: 'alice', muted: false },
    ],
    bookmark: marked('bookmark', true),
    unbookmark: marked('bookmark', false),
    'mute-conversation': marked('conversation', true),
    'unmute-conversation': marked('conversation', false),
  };

  test.each(Object.entries(answers))('%s is told once its own answer comes', (action, [asked, answer]) => {
    expect(front.after(choose(action, 'alice'))).toEqual([wish({ ...asked, ticket: 'me.1' })]);
    expect(front.after({ type: '', ...answer, ticket: 'other.1' })).toEqual([]);
    const own = { type: '', ...answer, ticket: 'me.1' };
    const download = action === 'follow' ? [wish({ type: 'sync.wanted', name: 'alice' })] : [];
    expect(front.after(own)).toEqual([...download, told(own)]);
  });

  test.each(Object.keys(answers))('%s that fails is told', (action) => {
    front.after(choose(action, 'alice'));
    expect(front.after({ type: 'wish.failed', failure, ticket: 'other.1' })).toEqual([]);
    expect(front.after({ type: 'wish.failed', failure, ticket: 'me.1' })).toEqual([told({ type: 'failure', failure })]);
  });

  test('are named one after the other', () => {
    front.after(choose('mute', 'alice'), { type: 'wish.failed', failure, ticket: 'me.1' });
    expect(front.after(choose('mark-read'))).toEqual([wish({ type: 'read.wanted', hashes: 'all', ticket: 'me.2' })]);
    const read = { type: 'messages.read', count: 3, ticket: 'me.2' };
    expect(front.after({ ...read, ticket: 'me.1' })).toEqual([]);
    expect(front.after(read)).toEqual([told(read)]);
  });

  test('include a message that the cursor came to, of which nothing is told', () => {
    expect(front.after({ type: 'message.seen', hash: '00' })).toEqual([
      wish({ type: 'read.wanted', hashes: ['00'], ticket: '' }),
    ]);
  });

  test('include a notification that the cursor came to, of which nothing is told', () => {
    expect(front.after({ type: 'notification.seen', hash: '00' })).toEqual([
      wish({ type: 'mark.wanted', kind: 'notice', subject: '00', marked: true, ticket: '' }),
    ]);
  });
});

describe('withdrawing', () => {
  test('asks first, and is told once it is done', () => {
    expect(front.after(choose('withdraw', '00'))).toEqual([['askWithdrawal', { subject: '00' }]]);
    expect(front.after({ type: 'withdrawal.answered', yes: true })).toEqual([
      wish({ type: 'withdrawal.wanted', hash: '00', ticket: 'me.1' }),
    ]);
    const withdrawn = { type: 'message.withdrawn', hash: '00', root: '01', ticket: 'me.1' };
    expect(front.after({ ...withdrawn, ticket: 'other.1' })).toEqual([]);
    expect(front.after(withdrawn)).toEqual([told(withdrawn)]);
  });

  test.each([
    [{ type: 'withdrawal.answered', yes: false }, undefined],
    [dismissed, undefined],
    [
      { type: 'work.failed', failure },
      { type: 'failure', failure },
    ],
  ])('is not done after %j', (answer, notice) => {
    front.after(choose('withdraw', '00'));
    expect(front.after(answer)).toEqual([told(notice)]);
  });
});

describe('a message that others are not to see yet', () => {
  const scheduled = { type: 'message.scheduled', id: 7, dueMs: 99, ticket: 'me.1' };

  test('is given to the peer with the time when it is due, and is no draft any more', () => {
    front.after(choose('post'));
    expect(front.after({ type: 'text.given', text: 'hello', dueMs: 99 })).toContainEqual(
      wish({ type: 'schedule.wanted', text: 'hello', inReplyTo: null, dueMs: 99, ticket: 'me.1' }),
    );
    expect(front.after({ ...scheduled, ticket: 'other.1' })).toEqual([]);
    expect(front.after(scheduled)).toEqual([['keepDrafts', { drafts: {} }], told(scheduled)]);
  });

  test('that is taken back is gone on with, before what was half-written meanwhile', () => {
    front.after(choose('post'), { type: 'text.changed', text: 'more' }, dismissed);
    expect(front.after(choose('take-back', '7'))).toEqual([wish({ type: 'unschedule.wanted', id: 7, ticket: 'me.1' })]);
    const takenBack = { type: 'message.unscheduled', id: 7, text: 'hello', inReplyTo: null, ticket: 'me.1' };
    expect(front.after({ ...takenBack, ticket: 'other.1' })).toEqual([]);
    const draft = 'hello\nmore';
    expect(front.after(takenBack)).toEqual([
      ['keepDrafts', { drafts: { '': draft } }],
      ['askText', { subject: '', draft }],
    ]);
  });

  test('that is a reply is gone on with as a reply', () => {
    front.after(choose('take-back', '7'));
    const takenBack = { type: 'message.unscheduled', id: 7, text: 'hello', inReplyTo: '00', ticket: 'me.1' };
    expect(front.after(takenBack)).toContainEqual(['askText', { subject: '00', draft: 'hello' }]);
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

describe('trusting a new key', () => {
  test('asks first, with the key that was shown, and is told once it is done', () => {
    expect(front.after(choose('trust', 'alice'))).toEqual([['askTrust', { subject: 'alice' }]]);
    expect(front.after({ type: 'trust.answered', yes: true, key: 'key' })).toEqual([
      wish({ type: 'trust.wanted', name: 'alice', key: 'key', ticket: 'me.1' }),
    ]);
    const accepted = { type: 'key.accepted', name: 'alice', key: 'key', ticket: 'me.1' };
    expect(front.after({ ...accepted, ticket: 'other.1' })).toEqual([]);
    expect(front.after(accepted)).toEqual([told(accepted)]);
  });

  test.each([
    [{ type: 'trust.answered', yes: false, key: 'key' }, undefined],
    [dismissed, undefined],
    [
      { type: 'work.failed', failure },
      { type: 'failure', failure },
    ],
  ])('is not done after %j', (answer, notice) => {
    front.after(choose('trust', 'alice'));
    expect(front.after(answer)).toEqual([told(notice)]);
  });
});

describe('writing', () => {
  const published = { type: 'message.published', hash: '01', root: '02', ticket: 'me.1' };

  test('keeps every change, publishes the text, and then keeps nothing', () => {
    expect(front.after(choose('post'))).toEqual([['askText', { subject: '', draft: '' }]]);
    expect(front.after({ type: 'text.changed', text: 'hel' })).toEqual([['keepDrafts', { drafts: { '': 'hel' } }]]);
    expect(front.after(give('hello'))).toEqual([
      ['keepDrafts', { drafts: { '': 'hello' } }],
      wish({ type: 'post.wanted', text: 'hello', inReplyTo: null, ticket: 'me.1' }),
    ]);
    expect(front.after({ ...published, ticket: 'other.1' })).toEqual([]);
    expect(front.after(published)).toEqual([['keepDrafts', { drafts: {} }], told(published, '01')]);
  });

  test('an answer goes on with its own draft', () => {
    front = new SeenFrontEnd({ drafts: { '': 'News', '00': 'I th' } });
    expect(front.after(choose('reply', '00'))).toEqual([['askText', { subject: '00', draft: 'I th' }]]);
    expect(front.after(give('I think')).at(-1)).toEqual(
      wish({ type: 'post.wanted', text: 'I think', inReplyTo: '00', ticket: 'me.1' }),
    );
    expect(front.after(published)[0]).toEqual(['keepDrafts', { drafts: { '': 'News' } }]);
  });

  test('a text that cannot be published stays a draft', () => {
    front.after(choose('post'), give('hello'));
    expect(front.after({ type: 'wish.failed', failure, ticket: 'other.1' })).toEqual([]);
    expect(front.after({ type: 'wish.failed', failure, ticket: 'me.1' })).toEqual([told({ type: 'failure', failure })]);
    expect(front.after(choose('post'))).toEqual([['askText', { subject: '', draft: 'hello' }]]);
  });

  test('what was published is where the cursor is, on the screens that have it', () => {
    const publish = (ticket: string) => [choose('post', '', 'item'), give('x'), { ...published, ticket }];
    front.after(choose('thread', '00'), ...publish('me.1'));
    expect(front.screen.place).toEqual({ kind: 'thread', subject: '00', cursor: '01' });
    front.after(choose('peers'), ...publish('me.2'));
    expect(front.screen.place).toEqual({ kind: 'peers', subject: '', cursor: 'item' });
  });

  test('nothing but spaces is no message, and no draft', () => {
    front.after(choose('post'), { type: 'text.changed', text: 'x' });
    expect(front.after(give('  '))).toEqual([['keepDrafts', { drafts: {} }], told(undefined)]);
  });

  test.each([true, false])('broken off is told, and whether the draft outlives the program: %j', (keepsDrafts) => {
    front = new SeenFrontEnd({ keepsDrafts });
    front.after(choose('post'), { type: 'text.changed', text: 'x' });
    expect(front.after(dismissed)).toEqual([told({ type: 'draft.kept', isLasting: keepsDrafts })]);
  });

  test('broken off before a word says nothing', () => {
    front.after(choose('post'));
    expect(front.after(dismissed)).toEqual([told(undefined)]);
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
