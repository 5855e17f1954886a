/** Reads the names of an engine and adds names to it, for migrations and backups. */
import { randomBytes } from 'node:crypto';
import type { Binding, BindingStore } from '../binding-store.ts';
import { openEngine } from './engine.ts';
import { formatRecord, parseRecord } from './name-record.ts';
import { SHARES, shareOf } from './shares.ts';

/** The share's clocks go on by no more than that while nobody runs. */
const STEPS = ['', '60000', '1e15'];

export async function openEngineStore(url: string): Promise<BindingStore> {
  const engine = await openEngine(url, () => {});
  const tick = (share: number) => engine.run(share, ['tick', randomBytes(9).toString('base64url'), ...STEPS]);
  return {
    async *read() {
      for (let share = 0; share < SHARES; share++) {
        const { runningMs, steadyMs } = await tick(share);
        for await (const [name, text] of engine.names(share)) {
          const record = parseRecord(text);
          if (record === undefined) continue;
          const { key, provenRunningMs, addresses } = record;
          yield {
            name,
            key,
            ageMs: runningMs - provenRunningMs,
            addresses: addresses.map(({ address, provenMs, answeredMs }) => ({
              address,
              provenAgoMs: steadyMs - provenMs,
              answeredAgoMs: steadyMs - answeredMs,
            })),
          } satisfies Binding;
        }
      }
    },
    async add(bindings) {
      let added = 0;
      for (const [share, some] of Map.groupBy(bindings, ({ name }) => shareOf(name))) {
        const { epoch, steadyMs } = await tick(share);
        const args = some.flatMap(({ name, key, ageMs, addresses }) => {
          const dated = addresses.map(({ address, provenAgoMs, answeredAgoMs }) => ({
            address,
            provenMs: Math.max(0, steadyMs - provenAgoMs),
            answeredMs: Math.max(0, steadyMs - answeredAgoMs),
            provers: [],
          }));
          return [name, formatRecord({ key, provenRunningMs: 0, addresses: dated }), `${Math.max(0, ageMs)}`];
        });
        added += Number((await engine.runSafely(share, ['restore', epoch, ...STEPS, ...args])).extra);
      }
      return added;
    },
    async [Symbol.asyncDispose]() {
      engine.close();
    },
  };
}
