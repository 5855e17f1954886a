/** An older Node.js must be able to link the library, or nothing can say which one is needed. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What the sources use and Node.js 20 does not have: an import of it by name cannot be linked there. */
const LATER = /^import (?!type )[^;]*(?:\bfindPackageJSON\b|\bgetCACertificates\b|from 'node:sqlite')/m;

test('nothing is imported by name that an older Node.js does not have', () => {
  const files = globSync('{src,machines}/**/*.ts');
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((file) => LATER.test(readFileSync(file, 'utf8')))).toEqual([]);
});

test('the library says first which Node.js it needs', () => {
  const imports = readFileSync('src/index.ts', 'utf8').matchAll(/^(?:import|export) [^;]*'(.*)';/gm);
  expect([...imports][0]?.[1]).toBe('./runtime/require-node.ts');
});
