/** Tests mutants, one after another, in a process that stays warm; disposing of it ends that process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImportGraph } from './import-graph.ts';
import { type Mutant, mutated } from './operators.ts';
import type { Answer, Order } from './warm-tests.ts';

/** What happened to a mutant: `by` names the test that failed first. */
export type Verdict =
  | { readonly outcome: 'killed'; readonly by: string }
  | { readonly outcome: 'survived' }
  | { readonly outcome: 'timed out'; readonly by: string };

/** Which tests there are, each stage for the mutants that survive the one before. docs/mutants.md says which are left out, and why. */
export const STAGES = {
  units: [
    'test/{machines,property,unit}/*.test.ts',
    'test/unit/{feed,identity,machines,merkle,peer,runtime,store,wire}/*.test.ts',
    'test/unit/cli/{first-run,front-end/*}.test.ts',
  ],
  simulations: [
    'test/simulation/{adoption,announcements,answers,clock-jumps,directory,event-kinds,faults,guarded,history}.test.ts',
    'test/simulation/{interruptions,nat,pauses,quirks,relay,retransmission,second-process,sessions}.test.ts',
    'test/simulation/{sync-figures,trust}.test.ts',
  ],
  'long simulations': ['test/simulation/{any-tree,delivery-*,front-end,hostile,known-peers,leaks}.test.ts'],
} as const;
export type Stage = keyof typeof STAGES;
const EXCLUDED = [
  'test/unit/{mutants,transition-coverage}.test.ts',
  'test/unit/machines/serialised.test.ts',
  'test/unit/store/garbage.test.ts',
  'test/simulation/delivery-many.test.ts',
];
/** Of the work that tests took without a mutant: by then they are in a loop without an end. */
const PATIENCE = 3;
const LEAST_PATIENCE_MS = 10_000;
/** So many tests are started together: most mutants are killed by the first of them. */
const FIRST_BATCH = 4;
/** Tests that work longer than this wait until all others have passed. */
const SLOW_MS = 1_000;

/** What a file of tests does without a mutant. */
type Baseline = Extract<Answer, { outcome: 'passed' }>;

export class Tester implements Disposable {
  readonly #checkout: string;
  readonly #graph: ImportGraph;
  readonly #baselines = new Map<string, Baseline>();
  /** How many mutants of a file each test has killed. */
  readonly #kills = new Map<string, Map<string, number>>();
  #process: ChildProcess | undefined;

  constructor(checkout: string) {
    this.#checkout = checkout;
    this.#graph = new ImportGraph(checkout);
  }

  /** @throws Error if a test fails without any mutant already */
  async test(mutant: Mutant, stages: readonly Stage[]): Promise<Verdict> {
    const source = mutated(readFileSync(join(this.#checkout, mutant.file), 'utf8'), mutant);
    for (const stage of stages) {
      for (const tests of batches(this.#inOrder(stage, mutant.file))) {
        const verdict = await this.#verdictOf(tests, { file: mutant.file, source });
        if (verdict.outcome !== 'survived') return verdict;
      }
    }
    return { outcome: 'survived' };
  }

  async #verdictOf(tests: readonly string[], mutant: NonNullable<Order['mutant']>): Promise<Verdict> {
    let limitMs = LEAST_PATIENCE_MS;
    for (const test of tests) limitMs += PATIENCE * (await this.#baseline(test)).cpuMs;
    const answer = await this.#run({ mutant, tests, limitMs });
    if (answer.outcome === 'timed out') return { outcome: 'timed out', by: tests.join(' ') };
    if (answer.outcome === 'passed') return { outcome: 'survived' };
    // A test that fails only now and then, or only after another one, kills nothing.
    const again = await this.#run({ mutant, tests: [answer.test], limitMs });
    if (again.outcome !== 'passed') {
      this.#note(mutant.file, answer.test);
      return { outcome: 'killed', by: `${answer.test}: ${answer.by}` };
    }
    if (tests.length > 1) {
      for (const test of tests) {
        const verdict = await this.#verdictOf([test], mutant);
        if (verdict.outcome !== 'survived') return verdict;
      }
    }
    return { outcome: 'survived' };
  }

  /** Those that can notice: first what has killed mutants of the file, then what loads little beside it, then what is known to be slow. */
  #inOrder(stage: Stage, file: string): string[] {
    const ranked = globSync(STAGES[stage], { cwd: this.#checkout, exclude: EXCLUDED }).flatMap((test) => {
      const reached = this.#graph.reachedFrom(test);
      const { cpuMs, count } = this.#baselines.get(test) ?? { cpuMs: 0, count: 1 };
      const kills = this.#kills.get(file)?.get(test) ?? 0;
      const rank = [-kills, cpuMs > SLOW_MS ? cpuMs : 0, reached.size];
      return reached.has(file) && count > 0 ? [{ test, rank }] : [];
    });
    const difference = (a: readonly number[], b: readonly number[]) =>
      a.map((rank, i) => rank - (b[i] ?? 0)).find((less) => less !== 0) ?? 0;
    return ranked.sort((a, b) => difference(a.rank, b.rank)).map(({ test }) => test);
  }

  #note(file: string, test: string): void {
    const kills = this.#kills.get(file) ?? new Map<string, number>();
    kills.set(test, (kills.get(test) ?? 0) + 1);
    this.#kills.set(file, kills);
  }

  /** Once, and only of tests that a mutant gets to. */
  async #baseline(test: string): Promise<Baseline> {
    const known = this.#baselines.get(test);
    if (known !== undefined) return known;
    const answer = await this.#run({ tests: [test], limitMs: Number.MAX_VALUE });
    if (answer.outcome !== 'passed') {
      throw new Error(`without a mutant this fails already: ${test}${'by' in answer ? `: ${answer.by}` : ''}`);
    }
    this.#baselines.set(test, answer);
    return answer;
  }

  async #run(order: Order): Promise<Answer> {
    const child = this.#process ?? (await started());
    this.#process = child;
    const over = new AbortController();
    child.send(order);
    const answer = await Promise.race([
      once(child, 'message', { signal: over.signal }).then(([answer]) => answer as Answer),
      once(child, 'exit', { signal: over.signal }).then(() => undefined),
    ]).finally(() => over.abort());
    if (answer === undefined || answer.outcome === 'timed out') this.#stop();
    return answer ?? { outcome: 'failed', test: order.tests[0] ?? '', by: 'the tests broke down' };
  }

  #stop(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}

/** More and more at a time: one run of many is quicker than many runs, if nothing fails. */
function batches(tests: readonly string[]): string[][] {
  const batches = [];
  for (let from = 0, length = FIRST_BATCH; from < tests.length; from += length, length *= 2) {
    batches.push(tests.slice(from, from + length));
  }
  return batches;
}

async function started(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'warm-tests.ts'), { stdio: 'ignore' });
  await once(child, 'message');
  return child;
}
