/** A registry on a real cluster of three primaries with a replica each. */
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { openRedisRegistry, type RedisRegistry } from '../../src/directory/redis/redis-registry.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { eventually } from '../support/eventually.ts';
import { isLinearizable } from '../support/linearizability.ts';
import { proveHistory } from '../support/prove-history.ts';
import { startCluster } from '../support/redis-cluster.ts';
import { hasTool } from '../support/tools.ts';
import { onEmpty } from '../unit/directory/redis-support.ts';
import { describeRegistries } from '../unit/directory/registry-suite.ts';

const FAILOVERS = 6;

const cluster = hasTool('redis-server') ? await startCluster(['--appendfsync', 'everysec']) : undefined;
afterAll(() => cluster?.stop());

if (cluster !== undefined)
  describeRegistries([{ kind: 'Redis as a cluster', openOne: (options) => onEmpty(cluster, options) }]);

/** One that remembers nothing says what the cluster itself has kept. */
async function open(url: string): Promise<RedisRegistry> {
  const registry = await openRedisRegistry(url, { clock: systemClock });
  onTestFinished(() => registry.close());
  return registry;
}

test.skipIf(cluster === undefined)(
  'primaries killed one after the other: what a replica has acknowledged survives, and a name is bound twice only where its binding was lost in the failover',
  async () => {
    if (cluster === undefined) return;
    await cluster.ask('FLUSHALL');
    const registries = [await open(cluster.url), await open(cluster.url), await open(cluster.url)];
    const acknowledged = new Map<string, Set<string>>();
    let violations = 0;
    for (let failover = 0; failover < FAILOVERS; failover++) {
      const known = registries[0]?.peers(Date.now()).length ?? 0;
      const history = proveHistory({ registries, names: 60, keys: 3, seed: failover, prefix: `failover${failover}-` });
      await eventually(() => expect(registries[0]?.peers(Date.now()).length).toBeGreaterThan(known + 10));
      const [victim] = (await cluster.primaries()).slice(failover % 3);
      await victim?.kill();
      const { byName } = await history;
      for (const [name, calls] of byName) {
        const keys = new Set(calls.filter(({ answer }) => answer === 'bound').map(({ key }) => key));
        if (keys.size > 0) acknowledged.set(name, keys);
        if (isLinearizable(calls)) continue;
        violations += 1;
        expect(isLinearizable(calls, 1), `${name}: ${JSON.stringify(calls)}`).toBe(true);
      }
      await eventually(async () => expect((await cluster.primaries()).length).toBe(3));
      await victim?.start();
      await cluster.whenWhole();
      for (const registry of registries) await eventually(() => expect(registry.whyAway).toBeUndefined());
      const fresh = await open(cluster.url);
      for (const [name, keys] of acknowledged) {
        const [kept, ...others] = fresh.candidateKeys(name, Date.now());
        expect(others).toEqual([]);
        expect(keys, name).toContain(kept);
      }
      fresh.close();
    }
    process.stdout.write(
      `${FAILOVERS} failovers: ${acknowledged.size} names bound, ${violations} of them in an order that no single registry gives\n`,
    );
    expect(acknowledged.size).toBeGreaterThan(50);
  },
);
