/** The help of every command ends with examples, each of which is a command line that is understood. */
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { run } from './support.ts';

const sink = { write: () => {} };

/** All commands that the help shows, the program itself among them, by the words that call them. */
function commandsOf(command: Command, path: readonly string[] = []): (readonly string[])[] {
  const below = command.createHelp().visibleCommands(command);
  return [path, ...below.flatMap((child) => commandsOf(child, [...path, child.name()]))];
}
const everything = await createProgram({ stdout: sink, stderr: sink, env: {} }, async () => {});
const commands = commandsOf(everything).map((path) => [path.join(' ')] as const);

/** As a shell would take it apart, as far as examples go. */
function wordsOf(line: string): string[] {
  const withoutPipes = line.replace(/ [<>|].*$/, '');
  return [...withoutPipes.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
}

/** Whether the command line is understood; nothing of it is done. */
async function isUnderstood(argv: readonly string[]): Promise<boolean> {
  let wasCalled = false;
  const program = await createProgram({ stdout: sink, stderr: sink, env: {} }, async () => {
    wasCalled = true;
  });
  await program.parseAsync([...argv], { from: 'user' }).catch(() => {});
  return wasCalled || argv[0] === 'help';
}

test.for(commands)('murmure %s --help', async ([path]) => {
  const words = path === '' ? [] : path.split(' ');
  const { code, out } = await run(words[0] === 'help' ? ['help'] : [...words, '--help']);
  expect(code).toBe(0);
  const [, shown = ''] = out.split(/\nExamples?:\n/);
  const lines = shown.split('\n').filter(Boolean);
  expect(lines, 'examples').not.toEqual([]);
  for (const line of lines) {
    expect(line).toMatch(/^ {2}murmure /);
    const argv = wordsOf(line).slice(1);
    if (path !== 'help') expect(path === '' || argv.join(' ').startsWith(words[0] ?? ''), line).toBe(true);
    expect(await isUnderstood(argv), line).toBe(true);
  }
});

test.each(['-h', '-V'])('%s is known everywhere', async (flag) => {
  for (const argv of [[flag], ['post', flag], ['key', 'show', flag]])
    expect((await run(argv)).code, argv.join(' ')).toBe(0);
});
