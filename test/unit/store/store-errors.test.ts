/** What the system can make SQLite say becomes a sentence: what happened, to what file, and what to do. */
import { expect, test } from 'vitest';
import { asStoreError } from '../../../src/store/store-errors.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';

const thrown = (errcode: number) =>
  Object.assign(new Error('as SQLite says it'), { code: 'ERR_SQLITE_ERROR', errcode });

test.for([
  ['SQLITE_PERM', 3, 'unexpected', '/a/store.db cannot be written: make it'],
  [
    'SQLITE_BUSY_SNAPSHOT',
    517,
    'unexpected',
    '/a/store.db is in use by another program and was not released: try again',
  ],
  ['SQLITE_LOCKED', 6, 'unexpected', '/a/store.db is in use by another program and was not released: try again'],
  ['SQLITE_NOMEM', 7, 'unexpected', 'there is not enough memory to work on /a/store.db: close other programs'],
  ['SQLITE_READONLY_DIRECTORY', 1544, 'unexpected', '/a/store.db cannot be written: make it'],
  [
    'SQLITE_IOERR_WRITE',
    778,
    'unexpected',
    '/a/store.db could not be read or written (as SQLite says it): check whether',
  ],
  [
    'SQLITE_IOERR_SHMSIZE',
    4874,
    'unexpected',
    'the disk is full, so nothing could be written to /a/store.db: make room',
  ],
  ['SQLITE_CORRUPT_INDEX', 779, 'invalid-data', 'the database /a/store.db is damaged (as SQLite says it): restore it'],
  ['SQLITE_FULL', 13, 'unexpected', 'the disk is full, so nothing could be written to /a/store.db: make room'],
  ['SQLITE_CANTOPEN', 14, 'unexpected', '/a/store.db cannot be opened: check that'],
  ['SQLITE_PROTOCOL', 15, 'unexpected', '/a/store.db is in use by another program and was not released: try again'],
  ['SQLITE_NOLFS', 22, 'unexpected', '/a/store.db could not be read or written (as SQLite says it): check whether'],
  ['SQLITE_NOTADB', 26, 'invalid-data', 'the database /a/store.db is damaged (as SQLite says it): restore it'],
] as const)('%s is a sentence', ([, errcode, code, sentence]) => {
  const error = asStoreError('/a/store.db', thrown(errcode)) as MurmureError;
  expect(error).toBeInstanceOf(MurmureError);
  expect(error.code).toBe(code);
  expect(error.message).toContain(sentence);
});

test('a mistake of ours stays what it is', () => {
  for (const error of [thrown(1), thrown(19), new TypeError('x is not a function')])
    expect(asStoreError('/a/store.db', error)).toBe(error);
});
