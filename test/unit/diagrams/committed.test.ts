/** The committed diagrams are those of the machines as they are. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { generateDiagrams } from '../../../diagrams/draw/write-diagrams.ts';
import { machines } from '../../../machines/index.ts';

const FOLDER = path.join(import.meta.dirname, '../../../diagrams');
const generated = await generateDiagrams();
const names = [...generated.keys()];

test.for(names)('%s is up to date', async (name) => {
  const committed = await readFile(path.join(FOLDER, name), 'utf8').catch(() => undefined);
  const isSame = committed === generated.get(name);
  expect(isSame, `diagrams/${name} differs from the machines: run npm run diagrams`).toBe(true);
});

test('nothing else is in the folder', async () => {
  const files = await readdir(FOLDER);
  expect(files.sort()).toEqual([...names, 'draw', 'generate.ts'].sort());
});

test('every machine has its files, and the pictures of all of them of a post and of a tree are there', () => {
  const expected = Object.keys(machines).flatMap((name) => [`${name}.svg`, `${name}.mmd`]);
  expect([...names].sort()).toEqual(
    [...expected, 'README.md', 'life-of-a-post.svg', 'merkle-tree.svg', 'messages.svg', 'supervision.svg'].sort(),
  );
});

test('drawn again they are the same, byte for byte', async () => {
  expect(await generateDiagrams()).toEqual(generated);
});

test('the page shows every picture, links every text, and nothing that is not there', () => {
  const page = generated.get('README.md') as string;
  const shown = [...page.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, file]) => file);
  expect(shown.sort()).toEqual(names.filter((name) => name.endsWith('.svg')).sort());
  const linked = [...page.matchAll(/\]\(([^)#]+\.mmd)\)/g)].map(([, file]) => file);
  expect(linked.sort()).toEqual(names.filter((name) => name.endsWith('.mmd')).sort());
  const headings = new Set([...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading));
  for (const [, anchor] of page.matchAll(/\(#([^)]+)\)/g)) expect(headings).toContain(anchor);
});

test('a picture needs nothing from elsewhere', () => {
  for (const [name, content] of generated) {
    if (!name.endsWith('.svg')) continue;
    expect(content.replaceAll(/ xmlns(:\w+)?="[^"]+"/g, '')).not.toMatch(/https?:|@import|url\(|<script|<image/);
    expect(content).toContain('prefers-color-scheme:dark');
  }
});
