import { describe, expect, test } from 'vitest';
import { createPaint } from '../../../src/cli/output/output.ts';
import { eventLine, renderEvent, renderWarning } from '../../../src/cli/render/event.ts';
import { renderMessage } from '../../../src/cli/render/message.ts';
import { byteSize, columns, counted, duration, localDateTime } from '../../../src/cli/render/text.ts';
import type { Message } from '../../../src/feed/message.ts';
import type { PeerFact } from '../../../src/index.ts';
import { syncReport } from './support.ts';

const plain = createPaint(false);

const style = { names: ['bob', 'me'], ownName: 'me' };

const message: Message = {
  hash: 'ab'.repeat(32),
  author: 'bob',
  date: '2026-01-31T12:00:00.000Z',
  receivedAt: '2026-01-31T12:00:00.000Z',
  inReplyTo: null,
  body: 'hi',
  authenticated: true,
  read: false,
};

describe('a message', () => {
  test('of 300 line breaks takes a few lines, and says how many it has left out', () => {
    const text = renderMessage({ ...message, body: `above${'\n'.repeat(301)}below\n\n\n\nend` }, plain, style);
    expect(text.split('\n').slice(1)).toEqual([
      '    above',
      '    [300 blank lines]',
      '    below',
      '',
      '',
      '',
      '    end',
    ]);
    const spaced = renderMessage({ ...message, body: `above${'\n   '.repeat(301)}` }, plain, style);
    expect(spaced.split('\n').slice(1)).toEqual(['    above', '    [300 blank lines]', '']);
  });

  test('says what a reader should know before believing it', () => {
    const text = renderMessage({ ...message, authenticated: false, future: true }, plain, style);
    expect(text).toContain('[not authenticated]  [dated in the future]');
    expect(renderMessage(message, plain, style)).not.toContain('[');
    const undated = renderMessage({ ...message, date: null }, plain, style);
    expect(undated).toContain('[undated]');
    expect(undated).toContain(localDateTime(message.receivedAt));
  });

  test('says who is mentioned, and that it is oneself', () => {
    const bold = createPaint(true);
    expect(renderMessage({ ...message, body: 'ask @Bob' }, bold, style)).toContain('ask \u001B[1m@Bob\u001B[22m');
    const mention = { ...message, body: 'hello @me' };
    expect(renderMessage(mention, plain, style)).toContain('[mentions you]');
    expect(renderMessage({ ...mention, author: 'me' }, plain, style)).not.toContain('[');
  });

  test('names what it answers', () => {
    const inReplyTo = 'cd'.repeat(32);
    expect(renderMessage({ ...message, inReplyTo }, plain, style)).toContain('\n    ↳ in reply to cdcdcdcdcdcd\n');
    expect(renderMessage({ ...message, inReplyTo }, plain, { ...style, wholeHashes: true })).toContain(inReplyTo);
  });
});

describe('numbers', () => {
  test('with their nouns and units', () => {
    expect([0, 1, 1234].map((n) => counted(n, 'node'))).toEqual(['0 nodes', '1 node', '1,234 nodes']);
    expect([999, 1_200, 3_400_000].map(byteSize)).toEqual(['999 B', '1.2 kB', '3.4 MB']);
    expect([41.6, 1_300].map(duration)).toEqual(['42 ms', '1.3 s']);
  });
});

test('columns line up, whatever the script', () => {
  expect(
    columns([
      ['a', 'x'],
      ['日本', 'y'],
      ['été', 'z'],
    ]),
  ).toBe('a     x\n日本  y\nété   z');
  expect(columns([])).toBe('');
});

describe('events', () => {
  const address = { ip: '192.0.2.1', port: 80 };
  const evil = 'ev\u001b[31mi\nl';
  const failure = { code: 'peer-unreachable', message: 'no answer' } as const;
  const facts: readonly (readonly [PeerFact, string])[] = [
    [{ type: 'peer.listed', addresses: [address] }, 'the directory lists us at 192.0.2.1:80'],
    [{ type: 'root.published', root: 'ab'.repeat(32) }, 'published: the root is now abababababab'],
    [
      { type: 'session.opened', direction: 'incoming', name: evil, address, authenticated: false },
      'evi l at 192.0.2.1:80 opened a session with us [not authenticated]',
    ],
    [
      { type: 'session.opened', direction: 'outgoing', name: 'bob', address, authenticated: true },
      'we opened a session with bob at 192.0.2.1:80',
    ],
    [{ type: 'session.failed', name: evil, failure }, 'no session with evi l: no answer'],
    [{ type: 'session.failed', name: '', failure }, 'no session with the directory: no answer'],
    [{ type: 'session.failed', name: '', address, failure }, 'no session with 192.0.2.1:80: no answer'],
    [{ type: 'messages.received', peer: evil, messages: [], hashes: ['ab'.repeat(32)] }, '1 new message from evi l'],
    [{ type: 'sync.progressed', peer: 'bob', nodesFetched: 1, nodesWanted: 2 }, 'bob: 1 nodes fetched, 2 wanted'],
    [{ type: 'sync.finished', report: syncReport('bob') }, ''],
    [{ type: 'history.wentBack', name: 'bob', root: 'ab'.repeat(32) }, ''],
  ];

  test.for(facts)('%o for a person', ([fact, line]) => {
    expect(renderEvent(fact, plain)).toBe(line);
  });

  test('a failed sync says why', () => {
    const report = syncReport('bob', { status: 'failed', error: failure });
    expect(renderEvent({ type: 'sync.finished', report }, plain)).toMatch(/^bob: failed .*: no answer$/);
  });

  test('a report is spread out in JSON', () => {
    expect(eventLine({ type: 'sync.finished', report: syncReport('bob') }, 0)).toEqual({
      event: 'sync.finished',
      at: '1970-01-01T00:00:00.000Z',
      ...syncReport('bob'),
    });
  });

  test('what a person should know at once is a warning, the rest is not', () => {
    const warnings: readonly PeerFact[] = [
      { type: 'error.received', from: address, name: undefined, text: 'x' },
      { type: 'error.received', from: address, name: 'bob', text: 'x' },
      { type: 'key.changed', name: 'bob' },
      { type: 'history.wentBack', name: 'bob', root: 'ab'.repeat(32) },
      { type: 'peer.warning', message: 'x' },
      { type: 'socket.failed', why: 'x' },
      { type: 'directory.unreachable', failure: { code: 'directory-unreachable', message: 'x' }, retryInMs: 1 },
    ];
    expect(warnings.map(renderWarning)).not.toContain(undefined);
    expect(renderWarning({ type: 'peer.listed', addresses: [] })).toBeUndefined();
  });
});
