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
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { capacity, figureOf, type Measured, withCapacity } from './capacity.ts';
import { type Instance, memoryOf, startInstance } from './instances.ts';
import type { LoadFigures, LoadInput } from './load.ts';

const SIZES = [1_000, 10_000, 100_000, 1_000_000];

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const node = (...argv: string[]) =>
  execFileSync(process.execPath, argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const SETUPS = ['SQLite', 'Redis, one instance', 'Redis, three instances'] as const;

/** What is measured: registries that are filled up from one size to the next. */
interface Places {
  readonly folder: string;
  readonly engine: RedisServer;
}

export async function benchDirectories(wanted: readonly number[]): Promise<void> {
  const sizes = (wanted.length === 0 ? SIZES : wanted).toSorted((a, b) => a - b);
  await using resources = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const engine = await startRedis();
  resources.defer(() => engine.stop());
  const places = { folder, engine };
  const measured: Measured[] = [];
  let filled = 0;
  for (const names of sizes) {
    await timed(`${names} names written`, () => fill(places, filled, names));
    filled = names;
    for (const setup of SETUPS) {
      const figures = await timed(`${setup}, ${names} names`, () => measure(setup, names, places));
      measured.push(figures);
      process.stdout.write(`${JSON.stringify(figures)}\n`);
    }
  }
  const table = capacity(measured);
  process.stdout.write(`\n${table}\n`);
  if (wanted.length > 0) return;
  writeFileSync(file('../../../docs/performance/directory.json'), `${JSON.stringify(measured, undefined, 2)}\n`);
  writeFileSync(file('../../../docs/performance/directory.svg'), drawFigure(figureOf(measured)));
  const page = file('../../../docs/operating.md');
  writeFileSync(page, withCapacity(readFileSync(page, 'utf8'), table));
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startMs = performance.now();
  const done = await work();
  process.stderr.write(`${what}: ${((performance.now() - startMs) / 1_000).toFixed(1)} s\n`);
  return done;
}

const homeOf = (folder: string, kind: string) => join(folder, kind);

async function fill({ folder, engine }: Places, from: number, to: number): Promise<void> {
  const home = homeOf(folder, 'SQLite');
  mkdirSync(home, { recursive: true });
  for (const place of [`sqlite:${join(home, fileNames.registry)}`, engine.url])
    node(file('fill.ts'), place, `${from}`, `${to}`);
}

async function measure(setup: Measured['setup'], names: number, { folder, engine }: Places): Promise<Measured> {
  using instances = new DisposableStack();
  const isShared = setup !== 'SQLite';
  const homes = { SQLite: ['SQLite'], 'Redis, one instance': ['0'], 'Redis, three instances': ['0', '1', '2'] }[setup];
  const [first = ''] = homes;
  const started: Instance[] = [];
  for (const home of homes) {
    const other = home === first ? undefined : homeOf(folder, first);
    const start = () => startInstance(homeOf(folder, home), isShared ? engine.url : undefined, other);
    started.push(instances.use(await timed('  an instance is ready', start)));
  }
  const input: LoadInput = {
    instances: started.map(({ pid, url, udp, ca }) => ({ pid, url, udp, ca })),
    enginePid: isShared ? engine.pid : undefined,
    names,
  };
  const load: LoadFigures = JSON.parse(node(file('load.ts'), JSON.stringify(input)));
  return { setup, names, ...load, engineBytes: isShared ? memoryOf(engine.pid).now : undefined };
}
