/** The ordinary questions as a person sees them, key by key. */
import { confirm, input, password, search, select } from '@inquirer/prompts';
import { expect, test } from 'vitest';
import { choice, line, nameChoice, secret, yesOrNo } from '../../../../src/cli/front-end/prompts/questions.ts';
import { renderPrompt } from '../../../support/prompt.ts';

/** Answers are validated and sources asked in turns of their own. */
const aMoment = () => new Promise(setImmediate);

test('one of a few is chosen with the arrows', async () => {
  const options = [
    { value: 'url', label: 'at a directory' },
    { value: 'local', label: 'try it locally' },
  ] as const;
  const { answer, events, getScreen } = await renderPrompt(select<'url' | 'local'>, choice('Where?', options));
  expect(getScreen()).toContain('❯ at a directory');
  expect(getScreen()).toContain('Esc leave');
  events.keypress('down');
  events.keypress('enter');
  expect(await answer).toBe('local');
});

test('a name is found by typing some of it: neither capitals nor accents count', async () => {
  const names = ['Aline', 'Bram', 'Özge'];
  const { answer, events, getScreen } = await renderPrompt(search<string>, nameChoice('Follow whom?', names));
  await aMoment();
  expect(getScreen()).toMatch(/Aline\n.*Bram\n.*Özge/);
  events.type('oz');
  await aMoment();
  expect(getScreen()).not.toContain('Aline');
  events.keypress('enter');
  expect(await answer).toBe('Özge');
});

test('a name that would move the cursor or read backwards is safe to choose', async () => {
  const hostile = 'eve\u202e\u001b[2J';
  const { answer, events, getScreen } = await renderPrompt(search<string>, nameChoice('Whom?', [hostile]));
  await aMoment();
  expect(getScreen()).toContain('❯ eve');
  expect(getScreen()).not.toContain('\u202e');
  events.keypress('enter');
  expect(await answer).toBe(hostile);
});

test('a wrong line is explained at the prompt, and can be mended', async () => {
  const complain = (text: string) => (text.includes('/') ? 'no "/" in a name' : undefined);
  const { answer, events, getScreen } = await renderPrompt(
    input,
    line({ message: 'Your name:', whyInvalid: complain }),
  );
  events.type('a/');
  events.keypress('enter');
  await aMoment();
  expect(getScreen()).toContain('no "/" in a name');
  events.keypress('backspace');
  events.keypress('enter');
  expect(await answer).toBe('a');
});

test('Enter alone takes what is suggested', async () => {
  const { answer, events } = await renderPrompt(
    input,
    line({ message: 'Address:', whyInvalid: () => undefined, suggestion: 'https://a.example' }),
  );
  events.keypress('enter');
  expect(await answer).toBe('https://a.example');
});

test('a secret is never shown, and neither is how long it is', async () => {
  const { answer, events, getScreen } = await renderPrompt(password, secret('Passphrase:'));
  const before = getScreen();
  events.type('horse');
  events.keypress({ name: 't', ctrl: true, shift: false } as never);
  expect(getScreen()).toBe(before);
  events.keypress('enter');
  expect(await answer).toBe('horse');
});

test.for([true, false])('Enter alone answers yes or no as suggested: %s', async (suggestion) => {
  const { answer, events } = await renderPrompt(confirm, yesOrNo('Quit?', suggestion));
  events.keypress('enter');
  expect(await answer).toBe(suggestion);
});
