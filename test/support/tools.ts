/** Tools of the machine that some tests need; `.ci/packages` says which package has them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Arguments with which each of them ends at once, and well. */
const PROBES = {
  bash: ['-c', '(( BASH_VERSINFO[0] >= 4 ))'],
  chromium: ['--version'],
  fish: ['-c', 'true'],
  ip: ['-V'],
  nft: ['--version'],
  nsenter: ['--version'],
  openssl: ['version'],
  'redis-server': ['--version'],
  // That of other systems takes other arguments.
  script: ['-qec', 'true', '/dev/null'],
  'systemd-analyze': ['--version'],
  tmux: ['-V'],
  unshare: ['--version'],
  zsh: ['-c', 'true'],
} as const satisfies Record<string, readonly string[]>;

export type Tool = keyof typeof PROBES;

/** The commands that `.ci/run` sees to. */
const seenTo = readFileSync(new URL('../../.ci/packages', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => line.split(/\s/)[0]);

/** Whether tests that need it can run. @throws in CI, where a test that is skipped for want of a tool would prove nothing */
export function hasTool(tool: Tool): boolean {
  if (!seenTo.includes(tool))
    throw new Error(`tests need ${tool}: add it, and the package that has it, to .ci/packages`);
  const isThere = spawnSync(tool, PROBES[tool]).status === 0;
  if (!isThere && process.env.CI === 'true') throw new Error(`tests need ${tool}, which is missing here: install it`);
  return isThere;
}
