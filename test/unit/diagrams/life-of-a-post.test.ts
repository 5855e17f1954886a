/** The sequence that shows a post on its way: from two journals, with a row for each arrow. */
import { beforeAll, expect, test } from 'vitest';
import { lifeOfAPost } from '../../../diagrams/draw/life-of-a-post.ts';

let svg: string;
beforeAll(async () => {
  svg = await lifeOfAPost();
});

test('the datagrams are those of a push, and of a walk down to the one new message', () => {
  const between = [...svg.matchAll(/<title>(\w+) socket → (\w+) socket: (.+?)<\/title>/g)].map(
    ([, from, , type]) => `${from} ${type}`,
  );
  expect(between).toEqual(['alice Root', ...Array.from({ length: 3 }, () => ['bob GetNodes', 'alice Nodes']).flat()]);
});

test('each arrow can be followed: no two share a row', () => {
  const rows = [...svg.matchAll(/ d="M[\d.]+,([\d.]+)H/g)].map(([, y]) => y);
  expect(rows.length).toBeGreaterThan(30);
  expect(new Set(rows).size).toBe(rows.length);
});

test('it begins with the author’s program and ends with a tree that is adopted', () => {
  const titles = [...svg.matchAll(/<title>(.+?)<\/title>/g)].map(([, title]) => title);
  expect(titles.at(0)).toBe('alice effects → alice peer: root.published');
  expect(titles.at(-1)).toBe('bob merkle-walk → bob peer: done');
});
