/** What a home remembers of those it talks to. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { FullDiskError } from '../../../src/store/store-errors.ts';
import { freshFolder, NOON_MS, openFile, openInMemory } from './support.ts';

const KEY = 'A'.repeat(86);
const OTHER_KEY = 'B'.repeat(86);
const MINUTE_MS = 60_000;
/** After all that is noted, but for what a clock that was ahead has noted. */
const LATER_MS = NOON_MS + 60 * MINUTE_MS;
const MOST = 4_096;

const newFile = () => join(freshFolder(), 'store.db');

/** Looks at the database beside the store. */
function rows(file: string, sql: string): unknown[] {
  const db = new DatabaseSync(file);
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}

describe('where a peer answered last', () => {
  test('is known after a restart, and is where it was last', () => {
    const file = newFile();
    {
      using store = openSqliteStore(file);
      expect(store.addressOf('alice')).toBeUndefined();
      store.noteAddress('alice', '192.0.2.1:4000');
      store.noteAddress('alice', '192.0.2.1:4001');
      store.noteAddress('bob', '192.0.2.2:4000');
    }
    const store = openFile(file);
    expect(['alice', 'bob'].map((name) => store.addressOf(name))).toEqual(['192.0.2.1:4001', '192.0.2.2:4000']);
  });

  test('is known of the newest 4,096', () => {
    const file = newFile();
    const store = openFile(file);
    for (let i = 0; i <= MOST; i++) store.noteAddress(`peer ${i}`, '192.0.2.1:4000');
    expect(rows(file, 'SELECT count(*) AS known FROM whereabouts')).toEqual([{ known: MOST }]);
    expect(store.addressOf('peer 0')).toBeUndefined();
  });
});

describe('proven readers', () => {
  test('are known by when they last read, the last one first', () => {
    const store = openInMemory();
    store.noteReader('alice', NOON_MS);
    store.noteReader('bob', NOON_MS + 1);
    expect(store.readersSince(NOON_MS, LATER_MS)).toEqual(['bob', 'alice']);
    expect(store.readersSince(NOON_MS + 1, LATER_MS)).toEqual(['bob']);
    store.noteReader('alice', NOON_MS + 10 * MINUTE_MS);
    expect(store.readersSince(NOON_MS + 2, LATER_MS)).toEqual(['alice']);
  });

  test('are written down once in three minutes, however much they read', () => {
    const file = newFile();
    const store = openFile(file);
    const written = () => rows(file, 'SELECT last_ms FROM readers');
    for (let second = 0; second < 180; second++) store.noteReader('alice', NOON_MS + second * 1_000);
    expect(written()).toEqual([{ last_ms: NOON_MS }]);
    store.noteReader('alice', NOON_MS + 3 * MINUTE_MS);
    expect(written()).toEqual([{ last_ms: NOON_MS + 3 * MINUTE_MS }]);
  });

  test('are written down at once where the clock was set back', () => {
    const store = openInMemory();
    store.noteReader('alice', NOON_MS);
    store.noteReader('alice', NOON_MS - MINUTE_MS);
    expect(store.readersSince(NOON_MS, LATER_MS)).toEqual([]);
    expect(store.readersSince(NOON_MS - MINUTE_MS, LATER_MS)).toEqual(['alice']);
  });

  test('are the newest 4,096: those noted longest ago are forgotten, whatever the clock said', () => {
    const store = openInMemory();
    for (let i = 0; i < MOST; i++) store.noteReader(`ahead ${i}`, NOON_MS + 1_000_000_000);
    store.noteReader('ahead 0', NOON_MS + 2_000_000_000);
    for (let i = 0; i < 10; i++) store.noteReader(`now ${i}`, NOON_MS);
    const known = store.readersSince(0, NOON_MS);
    expect(known).toHaveLength(MOST);
    expect(known).toEqual(expect.arrayContaining(['now 0', 'now 9', 'ahead 0', 'ahead 11']));
    expect(known).not.toContain('ahead 10');
  });

  test('that a clock noted in the future, which was set back since, are forgotten a day later', () => {
    const file = newFile();
    const day = 24 * 60 * MINUTE_MS;
    {
      using store = openSqliteStore(file);
      store.noteReader('ahead', NOON_MS + 400 * day);
      store.noteReader('bob', NOON_MS);
    }
    expect(openFile(file).readersSince(NOON_MS - day, NOON_MS)).toEqual(['bob', 'ahead']);
    expect(openFile(file).readersSince(NOON_MS, NOON_MS + day)).toEqual(['bob', 'ahead']);
    expect(openFile(file).readersSince(NOON_MS + 1, NOON_MS + day + 1)).toEqual([]);
  });

  test('outlive a restart', () => {
    const file = newFile();
    {
      using store = openSqliteStore(file);
      store.noteReader('alice', NOON_MS);
    }
    expect(openFile(file).readersSince(NOON_MS, LATER_MS)).toEqual(['alice']);
  });

  test('are not tried again with every read where the disk is full', () => {
    const file = newFile();
    openSqliteStore(file).close();
    const store = openSqliteStore(file, { maxPages: 1 });
    onTestFinished(() => store.close());
    const note = (i: number) => store.noteReader(`${i}`.padEnd(250, 'x'), NOON_MS);
    let full = 0;
    for (; full < 200; full++) {
      try {
        note(full);
      } catch (error) {
        expect(error).toBeInstanceOf(FullDiskError);
        expect((error as Error).message).toContain(file);
        break;
      }
    }
    expect(full).toBeLessThan(200);
    expect(() => note(full)).not.toThrow();
  });
});

describe('habits', () => {
  const zeroEnding = { zeroEndingIds: true, noFlags: false };
  const plain = { zeroEndingIds: false, noFlags: true };

  test('are known by address and key', () => {
    const store = openInMemory();
    store.noteHabit('192.0.2.1:4000', KEY, zeroEnding, NOON_MS);
    store.noteHabit('192.0.2.1:4000', null, plain, NOON_MS);
    expect(store.habitOf('192.0.2.1:4000', KEY)).toEqual(zeroEnding);
    expect(store.habitOf('192.0.2.1:4000', null)).toEqual(plain);
    expect(store.habitOf('192.0.2.1:4000', OTHER_KEY)).toBeUndefined();
    expect(store.habitOf('192.0.2.1:4001', KEY)).toBeUndefined();
  });

  test('change, and are not written again while they stay the same', () => {
    const file = newFile();
    const store = openFile(file);
    const written = () => rows(file, 'SELECT zero_ending_ids, noted_ms FROM habits');
    store.noteHabit('192.0.2.1:4000', KEY, zeroEnding, NOON_MS);
    store.noteHabit('192.0.2.1:4000', KEY, zeroEnding, NOON_MS + MINUTE_MS);
    expect(written()).toEqual([{ zero_ending_ids: 1, noted_ms: NOON_MS }]);
    store.noteHabit('192.0.2.1:4000', KEY, plain, NOON_MS + 2 * MINUTE_MS);
    expect(written()).toEqual([{ zero_ending_ids: 0, noted_ms: NOON_MS + 2 * MINUTE_MS }]);
  });

  test('are the newest 4,096', () => {
    const store = openInMemory();
    for (let port = 1; port <= MOST + 5; port++) store.noteHabit(`192.0.2.1:${port}`, null, plain, NOON_MS);
    expect(store.habitOf('192.0.2.1:5', null)).toBeUndefined();
    expect(store.habitOf('192.0.2.1:6', null)).toEqual(plain);
    expect(store.habitOf(`192.0.2.1:${MOST + 5}`, null)).toEqual(plain);
  });
});

test('unsigned Roots are believed of one peer under one key, until they are not', () => {
  const store = openInMemory();
  expect(store.trustsUnsigned('carol', KEY)).toBe(false);
  store.setTrustUnsigned('carol', KEY, true);
  store.setTrustUnsigned('carol', KEY, true);
  expect(store.trustsUnsigned('carol', KEY)).toBe(true);
  expect(store.trustsUnsigned('carol', OTHER_KEY)).toBe(false);
  expect(store.trustsUnsigned('bob', KEY)).toBe(false);
  store.setTrustUnsigned('carol', KEY, false);
  expect(store.trustsUnsigned('carol', KEY)).toBe(false);
});

test('a changed key that is accepted takes the place of the pinned one, and the one before is told', () => {
  const store = openInMemory();
  expect(store.repinKey('alice', KEY, NOON_MS)).toBeUndefined();
  store.setFollowing('alice', true, NOON_MS);
  expect(store.pinKey('alice', OTHER_KEY, NOON_MS)).toBe('changed');
  expect(store.repinKey('alice', OTHER_KEY, NOON_MS)).toBe(KEY);
  expect(store.pinKey('alice', OTHER_KEY, NOON_MS)).toBe('same');
  expect(store.pinKey('alice', KEY, NOON_MS)).toBe('changed');
  expect(store.peer('alice')).toMatchObject({ key: OTHER_KEY, following: true });
});
