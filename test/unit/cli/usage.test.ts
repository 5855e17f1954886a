import { describe, expect, test } from 'vitest';
import { freshFolder, initHome, run } from './support.ts';

const HASH = 'ab'.repeat(32);

/** Arguments, and what the sentence on stderr has to mention. */
const badUsage: readonly (readonly [readonly string[], RegExp])[] = [
  [['frobnicate'], /unknown command 'frobnicate'/],
  [['tymeline'], /Did you mean timeline/],
  [['post'], /no text is given/],
  [['post', 'one', 'two'], /too many arguments/],
  [['post', 'hello', '--reply-to'], /argument missing/],
  [['post', 'hello', '--reply-to', 'abc'], /64 hexadecimal digits/],
  [['post', 'hello', '--reply-to', `${HASH}0`], /64 hexadecimal digits/],
  [['post', '   '], /empty/],
  [['init'], /missing required argument 'name'/],
  [['init', ''], /cannot be a name/],
  [['init', 'a/b'], /cannot be a name/],
  [['init', 'x'.repeat(256)], /cannot be a name/],
  [['timeline', '--limit', '0'], /--limit/],
  [['timeline', '--limit', '1.5'], /--limit/],
  [['timeline', '--limit', 'many'], /--limit/],
  [['timeline', '--before', 'yesterday'], /ISO 8601/],
  [['timeline', '--before', '2026-13-01'], /ISO 8601/],
  [['timeline', '--colour'], /unknown option '--colour'/],
  [['show', 'xyz'], /6 to 64 hexadecimal digits/],
  [['show', 'abcde'], /6 to 64 hexadecimal digits/],
  [['show', `${HASH}0`], /6 to 64 hexadecimal digits/],
  [['follow', 'alice'], /yourself/],
  [['follow', 'a\nb'], /cannot be a name/],
  [['sync', 'bob'], /no directory/],
  [['peers'], /no directory/],
  [['peers', '--directory', 'http://directory.example'], /https/],
  [['peers', '--directory', 'not a url'], /https/],
  [['serve'], /no directory/],
  [['serve', '--udp', '4000'], /HOST:PORT/],
  [['serve', '--udp', '127.0.0.1:70000'], /HOST:PORT/],
  [['directory', '--listen', 'localhost'], /HOST:PORT/],
  [['directory', '--public-address', 'example.org:1'], /IP:PORT/],
  [['directory', '--cert', 'cert.pem'], /--key/],
  [['decode'], /nothing to decode/],
  [['decode', '00', '--node', '00'], /not both/],
  [['decode', '--node', '00', '--key', 'AAAA'], /no signature/],
  [['decode', '00', '--key', 'AAAA'], /base64/],
  [['timeline', '--timeout', '0'], /--timeout/],
  [['timeline', '--timeout', 'soon'], /--timeout/],
];

describe('bad usage', () => {
  test.for(badUsage)('%j ends with 2, a sentence and a hint', async ([argv, sentence]) => {
    const home = await initHome();
    const { code, out, err } = await run([...argv, '--home', home]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(sentence);
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^murmure: /),
      expect.stringMatching(/^Try "murmure( [a-z]+){0,2} --help"\.$/),
    ]);
  });

  test('with --json the error is also the last line on stdout', async () => {
    const { code, lines, err } = await run(['post', '--json']);
    expect(code).toBe(2);
    expect(lines).toEqual([{ error: { code: 'usage', message: expect.stringContaining('text') } }]);
    expect(err).toContain('Try "murmure post --help".');
  });

  test('--json after -- is text, not a flag', async () => {
    const { out } = await run(['post', 'a', '--', '--json']);
    expect(out).toBe('');
  });

  test('control characters in arguments do not reach the terminal', async () => {
    const { err } = await run(['\u001b[31mred\u202e']);
    expect(err).toContain('red');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(err).not.toMatch(/[\u001b\u202e]/);
  });

  test.for(['timeline', 'post hi', 'show abcdef', 'following', 'follow bob', 'serve', 'sync', 'peers'])(
    'without an identity, "%s" says how to get one',
    async (command) => {
      const { code, err } = await run([
        ...command.split(' '),
        '--home',
        freshFolder(),
        '--directory',
        'https://d.example',
      ]);
      expect(code).toBe(2);
      expect(err).toContain('murmure init NAME');
    },
  );
});

describe('help and version', () => {
  test('no command: help on stderr, exit 2', async () => {
    const { code, out, err } = await run([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Usage: murmure');
  });

  test('--help is data', async () => {
    const { code, out, err } = await run(['post', '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('--reply-to');
    expect(out).toContain('--timeout');
  });

  test('--version', async () => {
    const { code, out } = await run(['--version']);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
