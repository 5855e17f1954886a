/** `murmure diagrams` */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { generateDiagrams } from '../../../diagrams/draw/write-diagrams.ts';
import { freshFolder, run } from '../cli/support.ts';

test('writes all diagrams to a folder, and says which', async () => {
  const folder = freshFolder();
  const { code, out, err } = await run(['diagrams', folder]);
  const generated = await generateDiagrams();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.trimEnd().split('\n')).toEqual([...generated.keys()].map((name) => path.join(folder, name)));
  expect((await readdir(folder)).sort()).toEqual([...generated.keys()].sort());
  for (const [name, content] of generated) expect(await readFile(path.join(folder, name), 'utf8')).toBe(content);
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
