/**
 * `npm run bench`: what murmure costs, beside what the machine can do at all, measured in the same run. Times travel badly from
 * machine to machine; ratios do better. Each measurement is a process of its own. `--quick` measures syncs alone, near and far. All
 * figures go into docs/performance/results.json as well. `--directory` measures directories instead (directory/run.ts), `--floods` what
 * strangers can do (floods.ts), `--inspector` what it costs to look (inspector/run.ts).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { V8_FLAGS } from '../../src/runtime/v8-flags.ts';
import type { FarFigures } from './far.ts';
import type { FrontEndFigures } from './front-end.ts';
import { rawLoop } from './raw-loop.ts';
import type { SearchFigures } from './search.ts';
import type { StoreFigures } from './store.ts';
import type { SyncFigures } from './sync.ts';

if (process.argv.includes('--directory')) {
  const { benchDirectories } = await import('./directory/run.ts');
  await benchDirectories(process.argv.slice(2).map(Number).filter(Number.isFinite));
  process.exit();
}
if (process.argv.includes('--floods')) {
  await import('./floods.ts');
  process.exit();
}
if (process.argv.includes('--inspector')) {
  const { benchInspector } = await import('./inspector/run.ts');
  await benchInspector(process.argv.slice(2).map(Number).filter(Number.isFinite));
  process.exit();
}
const isQuick = process.argv.includes('--quick');
const RUNS = isQuick ? 3 : 5;
const MESSAGES = 10_000;
const BYTES = 200;

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** As an installed program: what was compiled is kept, there are no types to be stripped, and V8 is set alike. */
const env = { ...process.env, NODE_COMPILE_CACHE: file('../../node_modules/.cache/murmure-bench') };
const node = (...argv: string[]) => execFileSync(process.execPath, [...V8_FLAGS, ...argv], { encoding: 'utf8', env });
const results: { what: string; value: string; aim: string }[] = [];

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function secondsOf(work: () => void): number {
  const startMs = performance.now();
  work();
  return (performance.now() - startMs) / 1000;
}

function several<T>(work: () => T): T[] {
  return Array.from({ length: RUNS }, work);
}

function print(what: string, value: string, aim = ''): void {
  results.push({ what, value, aim });
  console.log(`${what.padEnd(58)}${value.padStart(12)}   ${aim}`);
}

await rawLoop(10_000);
node(file('sync.ts'), '100', `${BYTES}`);
const syncs: { ratio: number; sync: SyncFigures }[] = [];
for (let i = 0; i < RUNS; i++) {
  const raw = await rawLoop(50_000);
  const sync: SyncFigures = JSON.parse(node(file('sync.ts'), `${MESSAGES}`, `${BYTES}`));
  syncs.push({ ratio: sync.messagesPerSecond / raw, sync });
  print(`run ${i + 1}: raw UDP loop, requests a second`, raw.toFixed(0));
  print(`run ${i + 1}: messages synced a second`, sync.messagesPerSecond.toFixed(0));
}
const only = (pick: (sync: SyncFigures) => number) => median(syncs.map(({ sync }) => pick(sync)));
print(
  `sync of ${MESSAGES} messages of ${BYTES} bytes / raw loop`,
  median(syncs.map(({ ratio }) => ratio)).toFixed(3),
  'at least 1.5',
);
print('its reader, µs of the processor a message', only(({ readerMicroseconds }) => readerMicroseconds).toFixed(1));
print('its author, µs of the processor a message', only(({ authorMicroseconds }) => authorMicroseconds).toFixed(1));
print('nodes fetched for one more message', `${only(({ incrementalNodes }) => incrementalNodes)}`, 'at most 5');
print('peak memory of that sync, MB', only(({ peakMb }) => peakMb).toFixed(0), 'under 120');

const AIMS = new Map([
  [0, 6_000],
  [0.01, 4_500],
  [0.05, 2_500],
]);
for (const [loss, aim] of AIMS) {
  const [far] = JSON.parse(node(file('far.ts'), `${MESSAGES}`, `${RUNS}`, `${loss}`)) as [FarFigures];
  const rates = [far.slowest, far.median, far.fastest].map((rate) => rate.toFixed(0)).join(' / ');
  print(`messages a second, 50 ms, ${loss * 100} % lost: slowest / median / fastest`, rates, `at least ${aim}`);
}
if (!isQuick) measureTheRest();
writeFileSync(file('../../docs/performance/results.json'), `${JSON.stringify(results, undefined, 2)}\n`);

function measureTheRest(): void {
  const recorded = median(
    several(() => {
      const plain: SyncFigures = JSON.parse(node(file('sync.ts'), `${MESSAGES}`, `${BYTES}`));
      const journal: SyncFigures = JSON.parse(node(file('sync.ts'), `${MESSAGES}`, `${BYTES}`, 'record'));
      return plain.messagesPerSecond / journal.messagesPerSecond - 1;
    }),
  );
  print('time that recording a journal adds to that sync, %', (recorded * 100).toFixed(1), 'under 10');

  const { slowestMs, firstMs, adoptMs, longestCallMs }: SearchFigures = JSON.parse(node(file('search.ts')));
  print('search in 100,000 messages, slowest of eight queries, ms', slowestMs.toFixed(1), 'under 50');
  print('the same before any of them is indexed, ms', firstMs.toFixed(0));
  print('adopting 100,000 new messages, all calls, ms', adoptMs.toFixed(0));
  const longest = longestCallMs.map((ms) => ms.toFixed(0)).join(' / ');
  print('longest call of adopting 10,000 / 100,000 messages, ms', longest, 'under 50');

  // A million takes some minutes: node test/bench/store.ts 1000000
  for (const messages of [10_000, 100_000]) {
    const figures: StoreFigures = JSON.parse(node(file('store.ts'), `${messages}`));
    const { microsecondsPerNode, hashesPerNode, firstSearchMs, oneMoreMs, longestCallMs } = figures;
    const calls = [longestCallMs.lookUp, longestCallMs.put, longestCallMs.adopt].map(Math.round).join(' / ');
    print(`store, a node of ${messages} messages, µs of the processor`, microsecondsPerNode.toFixed(1), 'under 5');
    print('the same as a number of hashes of 300 bytes', hashesPerNode.toFixed(1));
    print('longest call of looking up / putting / adopting, ms', calls, 'under 20');
    print('first search after the last node, ms', firstSearchMs.toFixed(0), 'under 50');
    print('one more message, ms', oneMoreMs.toFixed(1), 'under 10');
  }

  // script(1) is what opens a pseudo-terminal.
  if (spawnSync('script', ['--version']).status === 0) {
    const { firstScreenSeconds, keys }: FrontEndFigures = JSON.parse(node(file('front-end.ts')));
    print('home screen with 100,000 stored messages, s', firstScreenSeconds.toFixed(2), 'under 0.5');
    const { median, percentile95, slowest } = keys;
    const times = [median, percentile95, slowest].map(Math.round).join(' / ');
    print('a key during a sync, median / 95 % / slowest, ms', times, 'under 50');
  } else print('home screen, keys during a sync', 'skipped', 'there is no script(1) here');

  const empty = median(several(() => secondsOf(() => node('-e', '0'))));
  const version = median(several(() => secondsOf(() => node(file('../../src/cli/main.ts'), '--version'))));
  print('murmure --version, s', version.toFixed(3), 'under 0.3');
  print('murmure --version / node -e 0', (version / empty).toFixed(2));
}
