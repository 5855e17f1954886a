/** Every command, given what nobody should type: a sentence that names it, exit 2, and nothing done. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { badArguments } from './bad-arguments.ts';
import { run } from './support.ts';

const JOURNAL = fileURLToPath(new URL('../../replay/first-sync.jsonl', import.meta.url));
const MANY = 100;
/** However long an argument is: what is said about it is read by people. */
const LONGEST_LINE = 1_000;

const folder = mkdtempSync(join(tmpdir(), 'murmure-bad-arguments-'));
const home = join(folder, 'home');
const cases = Object.entries(badArguments).flatMap(([command, rows]) =>
  rows.map(([words, sentence]) => {
    const argv = [...command.split(' ').filter(Boolean), ...words];
    return { typed: typed(argv), argv: argv.map((word) => (word === 'JOURNAL' ? JOURNAL : word)), sentence };
  }),
);

/** For the title of a test. */
function typed(argv: readonly string[]): string {
  return argv
    .map((word) => JSON.stringify(word.length > 80 ? `${word.slice(0, 20)}… (${word.length})` : word))
    .join(' ');
}

/** A flag that is being tested is not given twice. */
function whereIsHome(argv: readonly string[]): Record<string, string> {
  const has = (flag: string) => argv.includes(flag);
  return has('--profile') ? {} : { MURMURE_HOME: home };
}
const settingsOf = (argv: readonly string[]) => ({
  env: { ...whereIsHome(argv), MURMURE_DIRECTORY: 'https://directory.example' },
});

const contents = () => ({ files: readdirSync(folder, { recursive: true }).sort(), ...stored() });

function stored() {
  using store = openSqliteStore(join(home, 'store.db'));
  return { root: store.ownFeed().root, peers: store.peers() };
}

let before: ReturnType<typeof contents>;

beforeAll(async () => {
  mkdirSync(home);
  for (const argv of [
    ['init', 'alice'],
    ['post', 'precious'],
  ])
    await run(argv, settingsOf(argv));
  before = contents();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202a-\u202e\u2066-\u2069]/;

const program = await createProgram({ stdout: process.stdout, stderr: process.stderr, env: {} }, async () => {});

describe('bad arguments', () => {
  test.for(cases)('$typed', async ({ argv, sentence }) => {
    const { code, out, err } = await run(argv, settingsOf(argv));
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: expect.stringMatching(sentence) });
    expect(err).not.toMatch(/^\s+at /m);
    expect(err).not.toMatch(UNSAFE);
    const [said = '', hint, ...more] = err.trimEnd().split('\n');
    expect(said).toMatch(/^murmure: /);
    expect(said.length).toBeLessThan(LONGEST_LINE);
    expect(hint).toMatch(/^Try "murmure( [a-z-]+){0,2} --help"\.$/);
    expect(more).toEqual([]);
  });

  test.for(cases)('with --json, $typed', async ({ argv, sentence }) => {
    const { code, out, lines } = await run(['--json', ...argv], settingsOf(argv));
    expect(code).toBe(2);
    expect(lines).toEqual([{ error: { code: 'usage', message: expect.stringMatching(sentence) } }]);
    expect(out.length).toBeLessThan(LONGEST_LINE + 100);
  });

  test('are many', () => expect(cases.length).toBeGreaterThanOrEqual(MANY));

  test.for(commandsOf(program, ''))('%s has some', (command) => expect(badArguments[command] ?? []).not.toEqual([]));

  test('leave everything as it was', () => expect(contents()).toEqual(before));
});

/** The words that call each command, and each group of commands. */
function commandsOf(command: Command, path: string): string[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.flatMap((child) => {
    if (path !== '' && child.name() === 'help') return [];
    const words = `${path} ${child.name()}`.trim();
    return [words, ...commandsOf(child, words)];
  });
}
