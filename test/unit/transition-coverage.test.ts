/** The reporter of transition coverage, in a run of its own over two machines that are walked in part. */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { machines } from '../../machines/index.ts';
import { partsOf } from '../support/machine-parts.ts';

const half = fileURLToPath(new URL('../support/fixtures/half-walked', import.meta.url));
const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')));

async function runVitest(...args: string[]): Promise<{ exitCode: number; output: string }> {
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, [vitest, 'run', '--root', half, ...args], { env });
  const exit = new Promise<number>((resolve) => child.once('close', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { exitCode: await exit, output: output + errors };
}

test('a run of all tests fails, and names each state and transition that no test walked', async () => {
  const { exitCode, output } = await runVitest('--reporter=dot');
  expect(exitCode).toBe(1);
  expect(output).toContain('Tests  4 passed (4)');
  expect(output.slice(output.indexOf('machine  states')).trim().split('\n')).toEqual([
    'machine  states  transitions',
    'door        2/4          2/5',
    'window      2/2          1/1',
    'all         4/6          3/6',
    '',
    'No test walks these:',
    '  door: inside is never entered',
    '  door: gone is never entered',
    '  door: every state –leave→ (stays)',
    '  door: outside –knock [isOpen]→ inside',
    '  door: outside –after patience→ gone',
  ]);
});

test.for([
  ['by name', ['-t', 'door']],
  ['by file', ['elsewhere', '--passWithNoTests']],
  ['by project', ['--project', 'half']],
] as const)('a run of some tests, chosen %s, says nothing of coverage', async ([, args]) => {
  const { exitCode, output } = await runVitest(...args);
  expect(exitCode).toBe(0);
  expect(output).not.toContain('machine ');
});

test('transitions of one event are told apart, in every machine', () => {
  const names = Object.values(machines).flatMap((machine) => [...partsOf(machine).transitions.values()]);
  expect(names).toContain('request: open –answer.received [isUnfit]→ (stays)');
  expect(names).toContain('request: open –answer.received [else]→ idle');
  expect(new Set(names).size).toBe(names.length);
});
