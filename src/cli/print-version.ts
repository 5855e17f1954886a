/** The answer to `murmure --version` alone, for which nothing else is loaded: scripts and installers ask this before anything else. */
import { writeSync } from 'node:fs';
import { packageVersion } from '../runtime/version.ts';

const STDOUT = 1;

/** False, and nothing is done, if something else is asked, or if it cannot be written: the command line says why. */
export function printVersion(argv: readonly string[]): boolean {
  if (argv.length !== 1 || (argv[0] !== '--version' && argv[0] !== '-V')) return false;
  try {
    writeSync(STDOUT, `${packageVersion()}\n`);
    return true;
  } catch {
    return false;
  }
}
