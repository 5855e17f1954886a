/** Writing a message, key by key. */

import { expect, test } from 'vitest';
import { composePrompt } from '../../../../src/cli/front-end/prompts/compose-prompt.ts';
import { textWithCursor } from '../../../../src/cli/front-end/prompts/text-with-cursor.ts';
import { renderPrompt } from '../../../support/prompt.ts';

const paint = (_format: unknown, text: string) => text;

async function compose({ draft = '', above = [] as string[], behind = [] as string[] } = {}) {
  const changes: string[] = [];
  let hear = () => {};
  let news = 'nothing new';
  const prompt = await renderPrompt(composePrompt, {
    message: 'Your message',
    problem: '',
    paint,
    draft,
    above: () => above,
    behind: (_columns: number, rows: number) => behind.slice(-rows),
    maxBytes: 20,
    whyInvalid: (text: string) => (text.length > 20 ? 'too long' : undefined),
    onChange: (text: string) => changes.push(text),
    size: () => ({ columns: 30, rows: 14 }),
    onRedraw: () => () => {},
    news: () => news,
    onNews: (listener: () => void) => {
      hear = listener;
      return () => {};
    },
  });
  const arrive = (text: string) => {
    news = text;
    hear();
  };
  return { ...prompt, changes, arrive };
}

test('the bytes that are left are counted, and each change is told', async () => {
  const { events, getScreen, changes } = await compose();
  events.type('é');
  expect(getScreen()).toContain('18 bytes left');
  expect(changes).toEqual(['é']);
});

test('a draft is gone on with', async () => {
  const { events, answer } = await compose({ draft: 'so far' });
  events.type(', so good');
  events.keypress('enter');
  await expect(answer).resolves.toEqual({ text: 'so far, so good', wantsEditor: false, delayMs: 0 });
});

test('what is too long is not sent, and not lost', async () => {
  const { events, getScreen, answer } = await compose({ draft: 'x'.repeat(21) });
  events.keypress('enter');
  expect(getScreen()).toContain('too long');
  events.keypress('backspace');
  events.keypress('enter');
  await expect(answer).resolves.toMatchObject({ text: 'x'.repeat(20) });
});

test('a line begins with Alt-Enter, or within what is pasted where the cursor is', async () => {
  const { events, answer } = await compose();
  events.type('one');
  events.keypress({ name: 'enter', meta: true } as never);
  events.type('two');
  events.keypress('left');
  events.keypress({ name: 'paste', paste: { text: '2\n', cut: 0 } } as never);
  events.keypress('enter');
  await expect(answer).resolves.toMatchObject({ text: 'one\ntw2\no' });
});

test('Ctrl-O goes on in the editor', async () => {
  const { events, answer } = await compose({ draft: 'so far' });
  events.keypress({ name: 'o', ctrl: true } as never);
  await expect(answer).resolves.toEqual({ text: 'so far', wantsEditor: true, delayMs: 0 });
});

test('what arrives is told below, and nothing that was typed changes', async () => {
  const { events, getScreen, arrive } = await compose({
    above: ['alice', '  Who is there?'],
    behind: ['an older message', 'a newer one'],
  });
  events.type('I am');
  arrive('2 unread');
  expect(getScreen()).toMatch(
    /^an older message\na newer one\n─+\nalice\n {2}Who is there\?\n\nYour message\n {2}I am/,
  );
  expect(getScreen()).toMatch(/2 unread$/);
});

test('the cursor is a block on the letter it is on, at any width', () => {
  const { lines, cursorRow } = textWithCursor('a long ', 'line that wraps', 8);
  expect(lines[cursorRow]).toContain('\u001B[7ml\u001B[27m');
  expect(textWithCursor('end', '', 8).lines).toEqual(['end\u001B[7m \u001B[27m']);
  expect(textWithCursor('a', '\nb', 8).lines).toHaveLength(2);
});

test('Ctrl-T chooses when others see it, and comes round to at once', async () => {
  const { events, getScreen, answer } = await compose({ draft: 'so far' });
  events.keypress({ name: 't', ctrl: true } as never);
  expect(getScreen()).toContain('after 30 seconds');
  for (let i = 0; i < 3; i++) events.keypress({ name: 't', ctrl: true } as never);
  expect(getScreen()).not.toContain('seen after');
  events.keypress({ name: 't', ctrl: true } as never);
  events.keypress('enter');
  await expect(answer).resolves.toEqual({ text: 'so far', wantsEditor: false, delayMs: 30_000 });
});
