/** A copy of the checkout in which a mutant can be tested; disposing of it removes it, and stops what runs in it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Mutant, mutated } from './operators.ts';

/** What happened to a mutant: `by` names the test that failed first. */
export type Verdict =
  | { readonly outcome: 'killed'; readonly by: string }
  | { readonly outcome: 'survived' }
  | { readonly outcome: 'timed out' };

/** Neither recordings and drawings, which notice every change, nor tests that something can be reached: docs/mutants.md. */
const EXCLUDED = [
  'test/replay/**',
  'test/unit/journal/**',
  'test/unit/cli/journals.test.ts',
  'test/unit/diagrams/**',
  'test/unit/docs/**',
];
const COUNTED_NAMES = '^(?!every transition of )';
/** The quick ones first. */
const PROJECTS = ['unit', 'simulation'] as const;
type Project = (typeof PROJECTS)[number];
/** Of the time that tests took without a mutant: by then they wait for something that does not come. */
const PATIENCE = 3;
const LEAST_PATIENCE_MS = 60_000;

/** How long the tests of a project take without a mutant, ms. */
export type Baselines = Map<Project, Promise<number>>;

interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export class Sandbox implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'murmure-mutants-'));
  readonly #files: readonly string[];
  readonly #baselines: Baselines;
  #running: ChildProcess | undefined;

  /** For mutants of these files. Sandboxes of one run share their baselines. */
  constructor(checkout: string, files: readonly string[], baselines: Baselines) {
    this.#files = files;
    this.#baselines = baselines;
    const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
      cwd: checkout,
      encoding: 'utf8',
    });
    for (const file of list.split('\0').filter((file) => file !== '' && existsSync(join(checkout, file)))) {
      cpSync(join(checkout, file), join(this.#folder, file), { recursive: true });
    }
    symlinkSync(resolve(checkout, 'node_modules'), join(this.#folder, 'node_modules'));
  }

  /** @throws Error if a test fails without any mutant already */
  async test(mutant: Mutant): Promise<Verdict> {
    const file = join(this.#folder, mutant.file);
    const source = readFileSync(file, 'utf8');
    for (const project of PROJECTS) {
      const limitMs = LEAST_PATIENCE_MS + PATIENCE * (await this.#baseline(project));
      writeFileSync(file, mutated(source, mutant));
      const verdict = await this.#run(project, [mutant.file], limitMs);
      writeFileSync(file, source);
      if (verdict.outcome !== 'survived') return verdict;
    }
    return { outcome: 'survived' };
  }

  /** Once for all mutants, and only if a mutant gets that far. */
  #baseline(project: Project): Promise<number> {
    const baseline = this.#baselines.get(project) ?? this.#measure(project);
    this.#baselines.set(project, baseline);
    return baseline;
  }

  async #measure(project: Project): Promise<number> {
    const startedMs = performance.now();
    const verdict = await this.#run(project, this.#files, Number.POSITIVE_INFINITY);
    if (verdict.outcome === 'killed') throw new Error(`without a mutant this fails already: ${verdict.by}`);
    return performance.now() - startedMs;
  }

  async #run(project: Project, files: readonly string[], limitMs: number): Promise<Verdict> {
    const report = join(this.#folder, 'results.json');
    rmSync(report, { force: true });
    const child = spawn(
      process.execPath,
      [
        join(dirname(import.meta.dirname), '../node_modules/vitest/vitest.mjs'),
        ...['related', ...files, '--run', '--project', project, '--bail', '1', '--passWithNoTests'],
        ...EXCLUDED.flatMap((pattern) => ['--exclude', pattern]),
        ...['--testNamePattern', COUNTED_NAMES, '--maxWorkers', '1'],
        ...['--reporter', 'json', '--outputFile', report],
      ],
      // A group of its own, so that its workers can be stopped with it.
      { cwd: this.#folder, stdio: 'ignore', detached: true },
    );
    this.#running = child;
    let isTimedOut = false;
    const limit = Number.isFinite(limitMs)
      ? setTimeout(() => {
          isTimedOut = true;
          this.#stop();
        }, limitMs)
      : undefined;
    const code = await new Promise<number | null>((done) => child.once('close', done));
    clearTimeout(limit);
    this.#running = undefined;
    if (isTimedOut) return { outcome: 'timed out' };
    return code === 0 ? { outcome: 'survived' } : { outcome: 'killed', by: firstFailure(report, this.#folder) };
  }

  #stop(): void {
    if (this.#running?.pid !== undefined) process.kill(-this.#running.pid, 'SIGKILL');
  }

  [Symbol.dispose](): void {
    this.#stop();
    // What was stopped may still be writing for a moment.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** The name of the test that failed, or of the file that could not even be loaded. */
function firstFailure(report: string, folder: string): string {
  if (!existsSync(report)) return 'the tests broke down';
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Results;
  const told = (name: string, what: string) => `${name.replace(`${folder}/`, '')}: ${what}`;
  for (const { name, assertionResults } of testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) return told(name, failed.fullName);
  }
  // Files whose tests were called off have failed as well: this is said only where no test has.
  const unloaded = testResults.find(({ status }) => status === 'failed');
  return unloaded === undefined ? 'the tests broke down' : told(unloaded.name, 'it cannot be loaded');
}
