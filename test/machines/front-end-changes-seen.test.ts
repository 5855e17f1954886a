/** What the peer is asked to change for a person at the front end, and what is told of it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { choose, dismissed, failure, give, SeenFrontEnd, told, wish } from './seen-front-end.ts';

let front: SeenFrontEnd;
beforeEach(() => {
  front = new SeenFrontEnd();
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
