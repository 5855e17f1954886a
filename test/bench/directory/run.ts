/**
 * `npm run bench -- --directory [SIZE…]`: what directories can do at 10³ to 10⁶ registered peers, alone with SQLite, and one and three of them
 * on Redis. Peers are simulated in another process, over loopback. Figures go into docs/performance/directory.json, a figure
 * beside it, and the table into docs/operating.md. Linux only.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileNames } from '../../../src/directory/file-names.ts';
import { drawFigure } from '../../support/congestion/plot.ts';
import { startRedis } from '../../support/redis-server.ts';
import { capacity, figureOf, type Measured, withCapacity } from './capacity.ts';
import { type Instance, memoryOf, startInstance } from './instances.ts';
import type { LoadFigures, LoadInput } from './load.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const node = (...argv: string[]) =>
  execFileSync(process.execPath, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

export async function benchDirectories(sizes: readonly number[]): Promise<void> {
  const measured: Measured[] = [];
  for (const names of sizes.length === 0 ? SIZES : sizes) {
    for (const setup of ['SQLite', 'Redis, one instance', 'Redis, three instances'] as const) {
      const figures = await measure(setup, names);
      measured.push(figures);
      process.stdout.write(`${JSON.stringify(figures)}\n`);
    }
  }
  const table = capacity(measured);
  process.stdout.write(`\n${table}\n`);
  if (sizes.length > 0) return;
  writeFileSync(file('../../../docs/performance/directory.json'), `${JSON.stringify(measured, undefined, 2)}\n`);
  writeFileSync(file('../../../docs/performance/directory.svg'), drawFigure(figureOf(measured)));
  const page = file('../../../docs/operating.md');
  writeFileSync(page, withCapacity(readFileSync(page, 'utf8'), table));
}

async function measure(setup: Measured['setup'], names: number): Promise<Measured> {
  await using resources = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const home = (index: number) => join(folder, `directory${index}`);
  const engine = setup === 'SQLite' ? undefined : await startRedis();
  if (engine !== undefined) resources.defer(() => engine.stop());
  mkdirSync(home(0));
  node(file('fill.ts'), engine?.url ?? `sqlite:${join(home(0), fileNames.registry)}`, `${names}`);
  const instances: Instance[] = [];
  for (let i = 0; i < (setup === 'Redis, three instances' ? 3 : 1); i++) {
    const startMs = performance.now();
    instances.push(resources.use(await startInstance(home(i), engine?.url, i === 0 ? undefined : home(0))));
    process.stderr.write(`${setup}, ${names} names: ready after ${Math.round(performance.now() - startMs)} ms\n`);
  }
  const input: LoadInput = {
    instances: instances.map(({ pid, url, udp, ca }) => ({ pid, url, udp, ca })),
    enginePid: engine?.pid,
    names,
  };
  const load: LoadFigures = JSON.parse(node(file('load.ts'), JSON.stringify(input)));
  const engineBytes = engine === undefined ? undefined : memoryOf(engine.pid).now;
  return { setup, names, ...load, engineBytes };
}
