/** --record, replay and why, as commands. */
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { StoppedError } from '../../../src/cli/errors.ts';
import { freshFolder, run } from './support.ts';

const journals = fileURLToPath(new URL('../../replay/', import.meta.url));
const first = join(journals, 'first-sync.jsonl');

function existingFolder(): string {
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  return folder;
}

describe('replay', () => {
  test('of a journal that ends as recorded: identical, exit 0', async () => {
    const { code, lines } = await run(['replay', first, '--json']);
    expect(code).toBe(0);
    expect(lines).toEqual([
      { events: expect.any(Number), datagrams: expect.any(Number), identical: true, versions: [] },
    ]);
    expect((await run(['replay', first])).out).toMatch(/^\d+ events, \d+ datagrams sent: identical\n$/);
  });

  test('that differs: where, and exit 7', async () => {
    const file = join(existingFolder(), 'edited.jsonl');
    const text = readFileSync(first, 'utf8').split('\n');
    writeFileSync(
      file,
      text.map((line, i) => (i === 40 ? line.replace(/"sent":"[^"]*"/, '"sent":"1:00000000"') : line)).join('\n'),
    );
    const { code, lines } = await run(['replay', file, '--json']);
    expect(code).toBe(7);
    expect(lines[0]).toMatchObject({ identical: false, firstDifference: { seq: 40, expected: expect.any(String) } });
    const { out } = await run(['replay', file]);
    expect(out).toMatch(
      /different\n {2}first seen before entry 40, after \S+\n {2}actor .*\n {2}expected .*\n {2}got /,
    );
  });

  test('of a part shows the state tree there', async () => {
    const { out, code } = await run(['replay', first, '--until', '30']);
    expect(code).toBe(0);
    expect(out).toMatch(/^after entry 30:\n {2}peer {2}running\.\w+\n/);
    expect(out).toContain('as recorded up to here');
  });

  test('from an entry on lists what comes after it', async () => {
    const { out } = await run(['replay', first, '--from', '35']);
    expect(out).toMatch(/after entry 35:/);
    expect(out).toMatch(/\n +36 .* → peer/);
  });

  test('traces an actor', async () => {
    const { lines } = await run(['replay', first, '--trace', 'peer/merkle-walk.alice', '--json']);
    expect(lines[0]).toMatchObject({
      event: 'session.ready',
      from: 'connecting',
      to: 'askingRoot',
      actions: ['useSession'],
    });
    expect((await run(['replay', first, '--trace', 'peer/merkle-walk.alice'])).out).toMatch(
      /tree\.adopted \[isAdopted\] {2}adopting → concluding/,
    );
  });

  test('without an entry says what it would have been like', async () => {
    const { code, out } = await run(['replay', first, '--drop', '30']);
    expect(code).toBe(0);
    expect(out).toContain('without entry 30');
  });

  test('an entry that is not there, or no journal at all', async () => {
    expect(await run(['replay', first, '--until', '9999'])).toMatchObject({ code: 2 });
    expect(await run(['replay', join(journals, 'record.ts')])).toMatchObject({
      code: 7,
      err: expect.stringMatching(/not a journal/),
    });
    expect(await run(['replay', '/nowhere.jsonl'])).toMatchObject({
      code: 7,
      err: expect.stringMatching(/nowhere\.jsonl/),
    });
  });

  test('of a journal that was cut short warns, and is identical until there', async () => {
    const file = join(existingFolder(), 'cut.jsonl');
    writeFileSync(file, readFileSync(first, 'utf8').slice(0, 9_000));
    const { code, err } = await run(['replay', file]);
    expect(code).toBe(0);
    expect(err).toMatch(/incomplete; the part that is there was replayed/);
  });
});

describe('why', () => {
  test('explains from a journal', async () => {
    const { code, out } = await run(['why', 'alice', first]);
    expect(code).toBe(0);
    expect(out).toMatch(/peer\/outgoing-session\.alice is established\.answering for/);
    expect(out).toMatch(/peer\/merkle-walk\.alice has ended as finished/);
  });

  test('of somebody unknown: exit 4; without a serve or a journal: exit 2, and what to do', async () => {
    expect(await run(['why', 'nobody', first])).toMatchObject({ code: 4 });
    const { code, err } = await run(['why', 'alice', '--home', freshFolder()]);
    expect(code).toBe(2);
    expect(err).toMatch(/start one with "murmure serve", or name a journal/);
  });
});

describe('replay --html', () => {
  test('writes a page that its owner alone can read, and warns of what it holds', async () => {
    const page = join(existingFolder(), 'page.html');
    const { code, lines, err } = await run(['replay', first, '--html', page, '--json']);
    expect({ code, lines }).toEqual({ code: 0, lines: [expect.objectContaining({ identical: true, html: page })] });
    expect(err).toMatch(/page\.html holds what the journal holds: messages, and the names and addresses of peers/);
    expect(statSync(page).mode & 0o777).toBe(0o600);
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>\n.*default-src 'none'/s);
  });
});

describe('inspect', () => {
  test('prints a link to a page that shows the journal, until it is stopped', async () => {
    const stop = new AbortController();
    let answer: Promise<unknown> | undefined;
    const { code, lines } = await run(['inspect', first, '--json'], {
      signal: stop.signal,
      onOutput(out) {
        if (answer !== undefined || !out.includes('\n')) return;
        answer = readRun(JSON.parse(out).url).finally(() => stop.abort(new StoppedError('SIGTERM')));
      },
    });
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [{ url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/#[\w-]{43}$/) }],
    });
    const told = ((await answer) as string).trimEnd().split('\n');
    expect(told[0]).toContain('"name":"first-sync.jsonl"');
    expect(told.at(-1)).toBe('["end"]');
  });

  test('of a file that is no journal says so', async () => {
    expect(await run(['inspect', '/nowhere.jsonl'])).toMatchObject({ code: 7, out: '' });
  });
});

test('lab writes a page that holds all that it needs, and loads nothing', async () => {
  const folder = freshFolder();
  mkdirSync(folder);
  const page = join(folder, 'lab.html');
  const { code, lines } = await run(['lab', '--html', page, '--json']);
  expect({ code, lines }).toEqual({ code: 0, lines: [{ page, url: pathToFileURL(page).href }] });
  const html = readFileSync(page, 'utf8');
  expect(html).toMatch(
    /^<!doctype html>\n.*default-src 'none'; script-src 'sha256-[^;]*; style-src 'sha256-[^;]*; base-uri/s,
  );
  expect(html).not.toMatch(/<(?:script|img|link|iframe)[^>]*\s(?:src|href)=/);
});

/** As the page does it. */
async function readRun(link: string): Promise<string> {
  const { origin, hash } = new URL(link);
  const response = await fetch(`${origin}/v1/runs/0`, { headers: { authorization: `Bearer ${hash.slice(1)}` } });
  return response.text();
}
