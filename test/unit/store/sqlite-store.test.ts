/** What only a file can go through: other processes, damage, a full disk, versions. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import {
  BusyStoreError,
  CannotOpenStoreError,
  CorruptStoreError,
  ForeignStoreError,
  FullDiskError,
  NewerHomeError,
  ReadOnlyStoreError,
} from '../../../src/store/store-errors.ts';
import { bodies, fetchTree, freshFolder, messageNode, NOON, NOON_MS, openFile, treeOf } from './support.ts';

const run = promisify(execFile);
const newFile = () => join(freshFolder(), 'store.db');
const modeOf = (file: string) => statSync(file).mode & 0o777;

/** A file with one message in it, closed. */
function written(): string {
  const file = newFile();
  using store = openSqliteStore(file);
  store.publish('me', { date: NOON, inReplyTo: null, body: 'precious' }, NOON_MS);
  return file;
}

function pragma(file: string, name: string): unknown {
  const db = new DatabaseSync(file);
  try {
    return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  } finally {
    db.close();
  }
}

describe('the file', () => {
  test('is in WAL mode, and at the version of its schema', () => {
    const file = written();
    expect(pragma(file, 'journal_mode')).toBe('wal');
    expect(pragma(file, 'user_version')).toBe(14);
  });

  test('keeps everything when it is closed and opened again', () => {
    const file = newFile();
    const leaves = [messageNode('a'), messageNode('b')];
    const first = openSqliteStore(file);
    fetchTree(first, 'alice', treeOf(leaves));
    first.pinKey('alice', 'K'.repeat(86), NOON_MS);
    first.setFollowing('alice', true, NOON_MS);
    first.markRead([leaves[0]?.hash ?? '']);
    first.publish('me', { date: NOON, inReplyTo: null, body: 'own' }, NOON_MS);
    const seen = { messages: first.messages(), peers: first.peers(), own: first.ownFeed() };
    first.close();
    first.close();
    const again = openFile(file);
    expect({ messages: again.messages(), peers: again.peers(), own: again.ownFeed() }).toEqual(seen);
  });

  test('of a newer version is refused, and left as it is', () => {
    const file = written();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
    const before = readFileSync(file);
    expect(() => openSqliteStore(file)).toThrow(NewerHomeError);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test.for([
    ['random bytes', (file: string) => writeFileSync(file, randomBytes(20_000))],
    ['text', (file: string) => writeFileSync(file, 'Dear database, '.repeat(1_000))],
    ['cut short', (file: string) => truncateSync(file, 6_000)],
  ] as const)('that is damaged (%s) is said to be, and left as it is', ([, damage]) => {
    const file = written();
    damage(file);
    const before = readFileSync(file);
    expect(() => {
      using store = openSqliteStore(file);
      store.messages();
    }).toThrow(CorruptStoreError);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test.for([
    ['without a version', 'CREATE TABLE songs (title TEXT)'],
    ['with a version', 'CREATE TABLE songs (title TEXT); PRAGMA user_version = 4'],
    ['with a table of the same name', 'CREATE TABLE home (street TEXT); PRAGMA user_version = 4'],
    ['without a table', 'PRAGMA user_version = 1'],
  ] as const)('of another program, %s, is refused, and left as it is', ([, sql]) => {
    const file = newFile();
    const db = new DatabaseSync(file);
    db.exec(sql);
    db.close();
    chmodSync(file, 0o644);
    const before = readFileSync(file);
    expect(() => openSqliteStore(file)).toThrow(ForeignStoreError);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(modeOf(file)).toBe(0o644);
    expect(readdirSync(dirname(file))).toEqual(['store.db']);
  });

  test('belongs to its owner alone, and so do the files beside it; one that others could read is closed to them', () => {
    const modesOf = (file: string) => ['', '-wal', '-shm'].map((end) => modeOf(`${file}${end}`));
    const [fresh, old, inUse] = [newFile(), written(), written()];
    chmodSync(old, 0o644);
    openFile(inUse);
    for (const end of ['', '-wal', '-shm']) chmodSync(`${inUse}${end}`, 0o644);
    for (const file of [fresh, old, inUse]) {
      openFile(file).setFollowing('alice', true, NOON_MS);
      expect(modesOf(file)).toEqual([0o600, 0o600, 0o600]);
    }
  });

  test('that cannot be opened is said to be', () => {
    expect(() => openSqliteStore(join(freshFolder(), 'no', 'such', 'folder.db'))).toThrow(CannotOpenStoreError);
    expect(() => openSqliteStore(freshFolder())).toThrow(CannotOpenStoreError);
  });

  test('that cannot be written can be read, leaves nothing behind, and can be written once it may', ({ skip }) => {
    skip(process.getuid?.() === 0, 'permissions do not bind the super-user');
    const file = written();
    chmodSync(file, 0o400);
    const reader = openFile(file);
    expect(bodies(reader)).toEqual(['precious']);
    expect(() => reader.setFollowing('alice', true, NOON_MS)).toThrow(ReadOnlyStoreError);
    expect(readdirSync(dirname(file))).toEqual(['store.db']);
    chmodSync(file, 0o600);
    openFile(file).setFollowing('alice', true, NOON_MS);
  });
});

describe('one transaction a batch', () => {
  test('a batch that fails leaves nothing behind', () => {
    const store = openFile(newFile());
    const good = messageNode('good');
    const bad = { hash: 'not a hash', value: good.value };
    expect(() => store.putNodes([good, bad])).toThrow(RangeError);
    expect(store.getNode(good.hash)).toBeUndefined();
    store.putNodes([good]);
    expect(store.getNode(good.hash)).toEqual(good.value);
  });

  test('a full disk fails what does not fit as a whole; what was there stays, and goes on once there is room', () => {
    const file = written();
    // SQLite's own limit on a file's size fails as a full disk does.
    const store = openSqliteStore(file, { maxPages: 30 });
    const leaves = Array.from({ length: 2_000 }, (_, i) => messageNode(`message ${i}`.padEnd(200, '.')));
    expect(() => fetchTree(store, 'alice', treeOf(leaves))).toThrow(FullDiskError);
    expect(store.statusOf(leaves.map(({ hash }) => hash)).every((status) => status === 'missing')).toBe(true);
    store.close();
    const roomy = openFile(file);
    expect(bodies(roomy)).toEqual(['precious']);
    expect(fetchTree(roomy, 'alice', treeOf(leaves))).toMatchObject({ newMessages: 2_000 });
  });
});

describe('several processes on one home', () => {
  test('publish into one tree, in which nothing is lost', async () => {
    const file = written();
    const module = fileURLToPath(new URL('../../../src/store/sqlite-store.ts', import.meta.url));
    const script = `
      import { openSqliteStore } from ${JSON.stringify(module)};
      using store = openSqliteStore(process.argv[1]);
      for (let i = 0; i < 100; i++) {
        store.publish('me', { date: ${NOON}, inReplyTo: null, body: process.argv[2] + i }, ${NOON_MS});
      }
    `;
    const writer = (label: string) =>
      run(process.execPath, ['--input-type=module-typescript', '-e', script, file, label]);
    await Promise.all([writer('one '), writer('two ')]);
    const store = openFile(file);
    const { root, messages } = store.ownFeed();
    expect(messages).toBe(201);
    expect(bodies(store)).toHaveLength(201);
    // The tree is whole, and canonical for some order of the leaves: adopting it finds every message.
    expect(store.adopt({ feed: 'copy', root, nowMs: NOON_MS, authenticated: true, quota: 1_000 })).toMatchObject({
      status: 'adopted',
      totalMessages: 201,
    });
  });

  test('each sees what the other committed, and that it did', () => {
    const file = newFile();
    const [one, other] = [openFile(file), openFile(file)];
    const before = one.foreignChanges();
    one.publish('me', { date: NOON, inReplyTo: null, body: 'mine' }, NOON_MS);
    expect(one.foreignChanges()).toBe(before);
    other.publish('me', { date: NOON, inReplyTo: null, body: 'theirs' }, NOON_MS);
    expect(one.foreignChanges()).not.toBe(before);
    expect(one.ownFeed()).toEqual(other.ownFeed());
    expect(bodies(one)).toEqual(['mine', 'theirs']);
  });

  test('a lock that is not released ends in a sentence', () => {
    const file = written();
    const db = new DatabaseSync(file);
    db.exec('BEGIN IMMEDIATE');
    const store = openSqliteStore(file, { busyTimeoutMs: 10 });
    expect(() => store.setFollowing('alice', true, NOON_MS)).toThrow(BusyStoreError);
    db.exec('ROLLBACK');
    db.close();
    store.setFollowing('alice', true, NOON_MS);
    expect(store.peer('alice')?.following).toBe(true);
    store.close();
  });
});

test('foreign keys are enforced', () => {
  const file = written();
  using store = openSqliteStore(file);
  const db = new DatabaseSync(file);
  expect(() => db.exec('INSERT INTO leaves (peer, node) VALUES (12345, 1)')).toThrow(/FOREIGN KEY/);
  db.close();
  expect(bodies(store)).toEqual(['precious']);
});
