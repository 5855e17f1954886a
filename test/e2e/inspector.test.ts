/** The inspector's page, in a real browser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { peerSource } from '../../src/cli/inspector/run-sources.ts';
import { journalPage } from '../../src/inspector/journal-page.ts';
import { labPage } from '../../src/inspector/lab-page.ts';
import { PackedRun } from '../../src/inspector/packed-run.ts';
import { offerInspector } from '../../src/inspector/server.ts';
import { parseJournal } from '../../src/journal/format.ts';
import { listedPeers } from '../support/scenarios.ts';
import { hasTool } from '../support/tools.ts';
import { recording, type VirtualPeer } from '../support/world.ts';

/** No outcome depends on how fast a browser is. */
const patiently = { timeout: 120_000 };

const hasChromium = hasTool('chromium');
const OPTIONS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

interface Picture {
  readonly tree: string;
  readonly details: string;
  readonly chart: readonly string[];
  readonly message: string;
  readonly place: string;
}

/** What every pane shows. As text, since it is the page that runs it. */
const PICTURE = `(() => {
  const text = (selector) => document.querySelector(selector)?.textContent;
  const lit = [...document.querySelectorAll('.drawing .now, .drawing .taken, .drawing .left, .drawing .asked')];
  return {
    tree: text('.tree'),
    details: text('.details'),
    chart: [text('.chart header'), ...lit.map((it) => it.getAttribute('class') + ' ' + it.querySelector('title')?.textContent)],
    message: document.querySelector('.moment.now')?.getAttribute('aria-label'),
    place: text('.place'),
  };
})()`;

describe.skipIf(!hasChromium)('the page (skipped without chromium)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-page-'));
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...OPTIONS, '--no-first-run'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Whatever the page asks for, and whatever goes wrong in it. */
  async function open(url: string): Promise<{ page: Page; asked: string[]; problems: string[] }> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    const asked: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('dialog', (dialog) => problems.push(`dialog ${dialog.message()}`));
    await page.goto(url);
    await page.waitForSelector('[data-ready]', { state: 'attached' });
    return { page, asked, problems };
  }

  async function exported(name: string, lines: readonly string[], drop?: number): Promise<string> {
    const { html } = await journalPage(parseJournal(name, lines), { name, drop });
    const file = join(folder, `${name}.html`);
    writeFileSync(file, html);
    return pathToFileURL(file).href;
  }

  const recorded = (name: string) =>
    readFileSync(new URL(`../replay/${name}.jsonl`, import.meta.url), 'utf8')
      .trimEnd()
      .split('\n');

  const picture = (page: Page) => page.evaluate<Picture>(PICTURE);

  const press = async (page: Page, key: string, times: number) => {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  };

  test('made of a journal, opens from a file and asks for nothing else', async () => {
    const url = await exported('first-sync', recorded('first-sync'));
    const { page, asked, problems } = await open(url);
    await page.keyboard.press('End');
    const { tree } = await picture(page);
    expect(tree).toContain('merkle-walk.alice');
    expect(asked).toEqual([url]);
    expect(problems).toEqual([]);
    await page.close();
  });

  test('shows the same picture after time has gone forth and back', async () => {
    const { page } = await open(await exported('loss', recorded('loss')));
    await press(page, 'PageDown', 5);
    const before = await picture(page);
    await press(page, 'ArrowRight', 8);
    const later = await picture(page);
    expect(later).not.toEqual(before);
    await press(page, 'ArrowLeft', 8);
    expect(await picture(page)).toEqual(before);
    await page.keyboard.press('Home');
    await press(page, 'PageDown', 5);
    await press(page, 'ArrowRight', 1);
    expect((await picture(page)).place).toBe(before.place);
    await page.close();
  });

  test('keeps in its address where it stands, for whoever opens that', async () => {
    const { page } = await open(await exported('link', recorded('loss')));
    await press(page, 'PageDown', 5);
    await page.click('.tree .row:has-text("socket.0")');
    await expect.poll(() => page.url(), patiently).toMatch(/#at=100&actor=peer\/socket\.0$/);
    const before = await picture(page);
    expect(before.details).toContain('peer/socket.0');
    const other = await open(page.url());
    expect(await picture(other.page)).toEqual(before);
    await Promise.all([page.close(), other.page.close()]);
  });

  test('lights the state and the arrow that was taken in the committed drawing, and axe finds nothing, light and dark', async () => {
    const { page } = await open(await exported('first-sync', recorded('first-sync')));
    await page.fill('#filter', 'merkle-walk.alice finished');
    await page.press('#filter', 'Enter');
    const { chart, details } = await picture(page);
    expect(chart).toContainEqual('node now finished');
    expect(chart).toContainEqual('edge taken concluding->finished');
    expect(details).toContain('concluding → finished');
    expect(details).toContain('when the store took over the tree');
    await page.click('.sections button');
    expect(await page.textContent('.section h2')).toBe('§ 2 Messages and trees');
    await readAxe(page);
    expect(await foundByAxe(page)).toEqual([]);
    await page.keyboard.press('t');
    expect(await foundByAxe(page, ['color-contrast'])).toEqual([]);
    await page.close();
  });

  test('leads from a message to the datagram that carried it and to the walk that fetched it, and keeps the message in its address', async () => {
    const { page, problems } = await open(await exported('read', recorded('incremental-sync')));
    await press(page, 'End', 1);
    await press(page, '3', 1);
    expect(await page.textContent('.posts h2')).toContain('41 messages');
    await press(page, 'ArrowUp', 1);
    expect(await page.textContent('.reading .body')).toBe('message 1 of alice');
    await expect.poll(() => page.url(), patiently).toMatch(/view=reading&list=timeline&message=6bc4af85525b/);
    const other = await open(page.url());
    expect(await other.page.textContent('.reading .body')).toBe('message 1 of alice');
    await other.page.close();
    await readAxe(page);
    expect(await foundByAxe(page)).toEqual([]);
    await page.keyboard.press('t');
    expect(await foundByAxe(page, ['color-contrast'])).toEqual([]);
    await page.click('.origin .link:text-is("merkle-walk.alice") >> nth=0');
    expect((await picture(page)).details).toContain('nodes.received');
    await press(page, 'End', 1);
    await press(page, '3', 1);
    await press(page, 'Enter', 1);
    const { details } = await picture(page);
    expect(details).toContain('datagrams.received');
    expect(details).toContain('type Nodes');
    expect(problems).toEqual([]);
    await page.close();
  });

  test('shows conversations with what answers what, as far as it has come', async () => {
    const lines: string[] = [];
    const openJournal = (of: string) =>
      of === 'bob' ? { write: (line: string) => void lines.push(line), close() {} } : undefined;
    await recording(openJournal, async () => {
      const world = await listedPeers(9, ['alice', 'bob']);
      const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
      const { hash } = alice.peer.post('Who is there?');
      await world.settle(bob.peer.sync('alice'));
      bob.peer.ask({ type: 'post.wanted', text: 'I am', inReplyTo: hash, ticket: 'answer' });
      alice.peer.post('Something else');
      await world.settle(bob.peer.sync('alice'));
      await world.close();
    });
    const { page } = await open(await exported('thread', lines));
    await press(page, 'End', 1);
    await press(page, '3', 1);
    await page.click('.post:has-text("I am")');
    await press(page, 'v', 1);
    expect(await page.locator('.post .text').allTextContents()).toEqual(['Who is there?', 'I am']);
    await press(page, 'v', 1);
    expect(await page.locator('.post .text').allTextContents()).toEqual(['I am']);
    await page.click('.authors .row:has-text("alice")');
    expect(await page.locator('.post .text').allTextContents()).toEqual(['Who is there?', 'Something else']);
    await press(page, 'Home', 1);
    expect(await page.locator('.post').count()).toBe(0);
    await page.close();
  });

  test('stands at the first difference that a lost datagram makes', async () => {
    // A timer of a real machine fires late; without an entry, all fire in time.
    const lines = recorded('first-sync').map((line) =>
      line.replace(/^({"seq":14,"atMs":)(\d+)/, (_, head, ms) => `${head}${+ms + 3}`),
    );
    expect(lines[14]).toContain('"timer"');
    const { page } = await open(await exported('dropped', lines, 30));
    await page.keyboard.press('d');
    expect((await picture(page)).place).toMatch(/entry (29|3\d) of /);
    await page.close();
  });

  test('shows names and messages full of markup as the text that they are', async () => {
    const name = '<img src=x/ onerror=alert(1)>\u202e';
    const lines: string[] = [];
    const openJournal = (of: string) =>
      of === 'bob' ? { write: (line: string) => void lines.push(line), close() {} } : undefined;
    await recording(openJournal, async () => {
      const world = await listedPeers(7, [name, 'bob']);
      const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
      alice.peer.post('</script><script>alert(2)</script><!-- <b>bold</b>');
      await world.settle(bob.peer.sync(name));
      await world.close();
    });
    const { page, problems, asked } = await open(await exported('markup', lines));
    await page.fill('#filter', 'walk finished');
    await page.press('#filter', 'Enter');
    expect((await picture(page)).tree).toContain(' onerror=alert(1)>');
    expect((await picture(page)).tree).not.toContain('\u202e');
    await page.press('#filter', 'Escape');
    await page.keyboard.press('3');
    expect(await page.textContent('.post .text')).toBe('</script><script>alert(2)</script><!-- <b>bold</b>');
    expect(await page.textContent('.post strong')).toBe('<img src=x/ onerror=alert(1)>');
    await page.keyboard.press('ArrowDown');
    expect(await page.textContent('.reading .body')).toBe('</script><script>alert(2)</script><!-- <b>bold</b>');
    expect(await page.locator('#app img, #app b b, #app script').count()).toBe(0);
    expect({ problems, asked: asked.length }).toEqual({ problems: [], asked: 1 });
    await page.close();
  });

  const readAxe = (page: Page) => page.evaluate(readFileSync(fileURLToPath(import.meta.resolve('axe-core')), 'utf8'));

  /** What axe finds, with the elements that it is about. In another theme only colours are others. */
  const foundByAxe = (page: Page, rules: readonly string[] = []) => {
    const chosen = rules.length === 0 ? {} : { runOnly: rules };
    return page.evaluate<
      string[]
    >(`axe.run(${JSON.stringify({ ...chosen, resultTypes: ['violations'], preload: false })})
      .then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 160))))`);
  };

  test('shows two journals side by side, joined by the datagrams that went from one to the other', async () => {
    const lines: Record<string, string[]> = { alice: [], bob: [] };
    const openJournal = (of: string) => ({ write: (line: string) => void lines[of]?.push(line), close() {} });
    await recording(openJournal, async () => {
      const world = await listedPeers(5, ['alice', 'bob']);
      const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
      alice.peer.post('One tree, two journals');
      await world.settle(bob.peer.sync('alice'));
      await world.close();
    });
    const runs = Object.entries(lines).map(([name, of]) => new PackedRun(parseJournal(name, of), { name }).send);
    await using inspector = await offerInspector({ title: 'two', runs });
    const { page, problems } = await open(inspector.url);
    // Whoever sends it is in one journal, whoever gets it in the other.
    await page.locator('.network [aria-label$="alice sends Root to bob"]').first().click();
    expect(await page.inputValue('[aria-label=Run]')).toBe('0');
    await page.keyboard.press('J');
    await expect.poll(() => page.inputValue('[aria-label=Run]'), patiently).toBe('1');
    await page.keyboard.press('2');
    expect((await picture(page)).details).toContain('datagrams.received');
    expect(problems).toEqual([]);
    await page.close();
  });

  describe('of the lab', () => {
    let file = '';
    beforeAll(async () => {
      file = join(folder, 'lab.html');
      writeFileSync(file, await labPage());
    });
    const scenario = (id: string) => `${pathToFileURL(file).href}#scenario=${id}`;
    /** What has begun in the page is shown then. */
    const pause = async (page: Page) => {
      await page.click('.play');
      const clock = () => page.textContent('.clock');
      for (let before: string | null = ''; before !== (await clock()); await page.waitForTimeout(200))
        before = await clock();
    };
    const notes = (page: Page) => page.locator('.note text').allTextContents();

    test('runs real peers from a file, and asks for nothing else', async () => {
      const { page, asked, problems } = await open(scenario('first-download'));
      await expect.poll(() => notes(page), patiently).toContain('has 40 new from alice');
      await page.keyboard.press('2');
      expect((await picture(page)).tree).toContain('merkle-walk');
      await page.keyboard.press('3');
      await page.locator('.post', { hasText: 'Message 40 of alice' }).click();
      expect(await page.textContent('.origin')).toContain('alice sent it.');
      await page.click('.origin .link:text-is("its datagram")');
      expect(await page.locator('.rows .moment.now').getAttribute('aria-label')).toContain('alice sends Nodes');
      expect({ asked: asked.length, problems }).toEqual({ asked: 1, problems: [] });
      await page.close();
    });

    test('shows a Hello that is lost, and the same bytes again, and nothing that axe finds, light and dark', async () => {
      const { page } = await open(scenario('lost-hello'));
      await expect.poll(() => page.locator('.way-of.lost text').allTextContents(), patiently).toContain('Hello lost');
      await expect.poll(() => notes(page), patiently).toContain('has 3 new from alice');
      await pause(page);
      await readAxe(page);
      expect(await foundByAxe(page)).toEqual([]);
      await page.keyboard.press('t');
      expect(await foundByAxe(page, ['color-contrast'])).toEqual([]);
      await page.close();
    });

    test('brings a post of a person to the others, and stands where one was before', async () => {
      const { page, problems } = await open(scenario('free'));
      await page.getByTitle('alice posts a message').click();
      await expect.poll(() => notes(page), patiently).toContain('posts');
      await expect.poll(() => notes(page), patiently).toContain('has 1 new from alice');
      await pause(page);
      const before = await picture(page);
      await press(page, 'ArrowLeft', 6);
      expect(await picture(page)).not.toEqual(before);
      await press(page, 'ArrowRight', 6);
      expect(await picture(page)).toEqual(before);
      expect(problems).toEqual([]);
      await page.close();
    });
  });

  test('of a peer that runs, shows what it does while it does it', async () => {
    const world = await listedPeers(3, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    alice.peer.post('Is anybody there?');
    await using inspector = await offerInspector({ title: 'live', runs: [peerSource(bob.peer)] });
    const { page, problems } = await open(inspector.oneTimeUrl());
    expect(page.url()).not.toContain('code');
    await expect.poll(async () => (await picture(page)).tree, patiently).toContain('socket.0');
    expect((await picture(page)).tree).not.toContain('merkle-walk');
    await world.settle(bob.peer.sync('alice'));
    await expect.poll(async () => (await picture(page)).tree, patiently).toContain('merkle-walk.aliceended');
    await page.keyboard.press('3');
    await expect.poll(() => page.locator('.post .text').allTextContents(), patiently).toEqual(['Is anybody there?']);
    expect(problems).toEqual([]);
    await page.close();
    await world.close();
  });
});
