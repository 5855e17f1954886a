import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backUp } from '../../../src/directory/backup.ts';
import { createDirectory } from '../../../src/directory/create-directory.ts';
import { migrate } from '../../../src/directory/migrate.ts';
import { openRedisRegistry } from '../../../src/directory/redis/redis-registry.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis } from '../../support/redis-server.ts';
import { hasTool } from '../../support/tools.ts';
import { failureOf, freshFolder } from './support.ts';

const KEY = 'alice-key';
const HOME = { ip: '192.0.2.1', port: 4242 };
const MOBILE = { ip: '192.0.2.2', port: 80 };
const NAMES = 500;

async function filledFile(): Promise<string> {
  const file = join(freshFolder(), 'registry.db');
  const registry = openSqliteRegistry(file);
  for (let i = 0; i < NAMES; i++) registry.prove(`peer${i}`, i % 2 === 0 ? `key${i}` : undefined, HOME, Date.now());
  registry.prove('peer0', 'key0', MOBILE, Date.now());
  registry.close();
  return file;
}

describe.skipIf(!hasTool('redis-server'))('migrating a registry', () => {
  test('from a file to an engine and back keeps every name, key and address, and their order', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const [first, last] = [await filledFile(), join(freshFolder(), 'registry.db')];
    expect(await migrate(`sqlite:${first}`, server.url)).toEqual({ bindings: NAMES, skipped: 0 });
    const shared = await openRedisRegistry(server.url, { clock: systemClock });
    const original = openSqliteRegistry(first);
    const names = original.peers(Date.now());
    expect(names).toHaveLength(NAMES);
    expect(shared.peers(Date.now())).toEqual(names);
    for (const name of names) expect(shared.lookup(name, Date.now())).toEqual(original.lookup(name, Date.now()));
    shared.close();
    expect(await migrate(server.url, `sqlite:${last}`)).toEqual({ bindings: NAMES, skipped: 0 });
    const copy = openSqliteRegistry(last);
    for (const name of names) expect(copy.lookup(name, Date.now())).toEqual(original.lookup(name, Date.now()));
    copy.close();
    original.close();
  });

  test('takes no name from its owner in the target', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const shared = await openRedisRegistry(server.url, { clock: systemClock });
    onTestFinished(() => shared.close());
    await shared.prove('peer7', KEY, MOBILE, Date.now());
    expect(await migrate(`sqlite:${await filledFile()}`, server.url)).toEqual({ bindings: NAMES - 1, skipped: 1 });
    expect(await shared.register('peer7', 'another', Date.now())).toBe('bad-key');
    expect(shared.lookup('peer7', Date.now())).toEqual({ name: 'peer7', addresses: [MOBILE], key: KEY });
  });
});

describe('migrating a registry says what is wrong', () => {
  test.each([
    ['sqlite:/nowhere/registry.db', 'redis://127.0.0.1:1', 'there is no registry /nowhere/registry.db'],
    ['mysql://x', 'redis://127.0.0.1:1', 'a registry is sqlite:FILE'],
    ['redis://127.0.0.1:1', 'redis://127.0.0.1:1', 'name the same registry'],
  ])('from %s to %s', async (from, to, sentence) => {
    expect((await failureOf(() => migrate(from, to))).message).toContain(sentence);
  });

  test('where a directory runs on the file', async () => {
    const home = freshFolder();
    await using _ = await createDirectory({ home });
    const failed = await failureOf(() => migrate(`sqlite:${join(home, 'registry.db')}`, 'redis://127.0.0.1:1'));
    expect(failed.code).toBe('in-use');
  });
});

describe('a backup', () => {
  test('of a file that is in use has what was proven, and can be taken over into another home, or put in its place', async () => {
    const home = freshFolder();
    const file = join(home, 'registry.db');
    const running = openSqliteRegistry(file);
    onTestFinished(() => running.close());
    for (let i = 0; i < NAMES; i++) running.prove(`peer${i}`, KEY, HOME, Date.now());
    const backup = join(home, 'names.db');
    expect(await backUp(`sqlite:${file}`, backup)).toEqual({ bindings: NAMES });
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    running.prove('late', KEY, HOME, Date.now());
    const other = join(freshFolder(), 'registry.db');
    expect(await migrate(`sqlite:${backup}`, `sqlite:${other}`)).toEqual({ bindings: NAMES, skipped: 0 });
    for (const place of [backup, other]) {
      const restored = openSqliteRegistry(place);
      expect(restored.peers(Date.now())).toHaveLength(NAMES);
      expect(restored.register('peer7', 'another', Date.now())).toBe('bad-key');
      restored.close();
    }
  });

  test.skipIf(!hasTool('redis-server'))(
    'of an engine that is in use can be taken over into one that is in use',
    async () => {
      const [server, empty] = [await startRedis(), await startRedis()];
      const [shared, restored] = await Promise.all(
        [server, empty].map(async (one) => {
          onTestFinished(() => one.stop());
          const registry = await openRedisRegistry(one.url, { clock: systemClock });
          onTestFinished(() => registry.close());
          return registry;
        }),
      );
      await Promise.all(Array.from({ length: 50 }, (_, i) => shared?.prove(`peer${i}`, KEY, HOME, Date.now())));
      const backup = join(freshFolder(), 'names.db');
      expect(await backUp(server.url, backup)).toEqual({ bindings: 50 });
      expect(await migrate(`sqlite:${backup}`, empty.url)).toEqual({ bindings: 50, skipped: 0 });
      await eventually(() => expect(restored?.peers(Date.now())).toEqual(shared?.peers(Date.now())));
    },
  );

  test('is never written over what is there, and leaves nothing behind where it fails', async () => {
    const taken = join(freshFolder(), 'names.db');
    writeFileSync(taken, 'a letter');
    expect((await failureOf(() => backUp('sqlite:/nowhere/registry.db', taken))).message).toContain('exists already');
    const folder = freshFolder();
    writeFileSync(join(folder, 'registry.db'), 'a letter');
    const backup = join(folder, 'names.db');
    const failed = await failureOf(() => backUp(`sqlite:${join(folder, 'registry.db')}`, backup));
    expect(failed.message).toContain('is damaged');
    expect(existsSync(backup)).toBe(false);
  });
});
