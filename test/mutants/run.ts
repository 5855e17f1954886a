/** `npm run mutants`: changes the code in one place at a time, and tells which changes no test notices. See docs/mutants.md. */
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { describeMutant, type Mutant, mutantsOf } from './operators.ts';
import { STAGES, type Stage, Tester, type Verdict } from './tester.ts';

const checkout = join(import.meta.dirname, '../..');
const DEFAULT_PATHS = ['machines', 'src/wire', 'src/merkle', 'src/store', 'src/peer'];
/** They list others, and decide nothing. */
const EXCLUDED_FILES = ['machines/index.ts'];
const MOST_WORKERS = 2;
const STAGE_NAMES = Object.keys(STAGES) as Stage[];

interface Result extends Mutant {
  readonly change: string;
  readonly verdict: Verdict;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '1' },
    stages: { type: 'string', default: '3' },
    list: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});

const say = (text: string) => void process.stdout.write(`${text}\n`);
const whole = (name: string, text: string, most = Number.MAX_SAFE_INTEGER): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new Error(`--${name} takes a whole number from 1 to ${most}, not "${text}"`);
};

const seed = whole('seed', values.seed);
const workers = whole('workers', values.workers, MOST_WORKERS);
const stages = STAGE_NAMES.slice(0, whole('stages', values.stages, STAGE_NAMES.length));
const files = filesIn(positionals.length === 0 ? DEFAULT_PATHS : positionals);
const sources = new Map(files.map((file) => [file, readFileSync(join(checkout, file), 'utf8')]));
const all = [...sources].flatMap(([file, source]) => mutantsOf(file, source));
const drawn = draw(all, values.sample === undefined ? all.length : whole('sample', values.sample), seed);
const changeOf = (mutant: Mutant) => describeMutant(sources.get(mutant.file) ?? '', mutant);
const lineOf = (mutant: Mutant) => `${mutant.file}:${mutant.line}  ${mutant.operator}: ${changeOf(mutant)}`;

say(`${drawn.length} of ${all.length} mutants in ${files.length} files, seed ${seed}`);
if (values.list) for (const mutant of drawn) say(lineOf(mutant));
else if (drawn.length > 0) report(await testAll(drawn));

/** TypeScript files by these paths, relative to the checkout, in order. @throws Error if there is none by a path */
function filesIn(paths: readonly string[]): string[] {
  const found = paths.flatMap((path) => {
    const isFolder = statSync(join(checkout, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
    const under = globSync(isFolder ? join(path, '**/*.ts') : path, { cwd: checkout });
    if (under.length === 0) throw new Error(`there is no TypeScript in ${path}: name a file or folder of the checkout`);
    return under;
  });
  return [...new Set(found)].filter((file) => !EXCLUDED_FILES.includes(file)).sort();
}

/** So many of them, each as likely as any other, in the order in which they were drawn: a part of a sample is a sample. */
function draw(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const random = seededRandom(seed);
  const left = [...mutants];
  const drawn: Mutant[] = [];
  while (drawn.length < count && left.length > 0) {
    drawn.push(...left.splice(Math.floor(random.fraction() * left.length), 1));
  }
  return drawn;
}

/** Whoever stops this is told what came out so far. */
async function testAll(mutants: readonly Mutant[]): Promise<Result[]> {
  // Whoever works on the machine meanwhile goes first.
  setPriority(19);
  using testers = new DisposableStack();
  const queue = mutants.values();
  const results: Result[] = [];
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      testers.dispose();
      report(results);
      process.exit(130);
    });
  }
  const testWith = async (tester: Tester) => {
    for (const mutant of queue) {
      const verdict = await tester.test(mutant, stages);
      results.push({ ...mutant, change: changeOf(mutant), verdict });
      const by = 'by' in verdict ? `  by ${verdict.by}` : '';
      say(`${verdict.outcome.padEnd(9)}  ${lineOf(mutant)}${by}`);
    }
  };
  const each = Array.from({ length: Math.min(workers, mutants.length) }, () => testers.use(new Tester(checkout)));
  await Promise.all(each.map(testWith));
  return results;
}

/** Wilson's interval for a share of 95 %, as "78.1 to 90.0 %". */
function interval(hits: number, count: number): string {
  const z = 1.96;
  const share = hits / count;
  const middle = share + z ** 2 / (2 * count);
  const half = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  const [from, to] = [middle - half, middle + half].map((end) => ((100 * end) / (1 + z ** 2 / count)).toFixed(1));
  return `${from} to ${to} %`;
}

function report(results: readonly Result[]): void {
  const survivors = results.filter(({ verdict }) => verdict.outcome === 'survived');
  const timedOut = results.filter(({ verdict }) => verdict.outcome === 'timed out');
  const killed = results.length - survivors.length;
  survivors.sort((a, b) => (a.file === b.file ? a.start - b.start : a.file < b.file ? -1 : 1));
  if (survivors.length > 0) say(`\nSurvivors:\n${survivors.map((mutant) => `  ${lineOf(mutant)}`).join('\n')}`);
  const share = ((100 * killed) / results.length).toFixed(1);
  say(
    `\n${killed} of ${results.length} mutants killed (${share} %), ${timedOut.length} of them timed out; ${survivors.length} survived`,
  );
  if (results.length < all.length) {
    say(`A sample of ${results.length} of ${all.length}: of all, 95 times in 100, ${interval(killed, results.length)}`);
  }
  if (values.report !== undefined) {
    writeFileSync(values.report, `${JSON.stringify({ seed, mutants: all.length, results }, null, 2)}\n`);
  }
}
