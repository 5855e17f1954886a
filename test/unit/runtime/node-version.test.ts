import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as api from '../../../src/index.ts';
import * as library from '../../../src/library.ts';
import { whyNotThisNode } from '../../../src/runtime/node-version.ts';

test.each(['24.15.0', '24.99.0', '26.0.0', '27.1.0'])('%s will do', (version) => {
  expect(whyNotThisNode(version)).toBeUndefined();
});

test.each(['20.20.2', '22.99.0', '24.14.9', '25.3.0'])('%s does not, and what does is said', (version) => {
  expect(whyNotThisNode(version)).toMatch(`24.15 or later, or 26, but this is ${version}`);
});

test('the library that programs import is the public API', () => {
  expect(Object.fromEntries(Object.entries(library))).toEqual(Object.fromEntries(Object.entries(api)));
});

test('on an older Node.js the library says which one it needs, and loads nothing else', async () => {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' });`;
  const url = new URL('../../../src/library.ts', import.meta.url);
  const code = `${pretend} await import(${JSON.stringify(url)}).catch(({ message }) => console.log(message));`;
  const { promise, resolve } = Promise.withResolvers<string>();
  const node = join(import.meta.dirname, '../../../node_modules/.bin/node');
  execFile(node, ['--input-type=module', '--eval', code], (_error, stdout) => resolve(stdout));
  expect(await promise).toMatch(/^murmure needs Node\.js 24\.15 or later/);
});
