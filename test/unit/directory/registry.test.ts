import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Registry, RegistryOptions } from '../../../src/directory/registry.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { createMemoryRegistry } from '../../../src/web/lab/memory-registry.ts';
import { startRedis } from '../../support/redis-server.ts';
import { hasTool } from '../../support/tools.ts';
import { onEmpty } from './redis-support.ts';
import {
  DAY,
  describeRegistries,
  HOME,
  HOME_IPV6,
  HOUR,
  hostOf,
  KEY,
  MOBILE,
  OTHER_KEY,
  T0,
} from './registry-suite.ts';
import { failureOf, freshFolder } from './support.ts';

// Nobody cuts its power here.
const engine = hasTool('redis-server') ? await startRedis(['--appendfsync', 'everysec']) : undefined;
afterAll(() => engine?.stop());

const kinds = [
  { kind: 'SQLite in memory', openOne: (options?: RegistryOptions) => openSqliteRegistry(':memory:', options) },
  {
    kind: 'SQLite in a file',
    openOne: (options?: RegistryOptions) => openSqliteRegistry(join(freshFolder(), 'registry.db'), options),
  },
  { kind: 'of the lab', openOne: createMemoryRegistry },
  ...(engine === undefined
    ? []
    : [{ kind: 'Redis', openOne: (options?: RegistryOptions) => onEmpty(engine, options) }]),
];

describeRegistries(kinds);

test('what changed is known since 32,768 changes ago at least, and not since another start or since a cursor of nobody', () => {
  const registry = openSqliteRegistry(':memory:');
  const another = openSqliteRegistry(':memory:');
  onTestFinished(() => {
    registry.close();
    another.close();
  });
  const first = registry.cursor();
  registry.prove('alice', KEY, HOME, T0);
  const second = registry.cursor();
  for (let i = 0; i < 65_536; i++) registry.prove('bob', KEY, hostOf(i % 2), T0 + i);
  expect(registry.changesSince(first)).toBeUndefined();
  expect(registry.changesSince(second)).toBeUndefined();
  const run = first.split('.')[0];
  expect(registry.changesSince(`${run}.32769`)).toEqual(['bob']);
  expect(registry.changesSince(`${run}.32769`, ['alice', 'bob'])).toEqual(['bob']);
  const others = [another.cursor(), '', 'x', `${run}`, `${run}.`, `${run}.-1`, `${run}.65538`, `${run}.1e3`];
  expect(others.map((cursor) => registry.changesSince(cursor))).toEqual(others.map(() => undefined));
});

describe('a registry in a file', () => {
  test('that cannot be written to says why, takes no new names until it can, and knows its peers meanwhile', () => {
    const file = join(freshFolder(), 'registry.db');
    const registry = openSqliteRegistry(file);
    const other = new DatabaseSync(file);
    onTestFinished(() => {
      registry.close();
      other.close();
    });
    registry.prove('alice', KEY, HOME, T0);
    expect(registry.whyAway).toBeUndefined();
    other.exec(
      "CREATE TRIGGER full BEFORE UPDATE ON running_time BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    );
    expect(registry.register('bob', KEY, T0)).toBe('accepted');
    expect(() => registry.prove('bob', KEY, HOME, T0)).toThrow('disk is full');
    expect(registry.whyAway).toBe('the registry cannot be written to (database or disk is full)');
    expect(registry.register('bob', KEY, T0)).toBe('away');
    expect(registry.register('alice', KEY, T0)).toBe('accepted');
    expect(registry.lookup('alice', T0)).toMatchObject({ key: KEY });
    expect(() => registry.expire(T0 + 1)).toThrow('disk is full');
    other.exec('DROP TRIGGER full');
    registry.expire(T0 + 2);
    expect(registry.whyAway).toBeUndefined();
    expect(registry.register('bob', KEY, T0 + 2)).toBe('accepted');
  });

  test('a directory that is restarted knows its peers: what was proven survives', () => {
    const file = join(freshFolder(), 'registry.db');
    const first = openSqliteRegistry(file);
    first.register('bob', KEY, T0);
    first.prove('alice', KEY, HOME_IPV6, T0);
    first.prove('alice', KEY, HOME, T0);
    first.prove('Zoé', undefined, MOBILE, T0);
    first.close();

    const second = openSqliteRegistry(file);
    onTestFinished(() => second.close());
    const nowMs = T0 + HOUR - 1;
    expect(second.peers(nowMs)).toEqual(['Zoé', 'alice']);
    expect(second.lookup('alice', nowMs)).toEqual({ name: 'alice', addresses: [HOME, HOME_IPV6], key: KEY });
    expect(second.lookup('Zoé', nowMs)).toStrictEqual({ name: 'Zoé', addresses: [MOBILE] });
    expect(second.register('alice', OTHER_KEY, nowMs)).toBe('bad-key');
    expect(second.candidateKeys('bob', T0)).toEqual([]);
    expect(second.isListed(MOBILE, nowMs)).toBe(true);
    expect(second.isListed(MOBILE, nowMs + 1)).toBe(false);
  });

  test('bindings age while the directory runs, summed over its starts: a clock set wrongly before a start frees no name', () => {
    const file = join(freshFolder(), 'registry.db');
    const run = <T>(fromMs: number, forMs: number, work: (registry: Registry, nowMs: number) => T): T => {
      const registry = openSqliteRegistry(file, { bindingDays: 3 });
      registry.expire(fromMs);
      registry.expire(fromMs + forMs);
      const result = work(registry, fromMs + forMs);
      registry.close();
      return result;
    };
    const steal = (registry: Registry, nowMs: number) => registry.register('alice', OTHER_KEY, nowMs);
    run(T0, 0, (registry, nowMs) => registry.prove('alice', KEY, HOME, nowMs));
    expect(run(T0 + 100 * DAY, DAY, steal)).toBe('bad-key');
    expect(run(T0 - 100 * DAY, DAY, steal)).toBe('bad-key');
    expect(run(T0, DAY - 1, steal)).toBe('bad-key');
    expect(run(T0, 1, steal)).toBe('accepted');
  });

  test('a proof that lies in the future has unknown age: it is listed last, and is no ground for deletion', () => {
    const file = join(freshFolder(), 'registry.db');
    const ahead = openSqliteRegistry(file);
    ahead.prove('alice', KEY, HOME, T0 + 8 * HOUR);
    ahead.close();
    const registry = openSqliteRegistry(file);
    onTestFinished(() => registry.close());
    const listed = (nowMs: number) => registry.lookup('alice', nowMs)?.addresses;
    registry.prove('alice', KEY, MOBILE, T0);
    expect(listed(T0)).toEqual([MOBILE, HOME]);
    expect(registry.takeUndated(T0 + 1)).toEqual([{ name: 'alice', key: KEY, address: HOME }]);
    expect(registry.takeUndated(T0 + 1)).toEqual([]);
    expect(listed(T0 + 1)).toEqual([MOBILE, HOME]);
    registry.confirm('alice', HOME, T0 + 2);
    expect(listed(T0 + 2)).toEqual([MOBILE, HOME]);
    expect(listed(T0 + HOUR)).toEqual([HOME]);
    expect(listed(T0 + HOUR + 2)).toBeUndefined();
  });

  test('a file of the first version is taken over: nobody loses a name, and addresses keep their order', () => {
    const file = fileWith(
      database(`
        CREATE TABLE bindings (name TEXT PRIMARY KEY, key TEXT, proven_ms INTEGER NOT NULL);
        CREATE TABLE addresses (
          name TEXT NOT NULL REFERENCES bindings (name) ON DELETE CASCADE, address TEXT NOT NULL, proven_ms INTEGER NOT NULL,
          PRIMARY KEY (name, address)
        );
        CREATE INDEX addresses_by_address ON addresses (address);
        INSERT INTO bindings VALUES ('alice', '${KEY}', ${T0}), ('bob', NULL, ${T0 + 1_000 * DAY});
        INSERT INTO addresses VALUES ('alice', '192.0.2.1:4242', ${T0}), ('alice', '192.0.2.2:80', ${T0});
        PRAGMA user_version = 1;
      `),
    );
    const registry = openSqliteRegistry(file);
    onTestFinished(() => registry.close());
    expect(registry.lookup('alice', T0 + HOUR - 1)).toEqual({ name: 'alice', addresses: [MOBILE, HOME], key: KEY });
    expect(registry.register('alice', OTHER_KEY, T0 + 89 * DAY)).toBe('bad-key');
    registry.prove('alice', KEY, HOME, T0);
    expect(registry.candidateKeys('bob', T0)).toEqual([undefined]);
  });

  test('belongs to its owner alone, and so do the files beside it; one that others could read is closed to them', () => {
    const modesOf = (file: string) => ['', '-wal', '-shm'].map((end) => statSync(`${file}${end}`).mode & 0o777);
    const fresh = join(freshFolder(), 'registry.db');
    const old = fileWith((path) => {
      openSqliteRegistry(path).close();
      chmodSync(path, 0o644);
    });
    for (const file of [fresh, old]) {
      const registry = openSqliteRegistry(file);
      onTestFinished(() => registry.close());
      registry.prove('alice', KEY, HOME, T0);
      expect(modesOf(file)).toEqual([0o600, 0o600, 0o600]);
    }
  });

  test('what has expired leaves the file', () => {
    const file = join(freshFolder(), 'registry.db');
    const registry = openSqliteRegistry(file);
    registry.prove('alice', KEY, HOME, T0);
    registry.prove('bob', KEY, HOME, T0 + DAY);
    const db = new DatabaseSync(file, { readOnly: true });
    onTestFinished(() => {
      db.close();
      registry.close();
    });
    const rows = () => [
      db.prepare('SELECT name FROM bindings').all().length,
      db.prepare('SELECT name FROM addresses').all().length,
    ];
    expect(rows()).toEqual([2, 2]);
    registry.expire(T0 + DAY);
    expect(rows()).toEqual([2, 1]);
    registry.expire(T0 + 90 * DAY);
    expect(rows()).toEqual([1, 0]);
  });

  function fileWith(content: (file: string) => void): string {
    const file = join(freshFolder(), 'registry.db');
    content(file);
    return file;
  }
  const database = (sql: string) => (file: string) => {
    const db = new DatabaseSync(file);
    db.exec(sql);
    db.close();
  };
  const openFailure = (file: string) => failureOf(() => openSqliteRegistry(file));

  test('a sweep forgets what has expired a hundred at a time, and says when there is no more', () => {
    const registry = openSqliteRegistry(':memory:', { bindingDays: 0 });
    onTestFinished(() => registry.close());
    for (let i = 0; i < 1_050; i++) registry.prove(`peer ${i}`, KEY, hostOf(i), T0);
    const cursor = registry.cursor();
    const forgotten = () => registry.changesSince(cursor)?.length ?? 0;
    for (let sweep = 1; sweep <= 10; sweep++) {
      expect(registry.expire(T0 + HOUR)).toBe(true);
      expect(forgotten()).toBe(sweep * 100);
    }
    expect(registry.expire(T0 + HOUR)).toBe(false);
    expect(forgotten()).toBe(1_050);
  });

  test('a file that is no database: which one, and what to do', async () => {
    const file = fileWith((path) => writeFileSync(path, 'no database at all\n'.repeat(100)));
    const error = await openFailure(file);
    expect(error.code).toBe('invalid-data');
    expect(error.message).toContain(`the registry ${file} is damaged (file is not a database): restore it`);
    expect(error.message).not.toContain('your own messages');
    expect(readFileSync(file, 'utf8')).toMatch(/^no database at all/);
  });

  test('a damaged file: which one, and what to do', async () => {
    const file = fileWith((path) => {
      const registry = openSqliteRegistry(path);
      for (let i = 0; i < 200; i++) registry.prove(`peer ${i}`, KEY, hostOf(i), T0);
      registry.close();
      const bytes = readFileSync(path);
      // The pages are overwritten, the header stays.
      bytes.fill(0xa5, 100);
      writeFileSync(path, bytes);
    });
    const error = await openFailure(file);
    expect(error.code).toBe('invalid-data');
    expect(error.message).toContain(`the registry ${file} is damaged (`);
  });

  test('a page that turns out to be damaged later: a sentence too', async () => {
    const file = fileWith((path) => {
      const registry = openSqliteRegistry(path);
      for (let i = 0; i < 500; i++) registry.prove(`peer ${i}`, KEY, hostOf(i), T0);
      registry.close();
      const db = new DatabaseSync(path, { readOnly: true });
      const { page } = db.prepare("SELECT rootpage AS page FROM sqlite_schema WHERE name = 'running_time'").get() as {
        page: number;
      };
      db.close();
      const bytes = readFileSync(path);
      const kept = bytes.subarray((page - 1) * 4_096, page * 4_096).toString('latin1');
      // The schema, on the first page, and what is read when the file is opened stay whole.
      bytes.fill(0xa5, 4_096);
      bytes.write(kept, (page - 1) * 4_096, 'latin1');
      writeFileSync(path, bytes);
    });
    const registry = openSqliteRegistry(file);
    onTestFinished(() => registry.close());
    const attempts = [
      () => registry.register('peer 1', KEY, T0),
      () => registry.candidateKeys('peer 1', T0),
      () => registry.prove('peer 1', KEY, HOME, T0),
      () => registry.peers(T0),
      () => registry.lookup('peer 1', T0),
      () => registry.isListed(HOME, T0),
      () => registry.expire(T0 + 100 * DAY),
    ];
    for (const attempt of attempts) {
      expect((await failureOf(attempt)).message).toContain(`the registry ${file} is damaged (`);
    }
  });

  test.each([
    ['without a version', 'CREATE TABLE songs (title TEXT)'],
    ['with a version', 'CREATE TABLE songs (title TEXT); PRAGMA user_version = 1'],
    ['with tables of the same names', 'CREATE TABLE bindings (book TEXT); PRAGMA user_version = 1'],
  ])('a database of another program, %s, is refused and left alone', async (_, sql) => {
    const file = fileWith(database(sql));
    const before = readFileSync(file);
    const error = await openFailure(file);
    expect(error.code).toBe('invalid-data');
    expect(error.message).toBe(
      `${file} is a database of another program, not the registry of a directory: move it away, or use another home`,
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('a file of a newer version is refused and left alone', async () => {
    const file = fileWith((path) => {
      openSqliteRegistry(path).close();
      database('PRAGMA user_version = 3')(path);
    });
    const before = readFileSync(file);
    const error = await openFailure(file);
    expect(error.code).toBe('invalid-data');
    expect(error.message).toBe(`${file} was written by a newer murmure: update this one, or use another home`);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test.each([
    ['is a folder', ''],
    ['lies in a folder that is not there', 'nowhere/registry.db'],
  ])('a file that %s: cannot be opened', async (_, path) => {
    const file = join(freshFolder(), path);
    const error = await openFailure(file);
    expect(error.code).toBe('unexpected');
    expect(error.message).toContain(
      `${file} cannot be opened: check that it is a file, and that you may read and write it`,
    );
  });

  test('one that failed to open leaves nothing behind that keeps it from opening later', async () => {
    const file = fileWith(database('CREATE TABLE songs (title TEXT)'));
    await openFailure(file);
    database('DROP TABLE songs')(file);
    const registry = openSqliteRegistry(file);
    onTestFinished(() => registry.close());
    registry.prove('alice', KEY, HOME, T0);
    expect(registry.peers(T0)).toEqual(['alice']);
  });
});
