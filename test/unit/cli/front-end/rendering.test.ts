/** What the screens of the front end are made of. */
import { stripVTControlCharacters, styleText } from 'node:util';
import * as fc from 'fast-check';
import width from 'fast-string-width';
import { describe, expect, test } from 'vitest';
import { isUtf8, toAscii } from '../../../../src/cli/render/ascii.ts';
import { authorColour } from '../../../../src/cli/render/author-colour.ts';
import { messageItem } from '../../../../src/cli/render/message-item.ts';
import { relativeTime } from '../../../../src/cli/render/relative-time.ts';
import { renderStatusLine } from '../../../../src/cli/render/status-line.ts';
import { arrangeThreads } from '../../../../src/cli/render/threads.ts';
import { truncate, wrapText } from '../../../../src/cli/render/wrap.ts';
import { mentionsIn } from '../../../../src/feed/mentions.ts';
import { toMessage } from '../../../../src/feed/message.ts';
import type { Hash } from '../../../../src/wire/hash.ts';

const ALWAYS = { validateStream: false };
const paint = (_format: unknown, text: string) => text;
const anyText = fc.string({ unit: 'grapheme', maxLength: 300 });
const anyWidth = fc.integer({ min: 12, max: 120 });
const nowMs = new Date(2024, 10, 20, 12, 0).getTime();

const item = (
  body: string,
  {
    inReplyTo = null,
    date = 1,
    ...options
  }: { inReplyTo?: string | null; date?: number; [option: string]: unknown } = {},
) =>
  messageItem(
    toMessage(
      {
        hash: 'aa' as Hash,
        author: 'alice',
        date,
        inReplyTo: inReplyTo as Hash | null,
        body,
        receivedAtMs: nowMs,
        authenticated: true,
        read: false,
      },
      nowMs,
    ),
    {
      paint,
      nowMs,
      depth: 0,
      ownName: 'bob',
      names: ['bob', 'alice'],
      exactDate: false,
      keyChanged: false,
      doubts: {},
      ...options,
    },
  );

describe('a message', () => {
  test('says whom it answers where that does not stand above it', () => {
    const [head] = item('Yes.', { inReplyTo: 'bb', answered: 'carol' }).lines(80);
    expect(head).toContain('alice ');
    expect(head).toContain('↳ to carol');
    expect(item('Yes.', { inReplyTo: 'bb' }).lines(80)[0]).toContain('↳ to somebody');
    expect(item('Yes.', { inReplyTo: 'bb', depth: 1 }).lines(80)[0]).not.toContain('↳ to');
  });

  test('no line is wider than the terminal, whatever the text, the depth and the width', () => {
    fc.assert(
      fc.property(anyText, anyWidth, fc.nat(50), (body, columns, depth) => {
        for (const line of item(body, { depth }).lines(columns)) expect(width(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  test('what goes on below is indented, and the first line is not the shorter for it', () => {
    expect(wrapText('key  what it does in a few words', 20, 5)).toEqual(['key  what it does in', '     a few words']);
  });

  test('nothing of the text is lost by wrapping', () => {
    fc.assert(
      fc.property(fc.lorem({ maxCount: 40 }), anyWidth, (text, columns) => {
        expect(wrapText(text, columns).join(' ').split(/\s+/).join('')).toBe(text.split(/\s+/).join(''));
      }),
    );
  });

  test('a long one is cut where the list would be nothing else', () => {
    const lines = item(Array.from({ length: 20 }, (_, index) => `line ${index}`).join('\n'), { maxLines: 6 }).lines(40);
    expect(lines).toHaveLength(7);
    expect(lines.at(-1)).toContain('… 15 more lines');
  });

  test('what should be known before believing it is said', () => {
    expect(item('x', { keyChanged: true }).lines(60)[0]).toContain('[key changed]');
    expect(item('x').lines(60)[0]).toMatch(/^• alice 1 Jan 2022/);
  });

  test('without a date has the time of its arrival, and is marked', () => {
    expect(item('x', { date: 0x32303233 }).lines(60)[0]).toBe('• alice now [undated]');
    expect(item('x', { date: 0x32303233, exactDate: true }).lines(60)[0]).toBe('• alice 2024-11-20 12:00 [undated]');
  });
});

test('the time is told in as few letters as it takes', () => {
  const ago = (ms: number) => relativeTime(nowMs - ms, nowMs);
  const minute = 60_000;
  const hour = 60 * minute;
  expect([ago(0), ago(3 * minute), ago(2 * hour), ago(22 * hour), ago(100 * hour), ago(30 * 24 * hour)]).toEqual([
    'now',
    '3 min',
    '2 h',
    'yesterday 14:00',
    'Sat 08:00',
    '21 Oct',
  ]);
  expect(relativeTime(new Date(2022, 0, 5).getTime(), nowMs)).toBe('5 Jan 2022');
  expect(ago(-2 * hour)).toBe('20 Nov 2024 14:00');
});

test('an author has the same colour always, and neither that of a warning', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(authorColour(name)).toEqual(authorColour(name));
      expect(['red', 'yellow', 'white', 'black']).not.toContain(authorColour(name));
    }),
  );
});

describe('mentions', () => {
  const found = (text: string) => mentionsIn(text, ['bob', 'Bob Smith', 'Zoé']).map(({ name }) => name);
  test('are those of known names, the longest that fits, in any letter case', () => {
    expect(found('hi @bob, @Bob Smith and @zoé!')).toEqual(['bob', 'Bob Smith', 'Zoé']);
    expect(found('@bobby, mail@bob, @ bob, @alice')).toEqual([]);
  });
  test('are where they are said to be', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        for (const { start, end } of mentionsIn(text, ['a', 'b c'])) {
          expect(text.slice(start, end).toLowerCase()).toMatch(/^@(a|b c)$/);
        }
      }),
    );
  });
});

describe('conversations', () => {
  const message = (hash: string, inReplyTo: string | null = null) => ({
    hash: hash as Hash,
    inReplyTo: inReplyTo as Hash | null,
  });
  const order = (...messages: ReturnType<typeof message>[]) =>
    arrangeThreads(messages).map(({ message, depth }) => `${depth}${message.hash}`);

  test('replies stand under what they answer, the latest conversation last', () => {
    const all = [message('a'), message('b'), message('c', 'a'), message('d', 'c'), message('e', 'gone')];
    expect(order(...all)).toEqual(['0b', '0a', '1c', '2d', '0e']);
    expect(order(message('a'), message('b'), message('c', 'a'))).toEqual(['0b', '0a', '1c']);
  });

  test('ten thousand answers to each other are arranged without recursion', () => {
    const chain = Array.from({ length: 10_000 }, (_, i) => message(`${i}`, i === 0 ? null : `${i - 1}`));
    expect(arrangeThreads(chain).at(-1)?.depth).toBe(9_999);
  });
});

test('the status line names the followed author that cannot be reached, and says since when if that is known', () => {
  const rest = { sessions: 0, downloads: [], unread: 0, notifications: 0, drafts: 0 };
  const directory = { status: 'connected' as const, name: 'd:1' };
  const line = (unreachable?: { name: string; heard?: string; others: number }) =>
    renderStatusLine({ ...rest, directory, unreachable }, 120, paint);
  expect(line()).toBe('✓ d:1');
  expect(line({ name: 'alice', others: 0 })).toBe('✓ d:1 · alice cannot be reached');
  expect(line({ name: 'alice', heard: '3 min ago', others: 0 })).toBe(
    '✓ d:1 · alice cannot be reached (last heard 3 min ago)',
  );
  expect(line({ name: 'alice', heard: '3 min ago', others: 2 })).toBe(
    '✓ d:1 · alice and 2 more cannot be reached (last heard 3 min ago)',
  );
});

test('the status line names the reader that cannot be reached', () => {
  const rest = { sessions: 0, downloads: [], unread: 0, notifications: 0, drafts: 0 };
  const directory = { status: 'connected' as const, name: 'd:1' };
  const line = (unreachedReader: { name: string; others: number }) =>
    renderStatusLine({ ...rest, directory, unreachedReader }, 120, paint);
  expect(line({ name: 'carol', others: 0 })).toBe('✓ d:1 · your reader carol cannot be reached');
  expect(line({ name: 'carol', others: 3 })).toBe('✓ d:1 · your readers carol and 3 more cannot be reached');
});

test('the status line tells a directory that answers and does not list us from one that does not answer', () => {
  const rest = { sessions: 0, downloads: [], unread: 0, notifications: 0, drafts: 0 };
  const line = (status: 'connecting' | 'unreachable' | 'unlisted') =>
    renderStatusLine({ ...rest, directory: { status, name: 'd:1' } }, 120, paint);
  expect(line('connecting')).toBe('… d:1');
  expect(line('unreachable')).toBe('✗ d:1 unreachable');
  expect(line('unlisted')).toBe('✗ not listed at d:1 (press e to see why)');
});

test('the status line says when what arrives cannot be stored', () => {
  const rest = { sessions: 0, downloads: [], unread: 0, notifications: 0, drafts: 0 };
  const directory = { status: 'connected' as const, name: 'd:1' };
  expect(renderStatusLine({ ...rest, directory, cannotKeep: true }, 80, paint)).toBe(
    '✓ d:1 · ✗ cannot store what arrives (press e to see why)',
  );
});

test('the status line leaves out what matters least where there is no room', () => {
  const status = {
    directory: { status: 'connected' as const, name: 'localhost:8443' },
    sessions: 3,
    downloads: [{ peer: 'alice', nodesFetched: 3_120, nodesKnown: 10_324, rate: 1_200 }],
    unread: 2,
    notifications: 1,
    drafts: 1,
  };
  expect(renderStatusLine(status, 120, paint)).toBe(
    '✓ localhost:8443 · 3 sessions · alice 3,120/10,324 nodes · 1.2k/s · 2 unread · @ 1 notification · 1 draft',
  );
  expect(renderStatusLine(status, 46, paint)).toBe('✓ localhost:8443 · 2 unread · @ 1 notification');
  // The directory's name has no room, but whether it answers is seen on the smallest terminal.
  expect(renderStatusLine(status, 40, paint)).toMatch(/ · ✓$|^✓ · /);
  for (let columns = 1; columns < 120; columns++) {
    expect(width(renderStatusLine(status, columns, paint))).toBeLessThanOrEqual(columns);
  }
});

test('what does not fit ends in an ellipsis', () => {
  fc.assert(
    fc.property(anyText, anyWidth, (text, columns) => {
      const line = text.replaceAll('\n', ' ');
      expect(width(truncate(line, columns))).toBeLessThanOrEqual(columns);
    }),
  );
  expect(truncate('a long line', 6)).toBe('a lon…');
  const coloured = ['alice', 'following', 'online', '2 messages'].map((word) => styleText('green', word, ALWAYS));
  for (let columns = 6; columns < 38; columns++) {
    const cut = stripVTControlCharacters(truncate(coloured.join('  '), columns));
    expect(width(cut)).toBeGreaterThan(columns - 3);
  }
});

describe('without UTF-8', () => {
  test('letters lose their accents, and nothing changes its width', () => {
    expect(toAscii('déjà vu … “ça” • ❯')).toBe('deja vu . "ca" * >');
    fc.assert(
      fc.property(anyText, (text) => {
        expect(toAscii(text)).toMatch(/^\p{ASCII}*$/u);
      }),
    );
    expect(toAscii('你好')).toBe('????');
    expect(toAscii('\u001B[1mé\u001B[22m')).toBe('\u001B[1me\u001B[22m');
  });
  test('the locale says so, as POSIX has it', () => {
    expect(isUtf8({ LC_ALL: 'C', LANG: 'fr_FR.UTF-8' })).toBe(false);
    expect(isUtf8({ LC_CTYPE: 'fr_FR.utf8', LANG: 'C' })).toBe(true);
    expect(isUtf8({})).toBe(true);
  });
});
