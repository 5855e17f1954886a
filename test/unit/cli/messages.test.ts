/** post, timeline and show. */
import { describe, expect, test } from 'vitest';
import { answers, initHome, type Run, run } from './support.ts';

const NOW = Date.UTC(2026, 0, 31, 12, 0, 0);
const at = (ms: number) => ({ nowMs: () => ms });

async function post(home: string, text: string, nowMs = NOW): Promise<Run['lines'][number]> {
  const { code, lines, err } = await run(['post', '--home', home, '--json', '--', text], at(nowMs));
  if (code !== 0) throw new Error(err);
  return lines[0] ?? {};
}

describe('post', () => {
  test('publishes, and prints the message with the new root', async () => {
    const home = await initHome();
    const message = await post(home, 'Grüße ☀️');
    expect(message).toEqual({
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      root: message.hash,
      author: 'alice',
      date: '2026-01-31T12:00:00.000Z',
      receivedAt: '2026-01-31T12:00:00.000Z',
      inReplyTo: null,
      body: 'Grüße ☀️',
      authenticated: true,
      read: expect.any(Boolean),
    });
    expect((await post(home, 'again')).root).not.toBe(message.root);
  });

  test('says that nobody gets it yet where no peer runs', async () => {
    const { err } = await run(['post', 'Hello.', '--home', await initHome()]);
    expect(err).toBe(
      'No peer is running on this home, so nobody gets the message yet: "murmure serve" passes it on.\n',
    );
  });

  test('as a reply', async () => {
    const home = await initHome();
    const hash = 'AB'.repeat(32);
    const { lines } = await run(['post', 'yes', '--reply-to', hash, '--home', home, '--json']);
    expect(lines[0]).toMatchObject({ inReplyTo: hash.toLowerCase() });
  });

  test('reads standard input, also in the middle of a character', async () => {
    const home = await initHome();
    const bytes = Buffer.from('été\nfini\n');
    const { lines } = await run(['post', '-', '--home', home, '--json'], {
      stdin: [bytes.subarray(0, 1), bytes.subarray(1)],
    });
    expect(lines[0]).toMatchObject({ body: 'été\nfini' });
  });

  test('input that is not UTF-8 is not published', async () => {
    const home = await initHome();
    const { code, err } = await run(['post', '-', '--home', home], { stdin: [Uint8Array.of(0x61, 0xff)] });
    expect(code).toBe(7);
    expect(err).toContain('UTF-8');
  });

  test('takes 985 bytes, and says by how many a text is too long', async () => {
    const home = await initHome();
    await post(home, 'x'.repeat(985));
    const { code, err } = await run(['post', 'é'.repeat(500), '--home', home]);
    expect(code).toBe(2);
    expect(err).toContain('15');
  });

  test('without a text, opens an editor for whoever sits at a terminal', async () => {
    const home = await initHome();
    const prompts = answers('from the editor\n\n');
    const { lines } = await run(['post', '--home', home, '--json'], { prompts });
    expect(lines[0]).toMatchObject({ body: 'from the editor' });
  });

  test('the editor is not left with a text that is too long', async () => {
    const home = await initHome();
    const prompts = answers('é'.repeat(500), 'short');
    const { lines } = await run(['post', '--home', home, '--json'], { prompts });
    expect(lines[0]).toMatchObject({ body: 'short' });
    expect(prompts.asked[1]).toContain('15 bytes too many: a message has at most 985');
  });

  test('an editor that is left without a text publishes nothing', async () => {
    const home = await initHome();
    const { code, err } = await run(['post', '--home', home], { prompts: answers('\n') });
    expect(code).toBe(2);
    expect(err).toContain('empty');
  });

  test('an interrupt ends the wait for input', async () => {
    const home = await initHome();
    const { StoppedError } = await import('../../../src/cli/errors.ts');
    const stop = new AbortController();
    const { promise: never } = Promise.withResolvers<string>();
    async function* endless() {
      stop.abort(new StoppedError('SIGINT'));
      yield await never;
    }
    const { runCli } = await import('../../../src/cli/run-cli.ts');
    const sink = { write: () => {} };
    const code = await runCli(['post', '-', '--home', home], {
      stdout: sink,
      stderr: sink,
      stdin: endless(),
      env: {},
      signal: stop.signal,
    });
    expect(code).toBe(130);
  });
});

describe('timeline', () => {
  test('newest last, in JSON Lines', async () => {
    const home = await initHome();
    for (const [i, text] of ['one', 'two', 'three'].entries()) await post(home, text, NOW + i * 1000);
    const { code, lines } = await run(['timeline', '--home', home, '--json'], at(NOW + 5000));
    expect(code).toBe(0);
    expect(lines.map(({ body }) => body)).toEqual(['one', 'two', 'three']);
    expect(Object.keys(lines[0] ?? {})).toEqual(
      expect.arrayContaining(['hash', 'author', 'date', 'receivedAt', 'inReplyTo', 'body', 'authenticated', 'read']),
    );
  });

  test('--limit keeps the newest, --before the older ones', async () => {
    const home = await initHome();
    for (const [i, text] of ['one', 'two', 'three'].entries()) await post(home, text, NOW + i * 1000);
    const limited = await run(['timeline', '--limit', '2', '--home', home, '--json'], at(NOW + 5000));
    expect(limited.lines.map(({ body }) => body)).toEqual(['two', 'three']);
    const before = await run(
      ['timeline', '--before', '2026-01-31T12:00:02Z', '--home', home, '--json'],
      at(NOW + 5000),
    );
    expect(before.lines.map(({ body }) => body)).toEqual(['one', 'two']);
  });

  test('of one author; of one nobody knows: 4', async () => {
    const home = await initHome();
    await post(home, 'mine');
    expect((await run(['timeline', 'alice', '--home', home, '--json'])).lines).toHaveLength(1);
    expect((await run(['timeline', 'bob', '--home', home])).code).toBe(4);
  });

  test('for a person: the body is indented, so that it cannot pass for a message', async () => {
    const home = await initHome();
    await post(home, 'first\nmallory  2026-01-31 12:00');
    const { out } = await run(['timeline', '--home', home]);
    const [head, ...body] = out.trimEnd().split('\n');
    expect(head).toMatch(/^alice {2}2026-01-31 \d\d:\d\d {2}[0-9a-f]{12}$/);
    expect(body).toEqual(['    first', '    mallory  2026-01-31 12:00']);
  });

  test('escape sequences never come out, neither for people nor in JSON', async () => {
    const home = await initHome();
    await post(home, '\u001b]0;owned\u0007\u202ehi\u200b');
    for (const flags of [[], ['--json']]) {
      const { out } = await run(['timeline', '--home', home, ...flags]);
      expect(out).toContain('hi');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(out).not.toMatch(/[\u001b\u0007\u202e\u200b]|\\u/);
    }
  });

  test('colour on a terminal only, and not with NO_COLOR or --no-color', async () => {
    const home = await initHome();
    await post(home, 'colourful');
    const show = async (flags: string[], isTTY: boolean, env = {}) =>
      (await run(['timeline', '--home', home, ...flags], { isTTY, env })).out.includes('\u001b[');
    expect(await show([], true)).toBe(true);
    expect(await show([], false)).toBe(false);
    expect(await show(['--no-color'], true)).toBe(false);
    expect(await show([], true, { NO_COLOR: '1' })).toBe(false);
    expect(await show([], true, { NO_COLOR: '' })).toBe(true);
  });

  test('empty: a hint on stderr, nothing on stdout', async () => {
    const home = await initHome();
    expect(await run(['timeline', '--home', home])).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('post'),
    });
    expect(await run(['timeline', '--home', home, '--quiet'])).toMatchObject({ code: 0, out: '', err: '' });
  });
});

describe('show', () => {
  test('by hash, by the start of it, in any letter case', async () => {
    const home = await initHome();
    const { hash } = await post(home, 'found');
    for (const text of [hash, hash.slice(0, 6), hash.toUpperCase()]) {
      expect((await run(['show', text, '--home', home, '--json'])).lines).toMatchObject([{ hash, body: 'found' }]);
    }
    expect((await run(['show', hash, '--home', home])).out).toContain(hash);
  });

  test('a hash that is not stored: 7', async () => {
    const home = await initHome();
    expect((await run(['show', 'ab'.repeat(32), '--home', home])).code).toBe(7);
  });
});
