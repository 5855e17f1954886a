/** Fifty kills of the engine while three instances bind names: `test/unit/directory/redis-registry.test.ts` has a few of them. */
import { expect, onTestFinished, test } from 'vitest';
import { openRedisRegistry } from '../../src/directory/redis/redis-registry.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { bindWhileKilled } from '../support/bind-while-killed.ts';
import { startRedis } from '../support/redis-server.ts';
import { hasTool } from '../support/tools.ts';

test.skipIf(!hasTool('redis-server'))('no binding that was acknowledged is lost in fifty kills', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const open = () => openRedisRegistry(server.url, { clock: systemClock });
  const registries = [await open(), await open(), await open()];
  onTestFinished(() => {
    for (const registry of registries) registry.close();
  });
  expect((await bindWhileKilled({ server, registries, open, kills: 50 })).size).toBeGreaterThan(200);
});
