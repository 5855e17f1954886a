/** docs/security.md promises what is there: its tests exist, and its bounds are those of the program. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const page = read('docs/security.md');

function section(title: string): string {
  return page.split(/^## /m).find((text) => text.startsWith(title)) ?? '';
}

function rowsOf(title: string): string[][] {
  const lines = section(title).split('\n');
  const cells = lines.filter((line) => line.startsWith('| ')).map((line) => line.split('|').map((cell) => cell.trim()));
  return cells.slice(1).map((row) => row.slice(1, -1));
}

test('every test that it names exists', () => {
  const named = page.match(/(?<=`)test\/[^`]+(?=`)/g) ?? [];
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
});

test.each(['What is protected', 'Hostile input'])('%s: each row names a test', (title) => {
  const rows = rowsOf(title);
  expect(rows.length).toBeGreaterThan(5);
  expect(rows.filter((row) => !row.at(-1)?.includes('test/'))).toEqual([]);
});

test.each(rowsOf('Tables that others can fill'))('%s: %s', (_, bound = '', where = '') => {
  const [, file = '', name = ''] = /`(.+)`: `(.+)`/.exec(where) ?? [];
  const value = new RegExp(`\\b${name}(?:\\s*=|:) ([\\d_]+)`).exec(read(file))?.[1];
  expect(Number(value?.replaceAll('_', ''))).toBe(Number.parseInt(bound.replaceAll(',', ''), 10));
});
