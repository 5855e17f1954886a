/** The screen as a person sees it, key by key. */

import { expect, test } from 'vitest';
import { screenPrompt } from '../../../../src/cli/front-end/prompts/screen-prompt.ts';
import type { Item, Screen } from '../../../../src/cli/front-end/screen.ts';
import { renderPrompt } from '../../../support/prompt.ts';

const paint = (_format: unknown, text: string) => text;
const items = (count: number): Item[] =>
  Array.from({ length: count }, (_, index) => ({ id: `id ${index}`, lines: () => [`item ${index}`, '  its text'] }));

function show(
  screen: Partial<Omit<Screen, 'items'>> & { items?: readonly Item[]; rows?: number; columns?: number } = {},
) {
  let changed = () => {};
  let { items: shown = items(20) } = screen;
  const visited: string[] = [];
  const whole: Screen = {
    keys: [
      { key: 'enter', label: 'open', action: 'thread' },
      { key: 'r', label: 'reply', action: 'reply' },
      { key: '?', label: 'help', action: 'help' },
    ],
    cursor: '',
    from: 'bottom',
    isText: false,
    title: () => 'the title',
    empty: 'nothing here',
    status: () => ['all is well'],
    subscribe: (listener) => {
      changed = listener;
      return () => {};
    },
    visited: (item) => visited.push(item),
    ...screen,
    items: () => shown,
  };
  const size = () => ({ columns: screen.columns ?? 40, rows: screen.rows ?? 12 });
  const rendered = renderPrompt(screenPrompt, { screen: whole, paint, size, onRedraw: () => () => {} });
  const arrive = (next: readonly Item[]) => {
    shown = next;
    changed();
  };
  return { rendered, visited, arrive };
}

test('it begins at the newest, with title, status and keys around it', async () => {
  const { getScreen } = await show().rendered;
  const lines = getScreen().split('\n');
  expect(lines[0]).toBe('the title');
  expect(lines.slice(-4)).toEqual(['❯ item 19', '    its text', 'all is well', 'Enter open  r reply  ? help']);
  // One row stays free.
  expect(lines).toHaveLength(11);
});

test('arrows, j and k move the cursor; what it comes to is told', async () => {
  const { rendered, visited } = show();
  const { events, getScreen } = await rendered;
  events.keypress('up');
  events.keypress('k');
  expect(getScreen()).toContain('❯ item 17');
  events.keypress('j');
  expect(getScreen()).toContain('❯ item 18');
  expect([...new Set(visited)]).toEqual(['id 19', 'id 18', 'id 17']);
});

test('what comes to an empty screen is seen from its newest on', async () => {
  const { rendered, arrive } = show({ items: [] });
  const { getScreen } = await rendered;
  expect(getScreen()).toContain('nothing here');
  arrive(items(20));
  expect(getScreen()).toContain('❯ item 19');
});

test('what arrives is seen below the cursor, which stays where it was', async () => {
  const { rendered, arrive } = show();
  const { getScreen } = await rendered;
  arrive(items(22));
  expect(getScreen()).toContain('❯ item 19');
  expect(getScreen()).toContain('  item 20');
});

test('g goes to the first, G to the last, and a page is a page', async () => {
  const { events, getScreen } = await show().rendered;
  events.keypress('g');
  expect(getScreen()).toContain('❯ item 0');
  events.keypress('pagedown');
  expect(getScreen()).toContain('❯ item 4');
  events.keypress({ name: 'g', ctrl: false, shift: true } as never);
  expect(getScreen()).toContain('❯ item 19');
});

test('a key answers with what it does, and the item under the cursor', async () => {
  const { events, answer } = await show().rendered;
  events.keypress('up');
  events.keypress('r');
  await expect(answer).resolves.toEqual({ action: 'reply', item: 'id 18' });
});

test('a key without a name of its own is known by what it types', async () => {
  const { events, answer } = await show().rendered;
  events.keypress({ name: undefined, sequence: '?' } as never);
  await expect(answer).resolves.toMatchObject({ action: 'help' });
});

test('what arrives does not move the cursor from where it is', async () => {
  const { rendered, arrive } = show();
  const { events, getScreen } = await rendered;
  events.keypress('up');
  arrive(items(25));
  expect(getScreen()).toContain('❯ item 18');
  expect(getScreen()).toContain('item 19');
});

test('what arrives below is counted until one has been there', async () => {
  const { rendered, arrive } = show();
  const { events, getScreen } = await rendered;
  events.keypress('up');
  expect(getScreen()).not.toContain('new below');
  arrive(items(22));
  arrive(items(25));
  expect(getScreen()).toContain('the title  5 new below');
  events.keypress('down');
  events.keypress('down');
  expect(getScreen()).toContain('4 new below');
  events.keypress('end');
  expect(getScreen()).not.toContain('new below');
});

test('if the item under the cursor goes, the cursor stays near', async () => {
  const { rendered, arrive } = show();
  const { getScreen } = await rendered;
  arrive(items(5));
  expect(getScreen()).toContain('❯ item 4');
});

test('an item taller than the page is scrolled through', async () => {
  const tall = { id: 'tall', lines: () => Array.from({ length: 20 }, (_, index) => `line ${index}`) };
  const { events, getScreen } = await show({ items: [tall], cursor: 'tall' }).rendered;
  expect(getScreen()).toContain('line 0');
  events.keypress('down');
  expect(getScreen()).not.toMatch(/line 0$/m);
  for (let press = 0; press < 4; press++) events.keypress('down');
  expect(getScreen()).toContain('line 19');
});

test('a text is scrolled by lines, without a cursor', async () => {
  const { events, getScreen } = await show({ isText: true, from: 'top' }).rendered;
  expect(getScreen()).not.toContain('❯');
  expect(getScreen()).toContain('item 0');
  events.keypress('down');
  expect(getScreen()).not.toContain('item 0\n');
  events.keypress('end');
  expect(getScreen()).toContain('item 19');
});

test('without items it says so, and keys work', async () => {
  const { events, getScreen, answer } = await show({ items: [] }).rendered;
  expect(getScreen()).toContain('nothing here');
  events.keypress('up');
  events.keypress('enter');
  await expect(answer).resolves.toEqual({ action: 'thread', item: '' });
});

test('what was not seen before is counted below the cursor, also when the screen is new', async () => {
  const isUnseen = (item: string) => ['id 0', 'id 17', 'id 19'].includes(item);
  const { getScreen, events } = await show({ cursor: 'id 10', isUnseen }).rendered;
  expect(getScreen()).toContain('the title  2 new below: G goes there');
  events.keypress('end');
  expect(getScreen()).not.toContain('new below');
});

test("after a jump, ' goes back to where one was, and is offered until one is there", async () => {
  const apostrophe = { name: undefined, sequence: "'" } as never;
  const { visited, rendered } = show({ cursor: 'id 7', columns: 80 });
  const { events, getScreen } = await rendered;
  events.keypress(apostrophe);
  events.keypress('up');
  events.keypress('down');
  expect(getScreen()).toContain('❯ item 7');
  events.keypress('end');
  expect(getScreen().split('\n')[0]).toBe("the title  ' goes back to where you were");
  events.keypress(apostrophe);
  expect(getScreen()).toContain('❯ item 7');
  expect(getScreen().split('\n')[0]).toBe('the title');
  expect(visited.at(-1)).toBe('id 7');
  events.keypress('home');
  for (let i = 0; i < 7; i++) events.keypress('down');
  expect(getScreen().split('\n')[0]).toBe('the title');
});

test('where one was is remembered by whoever shows the screen', async () => {
  const returning = { backTo: 'id 3' };
  const { getScreen } = await show({ cursor: 'id 9', columns: 80, returning }).rendered;
  expect(getScreen()).toContain("' goes back");
  returning.backTo = 'id gone';
  expect((await show({ columns: 80, returning }).rendered).getScreen()).not.toContain("' goes back");
});

test('a wide terminal shows more about the item under the cursor beside the list', async () => {
  const beside = (item: string, { columns, rows }: { columns: number; rows: number }) => [
    `${item} in ${columns} by ${rows}`,
  ];
  const screen = { beside, cursor: 'id 5', from: 'top' as const, aside: () => 'by the way' };
  const { getScreen, events } = await show({ ...screen, columns: 120 }).rendered;
  const lines = getScreen().split('\n');
  expect(lines[0]).toBe('the title  by the way');
  expect(lines[1]).toMatch(/ │ id 5 in 59 by 8$/);
  expect(new Set(lines.slice(1, 9).map((line) => line.indexOf('│')))).toEqual(new Set([59]));
  events.keypress('down');
  expect(getScreen()).toContain('id 6 in 59 by 8');
  const narrow = await show({ ...screen, columns: 109 }).rendered;
  expect(narrow.getScreen()).not.toContain('│');
  const wide = await show({ ...screen, columns: 300 }).rendered;
  expect(wide.getScreen()).toContain('id 5 in 90 by 8');
});
