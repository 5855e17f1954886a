/** Registries on an engine, for tests whose time is made up. */
import { openRedisRegistry } from '../../../src/directory/redis/redis-registry.ts';
import type { Registry, RegistryOptions } from '../../../src/directory/registry.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import type { RedisServer } from '../../support/redis-server.ts';

type EmptiedEngine = Pick<RedisServer, 'url' | 'ask'>;

/** The times that its methods are told are the engine's as well. */
export async function onEmpty(server: EmptiedEngine, options: RegistryOptions = {}): Promise<Registry> {
  await server.ask('FLUSHALL');
  return openWithOwnTime(server, options);
}

async function openWithOwnTime(server: EmptiedEngine, options: RegistryOptions = {}): Promise<Registry> {
  let nowMs = 1_800_000_000_000;
  const clock = { ...systemClock, now: () => nowMs };
  const registry = await openRedisRegistry(server.url, { ...options, clock, isClockOurs: true });
  const at =
    <Args extends unknown[], Result>(index: number, work: (...args: Args) => Result) =>
    (...args: Args): Result => {
      nowMs = args[index] as number;
      return work.apply(registry, args);
    };
  return {
    register: at(2, registry.register),
    candidateKeys: at(1, registry.candidateKeys),
    prove: at(3, registry.prove),
    confirm: at(2, registry.confirm),
    drop: at(2, registry.drop),
    takeUndated: at(0, registry.takeUndated),
    peers: at(0, registry.peers),
    lookup: at(1, registry.lookup),
    isListed: at(1, registry.isListed),
    cursor: () => registry.cursor(),
    changesSince: (cursor, among) => registry.changesSince(cursor, among),
    expire: at(0, registry.expire),
    close: () => registry.close(),
  };
}
