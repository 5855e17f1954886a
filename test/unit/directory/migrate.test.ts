import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDirectory } from '../../../src/directory/create-directory.ts';
import { migrate } from '../../../src/directory/migrate.ts';
import { openRedisRegistry } from '../../../src/directory/redis/redis-registry.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
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
