/** The front end on a terminal that can only print lines. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { CancelledError } from '../../../../src/cli/front-end/dialogue.ts';
import { plainDialogue } from '../../../../src/cli/front-end/plain-dialogue.ts';
import type { Screen } from '../../../../src/cli/front-end/screen.ts';
import { whyUnfit } from '../../../../src/cli/messages/why-unfit.ts';

function terminal(...lines: readonly string[]) {
  const input = new PassThrough();
  const output = new PassThrough();
  let printed = '';
  output.on('data', (some) => {
    printed += some;
    // Each line is typed once the question before it was asked.
    if (left.length > 0 && /([>)] |:\n)$/.test(String(some))) input.write(`${left.shift()}\n`);
  });
  const left = [...lines];
  const dialogue = plainDialogue({ input, output, signal: new AbortController().signal });
  return { dialogue, input, printed: () => printed };
}

const screen: Screen = {
  keys: [
    { key: 'enter', label: 'open', action: 'thread' },
    { key: 'r', label: 'reply', action: 'reply' },
  ],
  cursor: '',
  from: 'bottom',
  isText: false,
  title: () => 'timeline',
  items: () => [
    { id: 'a', lines: () => ['alice', '  Hello.'] },
    { id: 'b', lines: () => ['bob', '  Hi.'] },
  ],
  empty: 'nothing',
  status: () => ['all is well'],
  subscribe: () => () => {},
};

test('items have numbers, and keys take one; without it the last is meant', async () => {
  const { dialogue, printed } = terminal('r 1');
  expect(await dialogue.screen(screen)).toEqual({ action: 'reply', item: 'a' });
  expect(printed()).toContain('1. alice\n  Hello.\n2. bob\n  Hi.\nall is well\n');
  expect(await terminal('').dialogue.screen(screen)).toEqual({ action: 'thread', item: 'b' });
});

test('wrong answers are explained, and asked for again', async () => {
  const { dialogue, printed } = terminal('x', 'r 7', 'r 2');
  expect(await dialogue.screen(screen)).toEqual({ action: 'reply', item: 'b' });
  expect(printed()).toMatch(/There is no key "x" here\.[\s\S]*There is no item 7\./);
});

const writing = { draft: '', whyInvalid: () => undefined, maxBytes: 985, above: () => [], onChange: () => {} };

test('a message has as many lines as are typed or pasted, until one with a dot alone; none leaves the draft as it is', async () => {
  const changes: string[] = [];
  const onChange = (text: string) => changes.push(text);
  const withDraft = { ...writing, draft: 'half', onChange };
  expect(await terminal('.').dialogue.write('Your message', withDraft)).toBe('half');
  expect(await terminal('whole\n\nand more\n.').dialogue.write('Your message', withDraft)).toBe('whole\n\nand more');
  expect(changes).toEqual(['half', 'whole\n\nand more']);
});

test('of a pasted text no line is taken for a command', async () => {
  const { dialogue, input } = terminal();
  const written = dialogue.write('Your message', writing);
  input.write('first line\nsecond line\nr 1\n');
  input.write('.\nr 2\n');
  expect(await written).toBe('first line\nsecond line\nr 1');
  expect(await dialogue.screen(screen)).toEqual({ action: 'reply', item: 'b' });
});

test('what is not UTF-8 is not taken, and said', async () => {
  const { dialogue, input, printed } = terminal();
  const written = dialogue.write('Your message', { ...writing, whyInvalid: whyUnfit });
  input.write(Buffer.from('caf\xe9\n.\n', 'latin1'));
  input.write('café\n.\n');
  expect(await written).toBe('café');
  expect(printed()).toContain('not UTF-8');
});

test('the end of the input cancels the question', async () => {
  const input = new PassThrough();
  const dialogue = plainDialogue({ input, output: new PassThrough(), signal: new AbortController().signal });
  const asked = dialogue.line('Search for:', () => undefined);
  input.end();
  await expect(asked).rejects.toThrow(CancelledError);
});
