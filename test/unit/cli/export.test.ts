/** `murmure export`: pages and an Atom feed of stored messages. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { homeAt } from '../../../src/cli/home/home.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { assertWellFormed } from '../diagrams/pictures.ts';
import { fetchTree, messageNode, treeOf } from '../store/support.ts';
import { initHome, run } from './support.ts';

let home: string;
let site: string;
beforeEach(async () => {
  home = await initHome('me');
  site = path.join(home, 'site');
});

async function post(text: string, ...flags: string[]): Promise<string> {
  return (await run(['post', text, ...flags, '--home', home, '--json'])).lines[0]?.hash;
}
const exported = (...argv: string[]) => run(['export', '--html', site, ...argv, '--home', home]);
const page = (name = 'index.html') => readFile(path.join(site, name), 'utf8');
const bodiesOf = (html: string) =>
  [...html.matchAll(/<div class="body" dir="auto">(.*?)<\/div>/gs)].map(([, body]) => body);

test('one’s own messages are on the page, newest first, with hash, author and date', async () => {
  const first = await post('one');
  await post('two');
  expect((await exported()).out).toBe(`Wrote 2 messages to ${path.join(site, 'index.html')}\n`);
  const html = await page();
  expect(bodiesOf(html)).toEqual(['two', 'one']);
  expect(html).toContain(`<code>${first}</code>`);
  expect(html).toContain('<bdi class="author">me</bdi>');
  expect(html).toMatch(/<time datetime="\d{4}-\d\d-\d\dT[\d:.]+Z">/);
});

test('peers who are named are exported instead', async () => {
  await post('mine');
  using store = openSqliteStore(homeAt(home).storeFile);
  fetchTree(store, 'bob', treeOf([messageNode('from bob')]));
  await exported('bob');
  expect(bodiesOf(await page())).toEqual(['from bob']);
});

test('what a message says is text, whatever it is, and nothing runs or is loaded', async () => {
  await post(`<script>alert(1)</script> & "quoted" 'too' <img src=x onerror=y>`);
  await exported('--atom');
  const html = await page();
  expect(bodiesOf(html)).toEqual([
    '&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quoted&quot; &#39;too&#39; &lt;img src=x onerror=y&gt;',
  ]);
  expect(html).toMatch(
    /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/,
  );
  expect(html).not.toMatch(/<(?:script|img|iframe|object)|@import|url\(/);
  assertWellFormed((await page('atom.xml')).replace(/^<\?xml.*?\?>/, ''));
});

test('a web address is a link, with its true host', async () => {
  await post('see https://example.org/a?b=1&c=2. and (http://exämple.org/x) not javascript:alert(1)');
  await exported();
  const [body = ''] = bodiesOf(await page());
  expect([...body.matchAll(/href="(.*?)".*?>(.*?)<\/a>/g)].map(([, href, text]) => [href, text])).toEqual([
    ['https://example.org/a?b=1&amp;c=2', 'https://example.org/a?b=1&amp;c=2'],
    ['http://xn--exmple-cua.org/x', 'http://xn--exmple-cua.org/x'],
  ]);
});

test('a reply links to what it answers, and the other way round', async () => {
  const asked = await post('a question');
  const answer = await post('an answer', '--reply-to', asked);
  await exported();
  const html = await page();
  expect(html).toContain(`in reply to <bdi>me</bdi>: <a href="page-1.html#${asked}-me"><bdi>a question</bdi></a>`);
  expect(html).toContain(`1 reply: <a href="page-1.html#${answer}-me">`);
});

test('links to a message stay valid when others come, and each leads to a message that is there', async () => {
  using store = openSqliteStore(homeAt(home).storeFile);
  for (let i = 0; i < 101; i++) store.publish('me', { date: i, inReplyTo: null, body: `message ${i}` }, Date.now());
  await exported();
  const before = new Set((await page()).match(/href="page-\d+\.html#[^"]*"/g));
  for (let i = 101; i < 205; i++) store.publish('me', { date: i, inReplyTo: null, body: `message ${i}` }, Date.now());
  await exported();
  expect((await readdir(site)).sort()).toEqual(['index.html', 'page-1.html', 'page-2.html', 'page-3.html']);
  for (const link of before) {
    const [, file = '', id = ''] = /"(.*?)#(.*?)"/.exec(link) ?? [];
    expect(await page(file)).toContain(`<article id="${id}"`);
  }
  expect(bodiesOf(await page())).toHaveLength(100);
});

test('the Atom feed names each message by its hash', async () => {
  const hash = await post('one');
  await exported('--atom');
  const name = Buffer.from(hash, 'hex').toString('base64url');
  expect(await page('atom.xml')).toContain(`<id>ni:///sha-256;${name}?author=me</id>`);
});

test('what is no longer needed goes, and a file of somebody else stays: 2', async () => {
  await post('one');
  await exported('--atom');
  await exported();
  expect((await readdir(site)).sort()).toEqual(['index.html', 'page-1.html']);
  await writeFile(path.join(site, 'index.html'), 'my own page');
  const { code, err } = await exported();
  expect(code).toBe(2);
  expect(err).toContain('index.html is not from "murmure export", and was not changed');
  expect(await page()).toBe('my own page');
});
