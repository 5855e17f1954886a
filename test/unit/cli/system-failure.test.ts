/** What the system refuses is said in a sentence: what could not be done, to what, and what to do. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { systemFailure } from '../../../src/cli/output/system-failure.ts';
import { withFile } from '../../../src/identity/file-errors.ts';

const error = (code: string, syscall: string, path?: string) =>
  Object.assign(new Error(`${code}: …`), { code, syscall, path });

test.for([
  ['ENOSPC', 'write', '/a', '/a could not be written: the disk is full; make room'],
  ['ENOSPC', 'write', undefined, 'a file could not be written: the disk is full; make room'],
  ['EACCES', 'mkdir', '/a', '/a could not be created: permission denied; make sure that it and its folder are yours'],
  ['EROFS', 'open', '/a', '/a could not be opened: the file system is read-only; choose another place'],
] as const)('%s on %s of %s', ([code, syscall, path, sentence]) => {
  expect(systemFailure(error(code, syscall, path))).toContain(sentence);
});

test('what the system says of itself', () => {
  try {
    readFileSync('/nowhere/at all');
    expect.unreachable();
  } catch (cause) {
    expect(systemFailure(cause)).toMatch(/^\/nowhere\/at all could not be opened: there is no such file or folder; /);
  }
});

test('nothing of other errors', () => {
  expect(systemFailure(new TypeError('x is not a function'))).toBeUndefined();
  expect(systemFailure(error('ECONNRESET', 'read'))).toBeUndefined();
  expect(systemFailure('ENOSPC')).toBeUndefined();
});

test.skipIf(!existsSync('/dev/full'))('a file that was open already is named all the same', async () => {
  const { writeFile } = await import('node:fs/promises');
  const cause = await writeFile('/dev/full', 'x').catch((error: unknown) => error);
  expect(systemFailure(cause)).toMatch(/^a file could not be written/);
  expect(systemFailure(withFile(cause, '/home/key.pem'))).toMatch(
    /^\/home\/key\.pem could not be written: the disk is full/,
  );
  expect(withFile(error('EACCES', 'open', '/a'), '/b')).toMatchObject({ path: '/a' });
});
