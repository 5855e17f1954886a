import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { freshFolder, initHome, run } from './support.ts';

const mode = (path: string) => statSync(path).mode & 0o777;

test('creates the home, for its owner only, and says who lives there', async () => {
  const home = freshFolder();
  const { code, lines } = await run(['init', 'Zoé', '--home', home, '--json']);
  expect(code).toBe(0);
  expect(lines).toEqual([
    { name: 'Zoé', fingerprint: expect.stringMatching(/\S/), publicKey: expect.stringMatching(/^[\w+/]{86}$/), home },
  ]);
  expect(mode(home)).toBe(0o700);
  expect(mode(join(home, 'key.pem'))).toBe(0o600);
});

test('for a person: name, home and fingerprint', async () => {
  const home = freshFolder();
  const { out } = await run(['init', 'bob', '--home', home]);
  expect(out).toContain('bob');
  expect(out).toContain(home);
});

test('never overwrites an identity', async () => {
  const home = await initHome('alice');
  const before = readFileSync(join(home, 'key.pem'), 'utf8');
  const { code, err } = await run(['init', 'mallory', '--home', home]);
  expect(code).toBe(2);
  expect(err).toContain('"alice"');
  expect(readFileSync(join(home, 'key.pem'), 'utf8')).toBe(before);
});

test('completes what an interrupted init has left: the key stays', async () => {
  const home = await initHome('alice');
  const before = readFileSync(join(home, 'key.pem'), 'utf8');
  rmSync(join(home, 'identity.json'));
  const { code } = await run(['init', 'alice', '--home', home]);
  expect(code).toBe(0);
  expect(readFileSync(join(home, 'key.pem'), 'utf8')).toBe(before);
});

test('of two at the same time, one wins', async () => {
  const home = freshFolder();
  const runs = await Promise.all(['a', 'b'].map((name) => run(['init', name, '--home', home])));
  expect(runs.map(({ code }) => code)).toContain(0);
  const [winner] = runs.filter(({ code }) => code === 0);
  expect(winner?.out).toContain(JSON.parse(readFileSync(join(home, 'identity.json'), 'utf8')).name);
});

test('saves the directory and the certificate that it is given, the path absolute', async () => {
  const home = freshFolder();
  await run(['init', 'alice', '--home', home, '--directory', 'https://directory.example', '--ca', 'ca.pem']);
  const { lines } = await run(['config', '--home', home, '--json']);
  const file = { from: 'file', source: join(home, 'config.toml') };
  expect(lines).toContainEqual({ setting: 'directory', value: 'https://directory.example', ...file });
  expect(lines).toContainEqual({ setting: 'ca', value: resolve('ca.pem'), ...file });
});

test('leaves settings that are there already as they are', async () => {
  const home = freshFolder();
  mkdirSync(home);
  const text = 'directory = "https://first.example"\n';
  writeFileSync(join(home, 'config.toml'), text);
  const { err } = await run(['init', 'alice', '--home', home, '--directory', 'https://second.example']);
  expect(err).toContain('"directory"');
  expect(readFileSync(join(home, 'config.toml'), 'utf8')).toBe(text);
});

test('reads its files with a byte order mark', async () => {
  const home = await initHome('alice');
  const file = join(home, 'identity.json');
  writeFileSync(file, `\ufeff${readFileSync(file, 'utf8')}`);
  writeFileSync(join(home, 'config.toml'), '\ufeffdirectory = "https://directory.example"\r\n');
  const { lines, code } = await run(['config', '--home', home, '--json']);
  expect(lines).toContainEqual(expect.objectContaining({ setting: 'directory', value: 'https://directory.example' }));
  expect(code).toBe(0);
  expect((await run(['timeline', '--home', home])).code).toBe(0);
  writeFileSync(join(home, 'config.toml'), Buffer.from('\ufefftimeout = 3', 'utf16le').swap16());
  expect(await run(['timeline', '--home', home])).toMatchObject({ code: 7, err: expect.stringContaining('UTF-8') });
});

test('what others learn about one is said before anything is published, but not with --quiet', async () => {
  const { err } = await run(['init', 'alice', '--home', freshFolder()]);
  for (const said of ['Messages are public', 'publishes your IP address', 'tells that author who reads'])
    expect(err).toContain(said);
  expect((await run(['init', 'alice', '--home', freshFolder(), '--quiet'])).err).toBe('');
});
