import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { safeLine, safeText } from '../../../src/feed/safe-text.ts';

const range = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));

describe('protocol §9: control characters never reach the terminal', () => {
  test('C0 controls and DEL go, only the newline stays', () => {
    const kept = [...range(0, 0x1f), '\x7f'].map((control) => safeText(`a${control}é`)).filter((text) => text !== 'aé');
    expect(new Set(kept)).toEqual(new Set(['a é', 'a\né']));
    expect(safeText('a\0b\x07c\x08d\x7fe')).toBe('abcde');
  });

  test('C1 controls go, the eight-bit forms of escape sequences with their parameters', () => {
    for (const control of range(0x80, 0x9f).filter((each) => each !== '\x85')) {
      expect(safeText(`a${control}`), `U+00${control.charCodeAt(0).toString(16)}`).toBe('a');
    }
    expect(safeText('\x9b31mred\x9b0m')).toBe('red');
    expect(safeText('\x9d0;title\x9ctext')).toBe('text');
  });

  test('every kind of line break becomes a newline, a tab becomes a space', () => {
    expect(safeText('a\r\nb\rc\vd\fe\x85f\u2028g\u2029h\n\ni')).toBe('a\nb\nc\nd\ne\nf\ng\nh\n\ni');
    expect(safeText('a\tb')).toBe('a b');
  });

  test.each([
    ['colour', '\x1b[31mred\x1b[0m', 'red'],
    ['private modes', '\x1b[?25lhidden cursor', 'hidden cursor'],
    ['clearing the screen', '\x1b[2J\x1b[1;1Hhome', 'home'],
    ['true colour with colons', '\x1b[38:2::1:2:3mx', 'x'],
    ['a window title, ended by BEL', '\x1b]0;owned\x07x', 'x'],
    ['a hyperlink, ended by ST', '\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\', 'click'],
    ['the clipboard', '\x1b]52;c;cm0gLXJm\x07x', 'x'],
    ['a device control string', '\x1bP+q544e\x1b\\x', 'x'],
    ['an application command', '\x1b_Gf=100;AAAA\x1b\\x', 'x'],
    ['a character set', '\x1b(0lqqk', 'lqqk'],
    ['a reset', '\x1bcx', 'x'],
    ['an escape at the end', 'x\x1b', 'x'],
    ['a title that never ends', '\x1b]0;and so on', '0;and so on'],
    ['an escape inside a sequence', '\x1b[3\x1b[31m1mx', '31mx'],
  ])('escape sequences go: %s', (_, input, expected) => {
    const shown = safeText(input);
    expect(shown).not.toMatch(/\p{Cc}/u);
    expect(shown).toBe(expected);
  });

  test('nothing is put together from the pieces around what is removed', () => {
    expect(safeText('\x1b\x1b[0m[31mred')).toBe('[31mred');
    expect(safeText('\x1b\u200b[31mred')).toBe('[31mred');
  });
});

describe('protocol §9: bidi overrides and zero-width characters', () => {
  test('bidi embeddings, overrides, isolates and marks go', () => {
    for (const control of [...range(0x202a, 0x202e), ...range(0x2066, 0x2069), '\u200e', '\u200f', '\u061c']) {
      expect(safeText(`user${control}txt.exe`)).toBe('usertxt.exe');
    }
  });

  test('text that is written from right to left stays', () => {
    for (const text of ['שלום עולם', 'مرحبا بالعالم', '؀١٢٣']) expect(safeText(text)).toBe(text);
  });

  test('zero-width characters, fillers and soft hyphens go', () => {
    const invisible = [
      '\u200b',
      '\u200c',
      '\u2060',
      '\ufeff',
      '\u00ad',
      '\u034f',
      '\u180e',
      '\u2063',
      '\u206a',
      '\u3164',
      '\uffa0',
    ];
    for (const each of invisible) expect(safeText(`pay${each}pal`), each.charCodeAt(0).toString(16)).toBe('paypal');
  });

  test('tag characters go, all of their block', () => {
    for (const tag of range(0xe0000, 0xe007f)) expect(safeText(`a${tag}b`)).toBe('ab');
  });

  test('interlinear annotations go', () => {
    expect(safeText('\ufff9base\ufffaabove\ufffb')).toBe('baseabove');
  });

  test('lone surrogates and noncharacters become U+FFFD', () => {
    expect(safeText('a\ud83db\udc4dc')).toBe('a\ufffdb\ufffdc');
    expect(safeText('a\ufffeb\u{10ffff}c\ufdd0')).toBe('a\ufffdb\ufffdc\ufffd');
  });
});

describe('what people write stays', () => {
  test.each([
    ['plain text', 'Hello, world!\nSecond line  with  spaces'],
    ['accents, composed or not', 'déjà vu, de\u0301ja\u0300 vu'],
    ['scripts with vowel signs', 'नमस्ते दुनिया · สวัสดีชาวโลก · བོད་སྐད་ · கொழும்பு'],
    ['Vietnamese, decomposed', 'Tiếng Việt'.normalize('NFD')],
    ['Chinese, Japanese, Korean', '你好，世界　こんにちは 안녕하세요'],
    ['an emoji of several joined ones', '👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍🚀 ❤️‍🔥 🧔🏿‍♂️'],
    ['flags and keycaps', '🇫🇷 1️⃣ #️⃣'],
    ['text and emoji presentation', '☎︎ ☎️'],
    ['a variant of an ideograph', '葛\u{e0100}城'],
    ['mathematics', '∀x ∈ ℝ: ⌈x⌉ ≥ x, 𝔸𝕓𝕔'],
    ['spaces that do not break', '10\u00a0km'],
  ])('%s', (_, text) => {
    expect(safeText(text)).toBe(text);
  });
});

describe('joiners, selectors and marks', () => {
  test('a zero-width joiner stays only between emoji', () => {
    expect(safeText('pay\u200dpal')).toBe('paypal');
    expect(safeText('\u200d👩\u200d')).toBe('👩');
    expect(safeText('👩\u200dx\u200d💻')).toBe('👩x💻');
    expect(safeText('👩\u200d\u200d💻')).toBe('👩💻');
    expect(safeText('👩\u200b\u200d💻')).toBe('👩\u200d💻');
    expect(safeText('1\u200d2')).toBe('12');
  });

  test('a variation selector stays only behind a visible character, and only one of them', () => {
    expect(safeText('\ufe0fa')).toBe('a');
    expect(safeText(' \ufe0f')).toBe(' ');
    expect(safeText(`😀${range(0xe0100, 0xe01ef).join('')}!`)).toBe('😀\u{e0100}!');
    expect(safeText('❤\ufe0f\ufe0f\ufe0f')).toBe('❤\ufe0f');
  });

  test('at most eight marks are left on one base character', () => {
    expect(safeText(`Z${'\u0335'.repeat(8)}`)).toBe(`Z${'\u0335'.repeat(8)}`);
    expect(safeText(`Z${'\u0335\u20dd'.repeat(500)}a\u0301`)).toBe(`Z${'\u0335\u20dd'.repeat(4)}a\u0301`);
    expect(safeText(`Z${`${'\u0335'.repeat(8)}\u200d\u200c\x1b`.repeat(9)}`)).toBe(`Z${'\u0335'.repeat(8)}`);
  });
});

describe('safe text in general', () => {
  const nasty = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 }).map((units) => String.fromCharCode(...units)),
    fc
      .array(
        fc.constantFrom(
          ...[
            '\x1b',
            '[',
            ']',
            '0',
            'm',
            '\x07',
            '\\',
            '\x9b',
            '\x9d',
            '\x9c',
            '\u200d',
            '👩',
            '💻',
            '🏽',
            '\ufe0f',
            '\u0301',
          ],
          ...[
            '\u202e',
            '\u200b',
            '\ud83d',
            '\udc4d',
            'a',
            ' ',
            '\n',
            '\r',
            '\t',
            '\u2028',
            '\u{e0100}',
            '\u{e0041}',
            '\uffff',
          ],
        ),
        { maxLength: 40 },
      )
      .map((pieces) => pieces.join('')),
  );

  test('has nothing in it that is not to be shown, whatever went in', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const shown = safeText(text);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown.replaceAll('\n', '')).not.toMatch(
          /\p{Cc}|\p{Bidi_Control}|[\u200b\u200c\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u,
        );
        expect(shown).not.toMatch(/[\u{e0000}-\u{e007f}]|\p{M}{9}|\p{Noncharacter_Code_Point}/u);
        expect(shown).not.toMatch(
          /(?<!\p{Extended_Pictographic}|\ufe0f|\p{Emoji_Modifier})\u200d|\u200d(?!\p{Extended_Pictographic})/u,
        );
        expect(safeLine(text)).not.toContain('\n');
      }),
      { numRuns: 3000 },
    );
  });

  test('is left alone when it is made safe again', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(safeText(safeText(text))).toBe(safeText(text));
        expect(safeLine(safeLine(text))).toBe(safeLine(text));
      }),
      { numRuns: 3000 },
    );
  });

  test('takes linear time, however a text is made up', () => {
    const pieces = [
      '\x1b',
      '\x1b]',
      '\x9d',
      '\x9d\x9b',
      '\x1b[1',
      '\x1b ',
      '\u0301',
      '\u200d',
      '👩\u200d',
      ' ',
      '\n',
      '\ufe0f',
      '\u{e0100}',
      '\r',
    ];
    // Steps of a regular expression cannot be counted. But for so long a text linear and quadratic time are worlds apart – a
    // second or two, and hours – so that the limit says nothing about speed.
    const script = `
      import { safeLine } from ${JSON.stringify(import.meta.resolve('../../../src/feed/safe-text.ts'))};
      for (const piece of ${JSON.stringify(pieces)}) safeLine(piece.repeat(1_000_000 / piece.length) + 'x', 40);`;
    const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  });
});

describe('a safe line', () => {
  test('has its line breaks folded into single spaces', () => {
    expect(safeLine('no session:\r\n\nsay\u2028Hello\tfirst')).toBe('no session: say Hello first');
    expect(safeLine('\x1b[31mname\x1b[0m\u202e')).toBe('name');
  });

  test('is cut to a limit, with an ellipsis that counts', () => {
    expect(safeLine('abcdef', 6)).toBe('abcdef');
    expect(safeLine('abcdef', 5)).toBe('abcd…');
    expect(safeLine('abcdef', 1)).toBe('…');
    expect(safeLine('😀😀😀', 3)).toBe('😀😀😀');
  });

  test('is never cut through what a reader sees as one character', () => {
    expect(safeLine('ab👩‍💻cd', 5)).toBe('ab…');
    expect(safeLine('ae\u0301xyz', 3)).toBe('a…');
    expect(safeLine('😀😀😀😀', 3)).toBe('😀😀…');
  });
});
