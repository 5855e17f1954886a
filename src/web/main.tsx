/** Starts the page, and takes in what it is told. */
import { render } from 'preact';
import type { Line } from '../inspector/lines.ts';
import { App } from './app.tsx';
import { keepPlace, standAtLink } from './place.ts';
import { Run } from './run.ts';
import { openSource } from './source.ts';
import { crossings, growBy, grown, position, problem, reference, runIndex, runs, view } from './state.ts';
import { keepTheme } from './theme.ts';

keepTheme();
addEventListener('hashchange', standAtLink);
render(<App />, document.getElementById('app') as HTMLElement);
start().catch((error: unknown) => {
  problem.value = (error as Error).message;
});

async function start(): Promise<void> {
  const source = await openSource();
  reference.value = source.reference;
  runs.value = source.runs.map(() => new Run());
  await Promise.all(source.runs.map((lines, i) => read(lines, i)));
  join();
  ready();
}

/** From then on the address says where the page stands. */
function ready(): void {
  const { dataset } = document.documentElement;
  if (dataset.ready !== undefined) return;
  standAtLink();
  keepPlace();
  // For tests.
  dataset.ready = 'yes';
}

/** After which a person is heard again. */
const READING_MS = 20;

async function read(source: AsyncIterable<readonly Line[]>, index: number): Promise<void> {
  const run = runs.value[index] as Run;
  let seenAt = Number.NEGATIVE_INFINITY;
  let tookMs = 0;
  let pausedAt = performance.now();
  for await (const lines of source) {
    for (const line of lines) run.take(line);
    // A picture of every chunk would cost more than reading it: a tenth of the time is for pictures.
    const startedAt = performance.now();
    const isDue = run.header.isLive || startedAt - seenAt >= Math.max(100, 9 * tookMs);
    if (!isDue && startedAt - pausedAt < READING_MS) continue;
    if (isDue) show(run, index);
    // The browser draws now, and answers keys.
    await new Promise((resolve) => setTimeout(resolve));
    pausedAt = performance.now();
    if (!isDue) continue;
    seenAt = pausedAt;
    tookMs = seenAt - startedAt;
  }
  if (run.header.isLive) run.remarks.push('The connection has ended: what was seen until then is kept.');
  show(run, index);
}

/** Of an author and a reader, say; not the same run with an entry left out. */
function join(): void {
  const names = new Set(runs.value.map(({ header }) => header.name));
  if (names.size < 2) return;
  crossings.value.follow(runs.value);
  view.value = 'network';
  grown.value += 1;
}

function show(run: Run, index: number): void {
  const gone = run.forget();
  const isShown = index === runIndex.value;
  growBy(isShown ? gone : 0);
  if (!isShown) return;
  // Of a run that goes on, what has come so far is ready.
  if (run.header.isLive) ready();
  else if (position.value === -1) position.value = 0;
}
