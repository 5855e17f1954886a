#!/usr/bin/env node
/** The executable: it says which Node.js it needs before it loads anything that needs it. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major >= 26 || (major === 24 && minor >= 15)) {
  const { printVersion } = await import('./print-version.ts');
  if (!printVersion(process.argv.slice(2))) {
    const { setFlagsFromString } = await import('node:v8');
    // XState copies a context with Object.assign; beyond some 18 fields V8 would make that a dictionary, ten times as slow to copy.
    setFlagsFromString('--fast-properties-soft-limit=128');
    const { enableCompileCache } = await import('node:module');
    // Later starts need not compile what the first one did, and take half the time.
    enableCompileCache();
    const { runProcess } = await import('./run-process.ts');
    await runProcess();
  }
} else {
  console.error(
    `murmure needs Node.js 24.15 or later, or 26, but this is ${process.versions.node}. Install it from https://nodejs.org/`,
  );
  process.exitCode = 1;
}
