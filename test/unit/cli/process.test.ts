/** What only a process of its own shows: signals, pipes, exit codes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { hasTool } from '../../support/tools.ts';
import { freshFolder, initHome } from './support.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const HELLO = '000000050000080000000003626f62';

function start(...argv: string[]) {
  return spawn(process.execPath, [main, ...argv], { stdio: 'pipe' });
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'exit');
  return code;
}

test('--version tells the version alone', async () => {
  const child = start('--version');
  const [out, code] = await Promise.all([text(child.stdout), exitCode(child)]);
  expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(code).toBe(0);
});

test('reads from a pipe and writes into one', async () => {
  const child = start('decode', '-', '--json');
  child.stdin.end(`${HELLO}\n`.repeat(2_000));
  const [out, code] = await Promise.all([text(child.stdout), exitCode(child)]);
  expect(code).toBe(0);
  expect(out.trimEnd().split('\n')).toHaveLength(2_000);
});

test.for(['SIGINT', 'SIGTERM'] as const)('%s ends a command, with 130', async (signal) => {
  const child = start('decode', '-', '--json');
  child.stdin.write(`${HELLO}\n`);
  await once(child.stdout, 'data');
  child.kill(signal);
  expect(await exitCode(child)).toBe(130);
});

test('ends quietly when nobody reads any longer', async () => {
  const child = start('decode', '-', '--json');
  const stderr = text(child.stderr);
  child.stdin.on('error', () => {});
  child.stdin.write(`${HELLO}\n`);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.stdin.write(`${HELLO}\n`.repeat(10));
  expect(await exitCode(child)).toBe(0);
  expect(await stderr).toBe('');
});

test('ends quietly when nobody reads the version', async () => {
  const child = start('--version');
  const stderr = text(child.stderr);
  child.stdout.destroy();
  expect(await exitCode(child)).toBe(0);
  expect(await stderr).toBe('');
});

const FULL = '/dev/full';

describe.skipIf(!existsSync(FULL))('output that cannot be written (skipped without /dev/full)', () => {
  test.for([['--version'], ['help'], ['config'], ['decode', HELLO], ['completion', 'bash'], ['config', '--json']])(
    '%j says so, and ends with 1',
    async (argv) => {
      const { status, stderr } = spawnSync(process.execPath, [main, ...argv], {
        stdio: ['ignore', openSync(FULL, 'w'), 'pipe'],
        encoding: 'utf8',
      });
      expect(stderr).toMatch(/^murmure: the output could not be written: the disk is full; .*\n$/);
      expect(status).toBe(1);
    },
  );
});

/** `script` of util-linux gives a program a terminal. */
describe.skipIf(!hasTool('script'))('at a terminal (skipped without util-linux’s script)', () => {
  /** Runs it, types each answer once the question before it was asked, and gives what was on the screen. */
  async function converse(argv: readonly string[], answers: readonly (readonly [RegExp, string])[], env = {}) {
    const command = [process.execPath, main, ...argv].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      stdio: 'pipe',
      env: { ...process.env, TERM: 'xterm', ...env },
    });
    const left = [...answers];
    let screen = '';
    let unread = '';
    child.stdout.setEncoding('utf8').on('data', (some: string) => {
      screen += some;
      unread += some;
      const [next] = left;
      if (next === undefined || !next[0].test(unread)) return;
      left.shift();
      unread = '';
      child.stdin.write(next[1]);
    });
    return { code: await exitCode(child), screen };
  }

  test('a passphrase is typed twice, and is not to be seen; one may be mistyped twice', async () => {
    const home = await initHome();
    const twice = [
      [/New passphrase/, 'secret\r'],
      [/passphrase again/, 'secret\r'],
    ] as const;
    const { code, screen } = await converse(['key', 'passphrase', '--home', home], twice);
    expect(code).toBe(0);
    expect(screen).not.toContain('secret');
    expect(readFileSync(join(home, 'key.pem'), 'utf8')).toContain('ENCRYPTED');
    const sign = (...typed: string[]) =>
      converse(
        ['key', 'export', join(freshFolder(), '..', 'backup.json'), '--home', home],
        typed.map((text, index) => [index === 0 ? /Passphrase of the key/ : /does not open.*Passphrase of/s, text]),
      );
    expect((await sign('secret\r')).code).toBe(0);
    expect((await sign('wrong\r', 'secret\r')).code).toBe(0);
    expect((await sign('wrong\r', 'wrong\r', 'wrong\r')).code).toBe(6);
    expect((await sign('\u0003')).code).toBe(130);
  });

  test('a message is written in the editor that the environment names', async () => {
    const home = await initHome();
    const folder = freshFolder();
    mkdirSync(folder);
    const editor = join(folder, 'editor');
    writeFileSync(editor, '#!/bin/sh\necho "from the editor" > "$1"\n', { mode: 0o755 });
    const { code, screen } = await converse(['post', '--home', home], [], { VISUAL: editor, EDITOR: editor });
    expect(code).toBe(0);
    expect(screen).toContain('from the editor');
  });
});
