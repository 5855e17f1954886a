/** Several owners want the same names at several registries, while something happens to the engine: what each was told, and when. */

import type { Registry } from '../../src/directory/registry.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { ProveCall } from './linearizability.ts';

export interface History {
  readonly byName: ReadonlyMap<string, ProveCall[]>;
  /** Name → key, for each binding that was acknowledged. */
  readonly acknowledged: ReadonlyMap<string, string>;
}

export interface HistoryOptions {
  readonly registries: readonly Registry[];
  readonly names: number;
  readonly keys: number;
  readonly seed: number;
  /** Tells the names of this history from those of others. */
  readonly prefix: string;
}

/** Each registry is asked for each name under a key of the seed's choice, as often as there are keys. */
export async function proveHistory(options: HistoryOptions): Promise<History> {
  const { registries, names, keys, seed, prefix } = options;
  const random = seededRandom(seed);
  const byName = new Map<string, ProveCall[]>();
  const acknowledged = new Map<string, string>();
  const ask = async (registry: Registry, name: string, key: string, port: number) => {
    const startMs = performance.now();
    const proven = await registry.prove(name, key, { ip: '192.0.2.1', port }, Date.now());
    const answer = proven === 'bad-key' ? 'bad-key' : proven === 'away' ? 'unknown' : 'bound';
    if (answer === 'bound') acknowledged.set(name, key);
    const endMs = answer === 'unknown' ? undefined : performance.now();
    byName.set(name, [...(byName.get(name) ?? []), { key, startMs, endMs, answer }]);
  };
  await Promise.all(
    registries.map(async (registry, index) => {
      for (let i = 0; i < names; i++) {
        for (let k = 0; k < keys; k++) {
          await ask(registry, `${prefix}${i}`, `key${random.uint32() % keys}`, 1 + index * keys + k);
        }
      }
    }),
  );
  return { byName, acknowledged };
}
