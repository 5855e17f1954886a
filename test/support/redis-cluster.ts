/** A real cluster for a test: three primaries, each with a replica, on free ports. */
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import { freePort, type RedisServer, startRedis } from './redis-server.ts';

/** All slots; each primary has a third of them. */
const SLOTS = 16_384;
const PRIMARIES = 3;
/** Whoever is silent for so long is replaced. */
const NODE_TIMEOUT_MS = 1_000;

export interface RedisCluster {
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** Asks every primary. */
  ask(...command: string[]): Promise<string>;
  primaries(): Promise<RedisServer[]>;
  /** Every slot is served, and every primary has a replica that keeps up. */
  whenWhole(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCluster(settings: readonly string[] = []): Promise<RedisCluster> {
  const started = await Promise.all(Array.from({ length: 2 * PRIMARIES }, () => startNode(settings)));
  const nodes = started.map(({ server }) => server);
  const primaries = async () => {
    const roles = await Promise.all(nodes.map((node) => node.ask('ROLE').catch(() => '')));
    return nodes.filter((_, i) => roles[i]?.includes('master'));
  };
  await Promise.all(
    nodes.map(async (node, i) => {
      // Of two nodes that claim one slot, that with the later epoch has it: no two may have the same.
      await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', `${i + 1}`);
      const third = (part: number) => Math.floor((part * SLOTS) / PRIMARIES);
      if (i < PRIMARIES) await node.ask('CLUSTER', 'ADDSLOTSRANGE', `${third(i)}`, `${third(i + 1) - 1}`);
    }),
  );
  for (const { server, busPort } of started.slice(1))
    await nodes[0]?.ask('CLUSTER', 'MEET', '127.0.0.1', `${server.port}`, `${busPort}`);
  await Promise.all(
    nodes.slice(PRIMARIES).map(async (node, i) => {
      const id = /[0-9a-f]{40}/.exec((await nodes[i]?.ask('CLUSTER', 'MYID')) ?? '')?.[0] ?? '';
      await eventually(async () => expect(await node.ask('CLUSTER', 'REPLICATE', id)).toBe('+OK\r\n'));
    }),
  );
  const cluster = {
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`,
    nodes,
    ask: async (...command: string[]) =>
      (await Promise.all((await primaries()).map((node) => node.ask(...command)))).join(''),
    primaries,
    whenWhole: () =>
      eventually(async () => {
        expect(await primaries()).toHaveLength(PRIMARIES);
        for (const node of nodes) {
          expect(await node.ask('CLUSTER', 'INFO')).toMatch(/cluster_state:ok.*cluster_known_nodes:6/s);
          expect(await node.ask('INFO', 'replication')).toMatch(
            /master_link_status:up|connected_slaves:1.*state=online/s,
          );
        }
      }),
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
  await cluster.whenWhole();
  return cluster;
}

async function startNode(settings: readonly string[]): Promise<{ server: RedisServer; busPort: number }> {
  const busPort = await freePort();
  const timeout = ['--cluster-node-timeout', `${NODE_TIMEOUT_MS}`];
  const clustered = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`, ...timeout];
  return { server: await startRedis([...clustered, ...settings]), busPort };
}
