/**
 * What the inspector's page costs a browser, in processor time, so that what else the machine does counts little: opening a recorded
 * run, and following a busy peer. Needs Debian's Chromium. Prints that as JSON.
 */
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core';
import { LineStream } from '../../../src/inspector/line-stream.ts';
import type { Line } from '../../../src/inspector/lines.ts';
import { PackedRun } from '../../../src/inspector/packed-run.ts';
import { offerInspector } from '../../../src/inspector/server.ts';
import { parseJournal } from '../../../src/journal/format.ts';
import { recordReader, watchBusyReader } from './record.ts';

export interface PageFigures {
  /** Of the journal that was opened. */
  readonly entries: number;
  readonly moments: number;
  /** Until the beginning can be looked at, of both sides; and what the page took to read all, and holds then. */
  readonly firstSeconds: number;
  readonly pageSeconds: number;
  readonly longestReadingMs: number;
  readonly heapMb: number;
  /** Of a peer that is followed while it works. */
  readonly actors: number;
  readonly longestMs: Readonly<Record<string, number>>;
}

/** Steps a second, and for how long in each view. */
const RATE = 1_000;
const FOLLOWED_MS = 6_000;
const PATIENCE_MS = 3_600_000;

/** What the page's thread has computed, task by task. */
class Watched {
  readonly #session: CDPSession;
  readonly #page: Page;

  private constructor(page: Page, session: CDPSession) {
    this.#page = page;
    this.#session = session;
  }

  static async of(page: Page): Promise<Watched> {
    return new Watched(page, await page.context().newCDPSession(page));
  }

  /** Processor time of each task, ms. */
  async tasksOf(work: () => Promise<void>): Promise<number[]> {
    const session = this.#session;
    const events: TraceEvent[] = [];
    const collect = ({ value }: { value: object[] }) => {
      for (const event of value) events.push(event as TraceEvent);
    };
    session.on('Tracing.dataCollected', collect);
    const categories = { includedCategories: ['disabled-by-default-devtools.timeline', '__metadata'] };
    await session.send('Tracing.start', { traceConfig: categories });
    await this.#page.evaluate('0');
    await work();
    const ended = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
    await session.send('Tracing.end');
    await ended;
    session.off('Tracing.dataCollected', collect);
    const mains = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
    const isMain = ({ pid, tid }: TraceEvent) => mains.some((it) => it.pid === pid && it.tid === tid);
    return events.filter((it) => it.name === 'RunTask' && isMain(it)).map(({ tdur }) => (tdur ?? 0) / 1_000);
  }
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds of the processor. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** There may be too many for the arguments of a function. */
const longest = (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value), 0);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** As `murmure inspect FILE` does: it is shown while it is replayed. The processor time is that of both sides. */
async function opened(browser: Browser, lines: readonly string[]) {
  const before = process.cpuUsage();
  const journal = parseJournal('bench', lines);
  await using inspector = await offerInspector({
    title: 'bench',
    runs: [new PackedRun(journal, { name: 'bench' }).send],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  const watched = await Watched.of(page);
  const first = await watched.tasksOf(async () => {
    await page.goto(inspector.url, { waitUntil: 'commit' });
    await page.locator('.moment').first().waitFor({ timeout: PATIENCE_MS });
  });
  const firstSeconds = sum(first) / 1_000 + secondsSince(before);
  const rest = await watched.tasksOf(async () => {
    await page.waitForSelector('[data-ready]', { state: 'attached', timeout: PATIENCE_MS });
  });
  const heapMb = (await page.evaluate<number>('performance.memory.usedJSHeapSize')) / 1024 ** 2;
  const moments = Number((await page.textContent('.top .quiet'))?.replaceAll(/\D/g, ''));
  await page.close();
  const pageSeconds = sum([...first, ...rest]) / 1_000;
  return {
    entries: lines.length - 1,
    moments,
    firstSeconds,
    pageSeconds,
    longestReadingMs: longest(rest),
    heapMb,
  };
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** In each view for a while, as it happens. */
async function followed(browser: Browser) {
  const { actors, before, after } = await watchBusyReader((RATE * FOLLOWED_MS * 5) / 1_000);
  await using inspector = await offerInspector({ title: 'bench', runs: [(to) => sendAtRate(to, before, after)] });
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.goto(inspector.url);
  await page.waitForSelector('[data-ready]', { state: 'attached' });
  const watched = await Watched.of(page);
  const longestMs: Record<string, number> = {};
  for (const [view, keys] of Object.entries({ machines: ['2'], reading: ['3'], 'a filter': ['2'] })) {
    for (const key of keys) await page.keyboard.press(key);
    if (view === 'a filter') await page.fill('#filter', 'nodes');
    await pause(500);
    longestMs[view] = longest(await watched.tasksOf(() => pause(FOLLOWED_MS)));
  }
  await page.close();
  return { actors, longestMs };
}

async function sendAtRate(to: ServerResponse, before: readonly Line[], after: readonly Line[]): Promise<void> {
  const stream = new LineStream(to);
  for (const line of before) stream.write(line);
  const startMs = performance.now();
  let sent = 0;
  let steps = 0;
  while (!to.destroyed && sent < after.length) {
    const due = ((performance.now() - startMs) * RATE) / 1_000;
    for (; steps < due && sent < after.length; sent++) {
      const line = after[sent] as Line;
      if (line[0] === 'step') steps += 1;
      stream.write(line);
    }
    await pause(10);
  }
  to.end();
}

const [what = '200000'] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  const lines = /^\d+$/.test(what)
    ? await recordReader(Number(what))
    : readFileSync(what, 'utf8').trimEnd().split('\n');
  const figures: PageFigures = { ...(await followed(browser)), ...(await opened(browser, lines)) };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await browser.close();
}
