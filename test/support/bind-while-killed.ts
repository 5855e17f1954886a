/** Names are bound at several registries while their engine is killed over and over; what was acknowledged is checked each time. */
import { expect } from 'vitest';
import type { RedisRegistry } from '../../src/directory/redis/redis-registry.ts';
import { eventually } from './eventually.ts';
import { isLinearizable } from './linearizability.ts';
import { proveHistory } from './prove-history.ts';
import type { RedisServer } from './redis-server.ts';

export interface KilledOptions {
  readonly server: RedisServer;
  readonly registries: readonly RedisRegistry[];
  /** One that remembers nothing: it says what the engine itself has kept. */
  readonly open: () => Promise<RedisRegistry>;
  readonly kills: number;
}

/** Name → key, for each binding that was acknowledged. */
export async function bindWhileKilled({
  server,
  registries,
  open,
  kills,
}: KilledOptions): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>();
  for (let kill = 0; kill < kills; kill++) {
    const known = registries[0]?.peers(Date.now()).length ?? 0;
    const history = proveHistory({ registries, names: 40, keys: 3, seed: kill, prefix: `kill${kill}-` });
    await eventually(() => expect(registries[0]?.peers(Date.now()).length).toBeGreaterThan(known + 5));
    await server.kill();
    const { byName, acknowledged: more } = await history;
    for (const [name, calls] of byName) expect(isLinearizable(calls), `${name}: ${JSON.stringify(calls)}`).toBe(true);
    for (const [name, key] of more) acknowledged.set(name, key);
    await server.start();
    const fresh = await open();
    for (const [name, key] of acknowledged) expect(fresh.candidateKeys(name, Date.now()), name).toEqual([key]);
    fresh.close();
    for (const registry of registries) await eventually(() => expect(registry.whyAway).toBeUndefined());
  }
  return acknowledged;
}
