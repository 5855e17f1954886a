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

/** The quick ones first. docs/mutants.md says which tests are left out, and why. */
const STAGES = [
  ['test/{machines,property}/*.test.ts', 'test/unit/*.test.ts', 'test/unit/*/*.test.ts'],
  ['test/simulation/*.test.ts'],
];
const EXCLUDED = [
  'test/unit/{cli,diagrams,directory,docs,journal,support}/*',
  'test/unit/{mutants,transition-coverage}.test.ts',
  'test/unit/machines/serialised.test.ts',
  'test/unit/store/garbage.test.ts',
  'test/simulation/{delivery,delivery-many,journals,publish-and-sync}.test.ts',
];
/** Of the work that tests took without a mutant: by then they are in a loop without an end. */
const PATIENCE = 5;
const LEAST_PATIENCE_MS = 10_000;
/** So many tests are started together: most mutants are killed by the first of them. */
const FIRST_BATCH = 3;

export class Tester implements Disposable {
  readonly #checkout: string;
  readonly #graph: ImportGraph;
  readonly #stages: readonly (readonly string[])[];
  /** How long each test takes without a mutant, ms of the processor. */
  readonly #baselines = new Map<string, number>();
  /** How many mutants of a file each test has killed. */
  readonly #kills = new Map<string, Map<string, number>>();
  #process: ChildProcess | undefined;

  constructor(checkout: string, { simulations }: { readonly simulations: boolean }) {
    this.#checkout = checkout;
    this.#graph = new ImportGraph(checkout);
    this.#stages = STAGES.slice(0, simulations ? 2 : 1).map((patterns) =>
      globSync(patterns, { cwd: checkout, exclude: EXCLUDED }).sort(),
    );
  }

  /** @throws Error if a test fails without any mutant already */
  async test(mutant: Mutant): Promise<Verdict> {
    const source = mutated(readFileSync(join(this.#checkout, mutant.file), 'utf8'), mutant);
    for (const tests of this.#batchesFor(mutant.file)) {
      let limitMs = LEAST_PATIENCE_MS;
      for (const test of tests) limitMs += PATIENCE * (await this.#baseline(test));
      const order = { mutant: { file: mutant.file, source }, limitMs };
      const answer = await this.#run({ ...order, tests });
      if (answer.outcome === 'timed out') return { outcome: 'timed out', by: tests.join(' ') };
      // A test that fails only now and then kills nothing.
      if (answer.outcome === 'failed' && (await this.#run({ ...order, tests: [answer.test] })).outcome !== 'passed') {
        this.#note(mutant.file, answer.test);
        return { outcome: 'killed', by: `${answer.test}: ${answer.by}` };
      }
    }
    return { outcome: 'survived' };
  }

  /** Those that can notice: first what has killed mutants of the file, then what loads the least beside it. */
  #batchesFor(file: string): string[][] {
    const kills = (test: string) => this.#kills.get(file)?.get(test) ?? 0;
    const size = (test: string) => this.#graph.reachedFrom(test).size;
    return this.#stages.flatMap((stage) => {
      const tests = stage
        .filter((test) => this.#graph.reachedFrom(test).has(file))
        .sort((a, b) => kills(b) - kills(a) || size(a) - size(b));
      const batches = [];
      for (let from = 0, length = FIRST_BATCH; from < tests.length; from += length, length *= 2) {
        batches.push(tests.slice(from, from + length));
      }
      return batches;
    });
  }

  #note(file: string, test: string): void {
    const kills = this.#kills.get(file) ?? new Map<string, number>();
    kills.set(test, (kills.get(test) ?? 0) + 1);
    this.#kills.set(file, kills);
  }

  /** Once, and only of tests that a mutant gets to. */
  async #baseline(test: string): Promise<number> {
    const known = this.#baselines.get(test);
    if (known !== undefined) return known;
    const answer = await this.#run({ tests: [test], limitMs: Number.MAX_VALUE });
    if (answer.outcome !== 'passed') {
      throw new Error(`without a mutant this fails already: ${test}${'by' in answer ? `: ${answer.by}` : ''}`);
    }
    this.#baselines.set(test, answer.cpuMs);
    return answer.cpuMs;
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

async function started(): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, 'warm-tests.ts'), { stdio: 'ignore' });
  await once(child, 'message');
  return child;
}
