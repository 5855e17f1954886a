/** What a terminal sends, taken apart into keys and pastes. */
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { CancelledError } from '../../../../src/cli/front-end/dialogue.ts';
import { MOST_PASTED, PasteFinder } from '../../../../src/cli/front-end/pastes.ts';
import type { Screen } from '../../../../src/cli/front-end/screen.ts';
import { terminalDialogue } from '../../../../src/cli/front-end/terminal-dialogue.ts';
import { whyUnfit } from '../../../../src/cli/messages/why-unfit.ts';

const bracketed = (text: string) => `\u001b[200~${text}\u001b[201~`;

function split(pieces: readonly string[], { guesses = true, everyMs = 1_000 } = {}) {
  const finder = new PasteFinder();
  return pieces.flatMap((piece, index) => finder.split(piece, { guesses, nowMs: index * everyMs }));
}

test('what the terminal says was pasted is one text, in however many pieces it comes', () => {
  const sent = `p${bracketed('one\rtwo')}\r`;
  const whole = ['p', { text: 'one\ntwo', cut: 0 }, '\r'];
  expect(split([sent])).toEqual(whole);
  for (let at = 4; at < sent.length; at += 1) {
    const found = split([sent.slice(0, at), sent.slice(at)], { guesses: false });
    expect(found.filter((input) => typeof input !== 'string')).toEqual([whole[1]]);
    expect(found.filter((input) => typeof input === 'string').join('')).toBe('p\r');
  }
});

test('Escape, an arrow, and a line that was typed ahead are keys', () => {
  for (const keys of ['\u001b', '\u001b[A', '\u001b[2~', 'rx\rtms', 'hello, said the fox\r'])
    expect(split([keys])).toEqual([keys]);
});

test('from a terminal that does not tell, lines that come at once were pasted, and so was what follows at once', () => {
  expect(split(['pasted by mistake\rquit\r'])).toEqual([{ text: 'pasted by mistake\nquit\n', cut: 0 }]);
  expect(split(['x'.repeat(200)])).toEqual([{ text: 'x'.repeat(200), cut: 0 }]);
  const inPieces = ['first line\rsecond ', 'line\r', 'quit\r'];
  expect(split(inPieces, { everyMs: 5 })).toEqual(inPieces.map((text) => ({ text: text.replace('\r', '\n'), cut: 0 })));
  expect(split(inPieces, { guesses: false })).toEqual(inPieces);
});

test('of a long paste the beginning is kept, and the rest is counted', () => {
  const [paste, ...others] = split([bracketed('é'.repeat(MOST_PASTED + 5))]);
  expect(paste).toEqual({ text: 'é'.repeat(MOST_PASTED), cut: 5 });
  expect(others).toEqual([]);
});

test('control characters in a paste go; Ctrl-C alone ends one whose end was lost', () => {
  expect(split([bracketed('a\u0003\u001b[31mb\tc')])).toEqual([{ text: 'a[31mb c', cut: 0 }]);
  expect(split(['\u001b[200~lost', '\u0003', 'x'])).toEqual(['\u0003', 'x']);
});

const screen: Screen = {
  keys: [
    { key: 'p', label: 'post', action: 'post' },
    { key: 'q', label: 'quit', action: 'quit' },
  ],
  cursor: '',
  from: 'bottom',
  isText: false,
  title: () => 'timeline',
  items: () => [],
  empty: 'nothing',
  status: () => ['all is well'],
  subscribe: () => () => {},
};

/** A terminal whose writes are counted. */
function open() {
  const input = Object.assign(new EventEmitter(), { setRawMode: () => {}, resume: () => {}, pause: () => {} });
  const output = Object.assign(new PassThrough(), { columns: 80, rows: 24, end: () => {} });
  let printed = '';
  let redraws = 0;
  output.on('data', (some) => {
    printed += some;
    redraws += String(some).includes('bytes') ? 1 : 0;
  });
  const dialogue = terminalDialogue({
    input: input as never,
    output: output as never,
    paint: (_format, text) => text,
    signal: new AbortController().signal,
  });
  const fullScreen = dialogue.fullScreen();
  return {
    ...{ dialogue, fullScreen },
    type: (text: string, encoding: BufferEncoding = 'utf8') => void input.emit('data', Buffer.from(text, encoding)),
    printed: () => printed,
    redraws: () => redraws,
  };
}

const writing = {
  ...{ draft: '', whyInvalid: (text: string) => (text.length > 985 ? 'too long' : undefined) },
  ...{ maxBytes: 985, above: () => [] as string[] },
};

/** Prompts are loaded with the first question. */
const until = (holds: () => boolean) => vi.waitUntil(holds, { timeout: 4_000, interval: 5 });

test('what is pasted on a screen is ignored, which is said, and presses no key', async () => {
  for (const paste of [bracketed('pasted by mistake\rquit\r'), 'pasted by mistake\rquit\r']) {
    const { dialogue, fullScreen, type, printed } = open();
    const answer = dialogue.screen(screen);
    await until(() => printed().includes('timeline'));
    type(paste);
    await until(() => printed().includes('What was pasted was ignored: press p first to write a message.'));
    type('q');
    expect(await answer).toMatchObject({ action: 'quit' });
    fullScreen[Symbol.dispose]();
  }
});

test('a paste of 840 kB into a message is one change and one redraw, and Ctrl-C works after it', async () => {
  const { dialogue, fullScreen, type, printed, redraws } = open();
  const changes: string[] = [];
  const answer = dialogue.write('Your message', { ...writing, onChange: (text) => changes.push(text) });
  answer.catch(() => {});
  await until(() => printed().includes('985 bytes left'));
  const before = redraws();
  type(bracketed('Hello, world\r'.repeat(70_000)));
  await until(() => printed().includes('did not fit'));
  expect(changes).toHaveLength(1);
  expect(redraws() - before).toBe(1);
  expect(printed()).toMatch(/906,060 characters of what was pasted did not fit/);
  type('\u0003');
  await expect(answer).rejects.toThrow(CancelledError);
  fullScreen[Symbol.dispose]();
});

test('lines that come at once from a terminal that does not tell do not send a message', async () => {
  const { dialogue, fullScreen, type, printed } = open();
  const answer = dialogue.write('Your message', { ...writing, onChange: () => {} });
  await until(() => printed().includes('985 bytes left'));
  type('first line\rand quit\r');
  await until(() => printed().includes('and quit'));
  type('\r');
  expect(await answer).toBe('first line\nand quit\n');
  fullScreen[Symbol.dispose]();
});

test('a paste into a question of one line is one line, and does not answer it', async () => {
  const { dialogue, fullScreen, type, printed } = open();
  const answer = dialogue.line('Search for:', () => undefined);
  await until(() => printed().includes('Search for:'));
  type(bracketed('coffee\rand tea\r'));
  await until(() => printed().includes('coffee and tea'));
  type('\r');
  expect(await answer).toBe('coffee and tea');
  fullScreen[Symbol.dispose]();
});

test('where there is nothing to type, a paste answers nothing', async () => {
  const { dialogue, fullScreen, type, printed } = open();
  const answer = dialogue.confirm('Quit?', true);
  await until(() => printed().includes('Quit?'));
  type(bracketed('yes\r'));
  await until(() => printed().includes('\u0007'));
  type('n\r');
  expect(await answer).toBe(false);
  fullScreen[Symbol.dispose]();
});

test('what is typed, pasted or edited in another encoding than UTF-8 is not sent, and said', async () => {
  vi.stubEnv('VISUAL', `printf 'caf\\351' > "$1"; true`);
  const ways = {
    typed: (type: ReturnType<typeof open>['type']) => type('caf\xe9s\u007f', 'latin1'),
    pasted: (type: ReturnType<typeof open>['type']) => type(bracketed('caf\xe9'), 'latin1'),
    edited: (type: ReturnType<typeof open>['type']) => type('\u000f'),
  };
  for (const [way, begin] of Object.entries(ways)) {
    const { dialogue, fullScreen, type, printed } = open();
    const answer = dialogue.write('Your message', { ...writing, whyInvalid: whyUnfit, onChange: () => {} });
    await until(() => printed().includes('985 bytes left'));
    begin(type);
    await until(() => printed().includes('caf\ufffd'));
    type('\r');
    await until(() => printed().includes('not UTF-8'));
    type('\u007fé\r');
    expect(await answer, way).toBe('café');
    fullScreen[Symbol.dispose]();
  }
  vi.unstubAllEnvs();
});
