/** What a registry on an engine does when the engine, another instance or the way between them fails. Clocks are real here. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { openRedisRegistry, type RedisRegistry } from '../../../src/directory/redis/redis-registry.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { bindWhileKilled } from '../../support/bind-while-killed.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { hasTool } from '../../support/tools.ts';
import { failureOf } from './support.ts';

const KEY = 'alice-key';
const OTHER_KEY = 'mallory-key';
const HOME = { ip: '192.0.2.1', port: 4242 };
const MOBILE = { ip: '192.0.2.2', port: 80 };
const now = () => Date.now();

async function start(settings?: string[]): Promise<RedisServer> {
  const server = await startRedis(settings);
  onTestFinished(() => server.stop());
  return server;
}

async function join({ url }: RedisServer, warn?: (message: string) => void): Promise<RedisRegistry> {
  const registry = await openRedisRegistry(url, { clock: systemClock, ...(warn && { warn }) });
  onTestFinished(() => registry.close());
  return registry;
}

const isWell = (registry: RedisRegistry) => eventually(() => expect(registry.whyAway).toBeUndefined());
const keysAt = (registry: RedisRegistry, name: string) => registry.candidateKeys(name, now());

describe.skipIf(!hasTool('redis-server'))('a registry that instances share', () => {
  test('what one writes, another reads soon: registrations, proofs, drops', async () => {
    const server = await start();
    const [one, two] = [await join(server), await join(server)];
    await one.register('alice', KEY, now(), 'her address');
    await eventually(() => expect(keysAt(two, 'alice')).toEqual([KEY]));
    expect(await two.prove('alice', KEY, HOME, now())).toEqual({ others: [] });
    await eventually(() => expect(one.lookup('alice', now())).toEqual({ name: 'alice', addresses: [HOME], key: KEY }));
    expect(one.peers(now())).toEqual(['alice']);
    await one.drop('alice', HOME);
    await eventually(() => expect(two.lookup('alice', now())).toBeUndefined());
    expect(await two.register('alice', OTHER_KEY, now())).toBe('bad-key');
  });

  test('who joins later knows all names, and the registrations of the last two minutes', async () => {
    const server = await start();
    const one = await join(server);
    await Promise.all(Array.from({ length: 300 }, (_, i) => one.prove(`peer${i}`, KEY, HOME, now())));
    await one.register('alice', KEY, now(), 'her address');
    const two = await join(server);
    expect(two.peers(now())).toHaveLength(300);
    expect(keysAt(two, 'alice')).toEqual([KEY]);
  });

  test('an instance that has missed more than the streams hold loads what it missed', async () => {
    const server = await start();
    const [one, two] = [await join(server), await join(server)];
    await one.prove('alice', KEY, HOME, now());
    await eventually(() => expect(keysAt(two, 'alice')).toEqual([KEY]));
    // Two readers see the stream break off: its entries are gone, and what follows does not fit.
    for (let share = 0; share < 64; share++) await server.ask('XTRIM', `murmure:{${share}}:changes`, 'MAXLEN', '0');
    for (let share = 0; share < 64; share++) await server.ask('HSET', `murmure:{${share}}:state`, 'last', '9-9');
    await one.prove('alice', KEY, MOBILE, now());
    await eventually(() => expect(two.lookup('alice', now())?.addresses).toEqual([MOBILE, HOME]));
  });

  test('a stopped engine: look-ups and known names go on, and no name is bound; when it returns, renewals are handed in', async () => {
    const server = await start();
    const [one, two] = [await join(server), await join(server)];
    await one.prove('alice', KEY, HOME, now());
    await eventually(() => expect(keysAt(two, 'alice')).toEqual([KEY]));
    server.signal('SIGSTOP');
    expect(await one.prove('bob', KEY, HOME, now())).toBe('away');
    expect(one.whyAway).toContain('no answer within 2 s');
    expect(await one.register('bob', KEY, now())).toBe('away');
    expect(await one.register('alice', KEY, now())).toBe('accepted');
    expect(await one.register('alice', OTHER_KEY, now())).toBe('bad-key');
    expect(await one.prove('alice', KEY, MOBILE, now())).toEqual({ others: [HOME] });
    expect(one.lookup('alice', now())?.addresses).toEqual([MOBILE, HOME]);
    server.signal('SIGCONT');
    await isWell(one);
    await eventually(() => expect(two.lookup('alice', now())?.addresses).toEqual([MOBILE, HOME]));
    expect(await one.prove('carol', KEY, HOME, now())).toEqual({ others: [] });
  });

  test('an engine that comes back empty is given back what it has lost: no name is set free', async () => {
    const server = await start();
    const [one, two] = [await join(server), await join(server)];
    await Promise.all(Array.from({ length: 200 }, (_, i) => one.prove(`peer${i}`, KEY, HOME, now())));
    await eventually(() => expect(two.peers(now())).toHaveLength(200));
    await server.kill();
    await server.start({ empty: true });
    await eventually(async () =>
      expect(await one.prove('new', KEY, HOME, now())).toEqual({ others: expect.anything() }),
    );
    await isWell(two);
    for (const registry of [one, two, await join(server)]) {
      expect(registry.peers(now())).toHaveLength(201);
      expect(await registry.prove('peer7', OTHER_KEY, MOBILE, now())).toBe('bad-key');
    }
  });

  test('killed over and over, the engine has every binding that was acknowledged, and histories are linearizable', async () => {
    const server = await start();
    const registries = [await join(server), await join(server), await join(server)];
    const open = () => openRedisRegistry(server.url, { clock: systemClock });
    const acknowledged = await bindWhileKilled({ server, registries, open, kills: 4 });
    expect(acknowledged.size).toBeGreaterThan(20);
  });

  test('an engine that is full takes no new names, and says why; known ones go on', async () => {
    const server = await start(['--maxmemory-policy', 'noeviction']);
    const one = await join(server);
    await one.prove('alice', KEY, HOME, now());
    await server.ask('CONFIG', 'SET', 'maxmemory', '1000');
    expect(await one.prove('bob', KEY, HOME, now())).toBe('away');
    expect(one.whyAway).toContain('OOM');
    expect(await one.prove('alice', KEY, HOME, now())).toEqual({ others: undefined });
    await server.ask('CONFIG', 'SET', 'maxmemory', '0');
    await isWell(one);
    expect(await one.prove('bob', KEY, HOME, now())).toEqual({ others: [] });
  });
});

describe.skipIf(!hasTool('redis-server'))('an engine that cannot keep a registry', () => {
  test('because it forgets all when it stops', async () => {
    const server = await start(['--appendonly', 'no']);
    const error = await failureOf(() => openRedisRegistry(server.url, { clock: systemClock }));
    expect(error.message).toContain('set appendonly to yes');
  });

  test('because it forgets names when it is full', async () => {
    const server = await start(['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']);
    const error = await failureOf(() => openRedisRegistry(server.url, { clock: systemClock }));
    expect(error.message).toContain('set maxmemory-policy to noeviction');
  });

  test('that may lose a second in a power cut is said to', async () => {
    const said: string[] = [];
    await join(await start(['--appendfsync', 'everysec']), (message) => said.push(message));
    expect(said.join()).toContain('set appendfsync to always');
  });

  test('that is not there, or wants a password: a sentence, without the password', async () => {
    const server = await start(['--requirepass', 'secret']);
    const attempts = [`redis://:wrong@127.0.0.1:${server.port}`, 'redis://:wrong@127.0.0.1:1', 'http://127.0.0.1'];
    for (const url of attempts) {
      const error = await failureOf(() => openRedisRegistry(url, { clock: systemClock }));
      expect(error.message).not.toContain('wrong@');
    }
  });
});
