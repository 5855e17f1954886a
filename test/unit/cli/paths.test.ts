/** `~` in what is typed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Argument, Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { freshFolder, initHome, run } from './support.ts';

const sink = { write: () => {} };
const program = await createProgram({ stdout: sink, stderr: sink, env: { HOME: '/home/carol' } }, async () => {});

interface Declared {
  readonly where: string;
  readonly value: Argument | Option;
}

function pathsOf(command: Command, words: string): Declared[] {
  const own = [
    ...command.options.filter(({ flags }) => /<(?:file|dir)>/.test(flags)),
    ...command.registeredArguments.filter((argument) => /^(?:file|folder)$/.test(argument.name())),
  ].map((value) => ({ where: `${words} ${value.name()}`, value }));
  return [...own, ...command.commands.flatMap((child) => pathsOf(child, `${words} ${child.name()}`))];
}

const declared = pathsOf(program, 'murmure');

test('there are paths in at least ten commands', () => {
  expect(new Set(declared.map(({ where }) => where.split(' ')[1])).size).toBeGreaterThan(10);
});

test.each(declared)('$where: a leading ~ stands for the home folder of the person', ({ value }) => {
  const read = (text: string) => [value.parseArg?.(text, undefined)].flat();
  expect(read('~/a b')).toEqual(['/home/carol/a b']);
  expect(read('a~/b')).toEqual(['a~/b']);
  expect(read('~carol/b')).toEqual(['~carol/b']);
});

test('several paths are all expanded', () => {
  const files = declared.find(({ where }) => where === 'murmure inspect file')?.value;
  expect(files?.parseArg?.('~/b', files.parseArg('~/a', undefined))).toEqual(['/home/carol/a', '/home/carol/b']);
});

test('what init and config set write into the settings is expanded', async () => {
  const env = { HOME: '/home/carol' };
  const home = freshFolder();
  await run(['init', 'carol', '--home', home, '--directory', 'https://d', '--ca=~/ca.pem'], { env });
  expect(readFileSync(join(home, 'config.toml'), 'utf8')).toContain('ca = "/home/carol/ca.pem"');
  await run(['config', 'set', 'ca', '~/other.pem', '--home', home], { env });
  expect(readFileSync(join(home, 'config.toml'), 'utf8')).toContain('ca = "/home/carol/other.pem"');
});

test('a registry in a file of the home folder is found', async () => {
  const env = { HOME: await initHome() };
  const { err } = await run(['directory', 'migrate', '--from', 'sqlite:~/none.db', '--to', 'sqlite:~/b.db'], { env });
  expect(err).toContain(join(env.HOME, 'none.db'));
});
