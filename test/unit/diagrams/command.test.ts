/** `murmure diagrams` */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { freshFolder, run } from '../cli/support.ts';

const DRAWINGS = new URL('../../../diagrams/', import.meta.url);

test('writes all drawings to a folder, and says which', async () => {
  const folder = freshFolder();
  const { code, out, err } = await run(['diagrams', folder]);
  const names = (await readdir(DRAWINGS)).filter((name) => /\.(svg|mmd|md)$/.test(name)).sort();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.trimEnd().split('\n')).toEqual(names.map((name) => path.join(folder, name)));
  expect((await readdir(folder)).sort()).toEqual(names);
  for (const name of names) {
    expect(await readFile(path.join(folder, name), 'utf8')).toBe(await readFile(new URL(name, DRAWINGS), 'utf8'));
  }
});

test('ships them with the package', async () => {
  const { files, dependencies } = JSON.parse(await readFile(new URL('../package.json', DRAWINGS), 'utf8'));
  expect(files).toEqual(expect.arrayContaining(['diagrams/*.svg', 'diagrams/*.mmd', 'diagrams/*.md', 'docs']));
  expect(Object.keys(dependencies)).not.toContain('@hpcc-js/wasm-graphviz');
});

test('with --json each file is a line', async () => {
  const folder = freshFolder();
  const { lines } = await run(['diagrams', folder, '--json']);
  expect(lines).toContainEqual({ file: path.join(folder, 'peer.svg') });
});

test('says why a folder cannot be written', async () => {
  const file = path.join(await freshFolder(), '..', 'file');
  await writeFile(file, '');
  const { code, out, err } = await run(['diagrams', file]);
  expect({ code, out }).toEqual({ code: 7, out: '' });
  expect(err).toContain(`${file} cannot be used`);
});
