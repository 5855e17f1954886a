/** What only a process of its own shows: signals, pipes, exit codes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const HELLO = '000000050000080000000003626f62';

function start(...argv: string[]) {
  return spawn(process.execPath, [main, ...argv], { stdio: 'pipe' });
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'exit');
  return code;
}

test('--version is quick', async () => {
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

test.for(['SIGINT', 'SIGTERM'] as const)('%s ends a command within two seconds, with 130', async (signal) => {
  const child = start('decode', '-', '--json');
  child.stdin.write(`${HELLO}\n`);
  await once(child.stdout, 'data');
  const startMs = Date.now();
  child.kill(signal);
  expect(await exitCode(child)).toBe(130);
  expect(Date.now() - startMs).toBeLessThan(2_000);
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
