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

describe('what is not text', () => {
  test('an argument that is not in UTF-8 is refused', async () => {
    const home = await initHome();
    const refused = await run(['post', Buffer.from([0x63, 0x61, 0x66, 0xe9]).toString(), '--home', home]);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('is not in UTF-8') });
    expect((await run(['timeline', '--home', home])).out).toBe('');
  });

  test.for(['post', 'decode'])('"%s -" refuses endless input, and reads no more of it', async (command) => {
    const home = await initHome();
    let pieces = 0;
    const endless = {
      *[Symbol.iterator]() {
        for (; pieces < 1_000_000; pieces++) yield 'ab';
      },
    } as unknown as readonly string[];
    const { code, err } = await run([command, '-', '--home', home], { stdin: endless });
    expect(code).toBe(7);
    expect(err).toContain('more than 262,144 characters');
    expect(pieces).toBeLessThan(140_000);
  });
});

describe('the clock', () => {
  test.for([
    [Date.UTC(1970, 0, 1), '1970-01-01 00:00'],
    [Date.UTC(2160, 0, 1), '2160-01-01 00:00'],
  ] as const)('of %d says what no message can be dated with', async ([now, says]) => {
    const home = await initHome();
    const { code, err } = await run(['post', 'hi', '--home', home], { nowMs: () => now });
    expect(code).toBe(1);
    expect(err).toMatch(new RegExp(`the clock of this machine says ${says} UTC.*set the clock`));
    const doctor = await run(['doctor', '--home', home, '--json'], { nowMs: () => now });
    expect(doctor.lines).toContainEqual(expect.objectContaining({ check: 'date', status: 'failed' }));
  });
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

  test.for([['-h'], ['post', '-h'], ['help', 'post']])('%j is help as well, with an example', async (argv) => {
    const { code, out } = await run(argv);
    expect(code).toBe(0);
    if (argv.includes('post')) expect(out).toMatch(/Examples:\n {2}murmure post /);
  });

  test.for([
    [['help', 'tiemline'], 'timeline'],
    [['help', 'key', 'exprot'], 'export'],
  ] as const)('%j proposes %s', async ([argv, meant]) => {
    expect((await run(argv)).err).toContain(`Did you mean ${meant}?`);
  });

  test.for(['--version', '-V'])('%s', async (flag) => {
    const { code, out } = await run([flag]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
