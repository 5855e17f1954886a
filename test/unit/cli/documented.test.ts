/** docs/cli.md has every command, option, setting, exit code, and every member of what is printed with --json. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../../src/cli/output/exit-codes.ts';
import { createProgram } from '../../../src/cli/program.ts';
import { schemas } from '../../support/cli-schemas.ts';
import { freshFolder, run } from './support.ts';

const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| (.+?) \| (.+) \|$/gm)].map(([, head = '', rest = '']) => ({ head, rest }));
const sink = { write: () => {} };
const program = await createProgram({ stdout: sink, stderr: sink, env: {} }, async () => {});

/** All commands that do something, by the words that call them. */
function commandsOf(command: Command, path: string): Map<string, Command> {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
  const own = below.length === 0 || path in schemas ? [[path, command] as const] : [];
  return new Map([...own, ...below.flatMap((child) => [...commandsOf(child, `${path} ${child.name()}`.trim())])]);
}
const commands = commandsOf(program, '');

/** The rows that describe a command, and those that say what it prints. */
const rowsOf = (name: string) => rows.filter(({ head }) => new RegExp(`\`${name}[ \`]`).test(head));

/** The names of all members of a schema, however deep. */
function membersOf(schema: unknown): string[] {
  const { entries, options, item, wrapped } = schema as {
    entries?: Record<string, v.GenericSchema>;
    options?: readonly unknown[];
    item?: unknown;
    wrapped?: unknown;
  };
  const own = Object.entries(entries ?? {}).flatMap(([name, value]) => [name, ...membersOf(value)]);
  const choices = (options ?? []).filter((option) => typeof option === 'object').flatMap(membersOf);
  return [...own, ...choices, ...(item ? membersOf(item) : []), ...(wrapped ? membersOf(wrapped) : [])];
}

describe.each([...commands])('%s', (name, command) => {
  test('is described, with its options', () => {
    const [described] = rowsOf(name);
    expect(described, name).toBeDefined();
    for (const { long } of command.options) expect(`${described?.head} ${described?.rest}`).toContain(long);
  });

  test('prints nothing with --json that is not documented', () => {
    const schema = schemas[name];
    expect(schema, `a schema of ${name}`).toBeDefined();
    const printed = rowsOf(name).at(-1)?.rest ?? '';
    const named = [...printed.matchAll(/…(\w+)/g)].map(
      ([, word]) => rows.find(({ head }) => head === word)?.rest ?? '',
    );
    const text = [printed, ...named].join(' ');
    for (const member of membersOf(schema)) expect(text, `${name}: ${member}`).toMatch(new RegExp(`\\b${member}\\b`));
  });
});

test('has every option that holds for every command, and no command that is not there', () => {
  for (const { long } of program.options) expect(page).toContain(`\`${long}`);
  for (const name of Object.keys(schemas)) expect([...commands.keys()]).toContain(name);
});

test('has every setting', async () => {
  const { lines } = await run(['config', '--json', '--home', freshFolder()]);
  for (const { setting } of lines) expect(page).toContain(setting);
});

test('has every error code, with its exit code', () => {
  const codes = [...page.matchAll(/^\| (\d+) \| `([\w-]+)` \|/gm)].map(([, exit, code]) => [code, Number(exit)]);
  expect(codes).toHaveLength(9);
  for (const [code, exit] of codes) expect(exitCodeOf(String(code))).toBe(exit);
});
