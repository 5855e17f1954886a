import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { transitionCoverage } from './test/support/transition-coverage.ts';

const plugins = [transitionCoverage({ machines: 'machines/index.ts', projects: ['unit', 'simulation', 'alone'] })];
const setupFiles = ['test/support/walked-parts.ts'];
const strict = { setupFiles: [...setupFiles, 'test/support/no-warnings.ts', 'test/oracle/after-each-test.ts'] };

/** The program starts some hundred times: what it is compiled to is kept. */
const env = { NODE_COMPILE_CACHE: fileURLToPath(new URL('node_modules/.cache/murmure-tests', import.meta.url)) };

/** As the executable sets it: large contexts are copied ten times as fast. */
const execArgv = ['--fast-properties-soft-limit=128'];

/** Files that one worker runs one after the other share what is loaded and compiled: that halves what most of them cost. */
const shared = { isolate: false };

/** Its mock of XState has to be there before anything loads XState. */
const ALONE = 'test/unit/diagrams/actors.test.ts';

/** Only a test that hangs takes so long: no outcome depends on how fast the machine is. */
const patience = { testTimeout: 600_000, hookTimeout: 600_000 };

const project = (name: string, folders: string[], extra: object = {}) => ({
  plugins,
  test: {
    name,
    include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
    setupFiles,
    env,
    execArgv,
    ...patience,
    ...extra,
  },
});

export default defineConfig({
  test: {
    // End-to-end tests mostly wait for processes to start: one worker more than there are cores, where these are few.
    maxWorkers: Math.max(3, availableParallelism()),
    projects: [
      project('unit', ['unit', 'machines', 'property', 'replay', 'oracle', 'worlds'], {
        ...shared,
        exclude: [...configDefaults.exclude, ALONE],
      }),
      project('simulation', ['simulation'], { ...strict, ...shared }),
      project('alone', [], { include: [ALONE] }),
      project('e2e', ['e2e']),
      project('long', ['long'], { ...strict, testTimeout: 1_200_000 }),
    ],
  },
});
