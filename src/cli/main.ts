#!/usr/bin/env node
/** The executable: it says which Node.js it needs before it loads anything that needs it. */
import { whyNotThisNode } from '../runtime/node-version.ts';

const why = whyNotThisNode(process.versions.node);
if (why === undefined) {
  const { printVersion } = await import('./print-version.ts');
  if (!printVersion(process.argv.slice(2))) {
    const { setFlagsFromString } = await import('node:v8');
    const { V8_FLAGS } = await import('../runtime/v8-flags.ts');
    for (const flag of V8_FLAGS) setFlagsFromString(flag);
    const { enableCompileCache } = await import('node:module');
    // Later starts need not compile what the first one did, and take half the time.
    enableCompileCache();
    const { runProcess } = await import('./run-process.ts');
    await runProcess();
  }
} else {
  console.error(why);
  process.exitCode = 1;
}
