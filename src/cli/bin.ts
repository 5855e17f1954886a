#!/usr/bin/env node
/** The installed executable: says which Node it needs before it loads anything that needs it. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major >= 26 || (major === 24 && minor >= 15)) {
  const { main } = await import('./main.ts');
  await main();
} else {
  console.error(
    `murmure needs Node.js 24.15 or later, or 26; this is ${process.versions.node}: see https://nodejs.org/`,
  );
  process.exitCode = 1;
}
