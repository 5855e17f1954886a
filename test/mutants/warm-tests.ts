/**
 * A process that runs tests on a mutant as often as it is asked. Vitest stays loaded, and so does what does not change.
 * The mutant exists only in what Vite makes of its file: nothing is written.
 */
import { join } from 'node:path';
import { createVitest, type TestModule } from 'vitest/node';

export interface Order {
  /** What stands in a file instead of what is there; none: the code as it is. */
  readonly mutant?: { readonly file: string; readonly source: string };
  /** Relative to the checkout, in the order in which they run, up to the first failure. */
  readonly tests: readonly string[];
  readonly limitMs: number;
}

/** Times are of the processor: how busy the machine is with other things does not count. */
export type Answer =
  | { readonly outcome: 'passed'; readonly cpuMs: number; readonly count: number }
  | { readonly outcome: 'failed'; readonly test: string; readonly by: string }
  | { readonly outcome: 'timed out' };

/** Neither tests that something can be reached, nor tests of what a chart consists of: docs/mutants.md. */
const COUNTED_NAMES = /^(?!every transition of |JSON of the machine )/;
const TICK_MS = 1_000;
/** Tests that wait for ever do so in silence: this many ticks in a row with next to no work. */
const SILENT_TICKS = 30;
const SILENCE_MS = 5;

const root = join(import.meta.dirname, '../..');
let mutant: Order['mutant'];

const vitest = await createVitest(
  'test',
  {
    config: false,
    root,
    watch: false,
    include: ['test/**/*.test.ts'],
    testNamePattern: COUNTED_NAMES,
    // Files of one order share a thread, whose modules are loaded anew for each.
    pool: 'threads',
    isolate: false,
    maxWorkers: 1,
    bail: 1,
    fsModuleCache: false,
    passWithNoTests: true,
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    reporters: [{}],
  },
  {
    plugins: [
      {
        name: 'mutant',
        enforce: 'pre',
        transform: (_, id) => (mutant !== undefined && id === join(root, mutant.file) ? mutant.source : undefined),
      },
    ],
  },
);
vitest.config.sequence.sequencer = class {
  shard = (files: []) => files;
  sort = (files: []) => files;
} as never;
await vitest.globTestSpecifications();

async function run({ mutant: wanted, tests, limitMs }: Order): Promise<Answer> {
  for (const changed of [mutant, wanted]) {
    if (changed !== undefined) vitest.invalidateFile(join(root, changed.file));
  }
  mutant = wanted;
  const specifications = tests.flatMap((test) => vitest.getModuleSpecifications(join(root, test)));
  const before = process.cpuUsage();
  const cpuMs = () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  const watch = watchFor(limitMs, cpuMs);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  clearInterval(watch);
  const ran = new Set(specifications.map(({ moduleId }) => moduleId));
  const modules = testModules.filter(({ moduleId }) => ran.has(moduleId));
  const failed = modules.filter((module) => !module.ok());
  // Files whose tests were called off have failed as well.
  const [first] = [...failed.filter(hasFailedTest), ...failed];
  if (first === undefined) {
    return unhandledErrors.length === 0
      ? { outcome: 'passed', cpuMs: cpuMs(), count: modules.flatMap(passedTests).length }
      : { outcome: 'failed', test: tests[0] ?? '', by: 'an error that nobody caught' };
  }
  const [test] = first.children.allTests('failed');
  return { outcome: 'failed', test: first.relativeModuleId, by: test?.fullName ?? 'it cannot be loaded' };
}

function passedTests(module: TestModule) {
  return [...module.children.allTests('passed')];
}

function hasFailedTest(module: TestModule): boolean {
  return !module.children.allTests('failed').next().done;
}

/** Tests that never end occupy their thread, or nobody at all: then the process is given up. */
function watchFor(limitMs: number, cpuMs: () => number): NodeJS.Timeout {
  let silent = 0;
  let lastMs = 0;
  return setInterval(() => {
    const nowMs = cpuMs();
    silent = nowMs - lastMs < SILENCE_MS ? silent + 1 : 0;
    lastMs = nowMs;
    if (nowMs > limitMs || silent >= SILENT_TICKS) answer({ outcome: 'timed out' }, () => process.exit());
  }, TICK_MS);
}

function answer(text: Answer, then?: () => void): void {
  process.send?.(text, undefined, undefined, then);
}

process.on('message', async (order: Order) => answer(await run(order)));
process.on('disconnect', () => process.exit());
process.send?.('ready');
