/**
 * The front end over a home of 100,000 stored messages: how long until its first screen is there, and how long it takes to answer keys
 * while it downloads at full speed. Prints that as JSON.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHome } from '../../src/cli/home/create-home.ts';
import { homeAt } from '../../src/cli/home/home.ts';
import { openSqliteStore } from '../../src/index.ts';
import { fillStore } from './filled-store.ts';
import { Terminal } from './terminal.ts';

export interface FrontEndFigures {
  /** The middle one of several starts. */
  readonly firstScreenSeconds: number;
  /** Until the screen that a key leads to was there, ms: of all that were pressed while a download was under way. */
  readonly keys: {
    readonly count: number;
    readonly median: number;
    readonly percentile95: number;
    readonly slowest: number;
  };
}

/** As many as take a while to download. */
const DOWNLOADED = 15_000;
const BYTES = 200;
const STARTS = 5;
const LAST_KEY = /q quit/;
/** "alice 3,120/10,324 nodes". */
const PROGRESS = /\d\/[\d,]+ nodes/;

await using resources = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
resources.defer(() => rmSync(folder, { recursive: true }));
const publisher = fork(fileURLToPath(new URL('publisher.ts', import.meta.url)), [`${DOWNLOADED}`, `${BYTES}`]);
resources.defer(() => void publisher.kill());
const [{ url, ca }] = await once(publisher, 'message');
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, ca);

const home = homeAt(join(folder, 'home'));
const nobody = async () => undefined;
await createHome({ home, name: 'bob', passphrase: nobody, askPassphrase: nobody });
{
  using store = fillStore(home.storeFile, 'carol').store;
  store.setFollowing('carol', true, Date.now());
}
const argv = ['--home', home.folder, '--directory', url, '--ca', caFile];

const starts: number[] = [];
for (let i = 0; i < STARTS; i++) {
  await using terminal = new Terminal(argv);
  starts.push((await terminal.shows(LAST_KEY)) - terminal.startedMs);
}

{
  using store = openSqliteStore(home.storeFile);
  store.setFollowing('alice', true, Date.now());
}
await using terminal = new Terminal(argv);
await terminal.shows(PROGRESS);
const answers: number[] = [];
for (;;) {
  // There and back, and something typed between; Ctrl-C leads home as Escape does, which terminals hold back for a moment.
  const round = [
    await terminal.press('?', /PgUp/),
    await terminal.press('q', LAST_KEY),
    await terminal.press('p', /985 bytes left/),
    await terminal.press('x', /984 bytes left/),
    await terminal.press('\u007f', /985 bytes left/),
    await terminal.press('\u0003', LAST_KEY),
  ];
  // The status line that came with it says whether it still downloads.
  if (!PROGRESS.test(terminal.written)) break;
  answers.push(...round);
}
const figures: FrontEndFigures = {
  firstScreenSeconds: quantile(starts, 0.5) / 1000,
  keys: {
    count: answers.length,
    median: quantile(answers, 0.5),
    percentile95: quantile(answers, 0.95),
    slowest: quantile(answers, 1),
  },
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
