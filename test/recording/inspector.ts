/** `npm run screenshots`: the pictures of the inspector in the README, from a journal of test/replay. Needs Debian's Chromium. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { journalPage } from '../../src/inspector/journal-page.ts';
import { labPage } from '../../src/inspector/lab-page.ts';
import { parseJournal } from '../../src/journal/format.ts';

interface Shot {
  readonly colorScheme: 'light' | 'dark';
  readonly size: readonly [width: number, height: number];
  /** Words of the filter that lead to the moment. */
  readonly find: string;
  readonly unfold?: (page: Page) => Promise<void>;
  /** Default: loss. */
  readonly journal?: string;
}

const shots: Readonly<Record<string, Shot>> = {
  'inspector-walk': { colorScheme: 'light', size: [1280, 720], find: 'merkle-walk adopting' },
  'inspector-datagram': {
    colorScheme: 'light',
    size: [1280, 720],
    find: 'merkle-walk finished',
    // From the last message to what carried it.
    async unfold(page) {
      for (const key of ['3', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
    },
  },
  'inspector-reading': {
    colorScheme: 'dark',
    size: [1280, 720],
    find: 'merkle-walk finished',
    journal: 'incremental-sync',
    async unfold(page) {
      await page.keyboard.press('3');
      await page.keyboard.press('ArrowUp');
    },
  },
};

const url = (path: string) => new URL(`../../${path}`, import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'murmure-screenshots-'));
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  // The lab, in the middle of what it shows.
  const lab = join(folder, 'lab.html');
  writeFileSync(lab, await labPage());
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme: 'light' });
  await page.goto(`${pathToFileURL(lab).href}#scenario=five-readers`);
  await page.locator('.note text', { hasText: 'has 1 new from alice' }).first().waitFor({ timeout: 120_000 });
  await page.click('.play');
  for (let i = 0; i < 12; i++) await page.keyboard.press('K');
  await page.evaluate('document.activeElement?.blur()');
  await page.screenshot({ path: fileURLToPath(url('docs/lab.png')) });
  await page.close();
  for (const [name, { colorScheme, size, find, unfold, journal = 'loss' }] of Object.entries(shots)) {
    const [width, height] = size;
    const file = await pageOf(`${journal}.jsonl`);
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('[data-ready]', { state: 'attached' });
    await page.fill('#filter', find);
    await page.press('#filter', 'Enter');
    await page.fill('#filter', '');
    await page.press('#filter', 'Escape');
    await unfold?.(page);
    await page.evaluate('document.activeElement?.blur()');
    await page.screenshot({ path: fileURLToPath(url(`docs/${name}.png`)) });
    await page.close();
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}

async function pageOf(name: string): Promise<string> {
  const lines = readFileSync(url(`test/replay/${name}`), 'utf8')
    .trimEnd()
    .split('\n');
  const { html } = await journalPage(parseJournal(name, lines), { name });
  const file = join(folder, 'page.html');
  writeFileSync(file, html);
  return file;
}
