/** The way in. What a run needs is loaded only once it is clear that there is one. */
import { enableCompileCache } from 'node:module';
import { packageVersion } from '../runtime/version.ts';

/** Does what the process's arguments ask for, then ends the process. */
export async function main(): Promise<void> {
  if (process.argv.length === 3 && process.argv[2] === '--version') {
    process.stdout.write(`${packageVersion()}\n`);
    return;
  }
  // The second start need not compile what the first one did: the home screen is there in half the time.
  enableCompileCache();
  const { runProcess } = await import('./run-process.ts');
  await runProcess();
}

if (import.meta.main) await main();
