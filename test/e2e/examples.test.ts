/** The programs in docs/examples do what they say. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);

/** With the sources in place of the package, which is not built here. */
async function run(example: string): Promise<string> {
  const code = readFileSync(new URL(`docs/examples/${example}.ts`, root), 'utf8')
    .replace("'murmure'", `'${new URL('src/index.ts', root)}'`)
    .replace("'murmure/machines'", `'${new URL('machines/index.ts', root)}'`);
  const argv = ['--input-type=module-typescript', '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { encoding: 'utf8' });
  return stdout;
}

test('a message that is published arrives at whoever follows', async () => {
  expect(await run('read-and-write')).toBe('alice: Bonjour !\n');
});

test('the machines can be watched while a peer registers', async () => {
  const lines = (await run('watch-the-machines')).split('\n');
  expect(lines[0]).toMatch(/^machines: peer, socket, directory-client/);
  expect(lines).toContain('directory-client: listing.checked → "registered"');
});
