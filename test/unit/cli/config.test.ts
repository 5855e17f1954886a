/** config, and --profile. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resolveSettings } from '../../../src/cli/settings/settings.ts';
import { freshFolder, initHome, run } from './support.ts';

describe('config', () => {
  test('shows every setting, its value, and where that comes from', async () => {
    const home = freshFolder();
    mkdirSync(home);
    const file = join(home, 'config.toml');
    writeFileSync(file, 'directory = "https://file"\nca = "ca.pem"\nquiet = true\ntimeout = 3');
    const env = { MURMURE_DIRECTORY: 'https://environment', MURMURE_CA: '' };
    const { lines, code } = await run(['config', '--home', home, '--json', '--timeout', '2.5', '--verbose'], { env });
    expect(code).toBe(0);
    expect(lines).toEqual([
      { setting: 'profile', value: null, from: 'default', source: null },
      { setting: 'home', value: home, from: 'flag', source: '--home' },
      { setting: 'directory', value: 'https://environment', from: 'environment', source: 'MURMURE_DIRECTORY' },
      { setting: 'ca', value: join(home, 'ca.pem'), from: 'file', source: file },
      { setting: 'passphrase-file', value: null, from: 'default', source: null },
      { setting: 'json', value: true, from: 'flag', source: '--json' },
      { setting: 'quiet', value: false, from: 'default', source: null },
      { setting: 'verbose', value: true, from: 'flag', source: '--verbose' },
      { setting: 'timeout', value: '2.5', from: 'flag', source: '--timeout' },
      { setting: 'quota', value: null, from: 'default', source: null },
      { setting: 'record', value: null, from: 'default', source: null },
      { setting: 'notify', value: null, from: 'default', source: null },
      { setting: 'no-color', value: false, from: 'default', source: null },
    ]);
  });

  test('for a person: a table; without a home as well', async () => {
    const home = freshFolder();
    const { out, code } = await run(['config', '--no-color'], { env: { MURMURE_HOME: home } });
    expect(code).toBe(0);
    expect(out).toContain('environment MURMURE_HOME');
    expect(out).toMatch(/^no-color +true +flag --no-color$/m);
  });
});

describe('config set, get and unset', () => {
  const settings = (home: string) => readFileSync(join(home, 'config.toml'), 'utf8');

  test('change one line, and leave every other as it is', async () => {
    const home = await initHome();
    writeFileSync(join(home, 'config.toml'), '# mine\ndirectory = "https://old" # the old one\n\n[other]\nca = "x"\n');
    const of = (...argv: string[]) => run(['config', ...argv, '--home', home, '--json']);
    await of('set', 'directory', 'https://new/$&');
    await of('set', 'timeout', '2.5');
    expect(settings(home)).toBe('timeout = 2.5\n# mine\ndirectory = "https://new/$&"\n\n[other]\nca = "x"\n');
    expect((await of('get', 'directory')).lines).toMatchObject([{ value: 'https://new/$&', from: 'file' }]);
    await of('unset', 'timeout');
    await of('unset', 'directory');
    expect(settings(home)).toBe('# mine\n\n[other]\nca = "x"\n');
  });

  test('store a path as it was meant where it was typed', async () => {
    const home = await initHome();
    await run(['config', 'set', 'ca', 'ca.pem', '--home', home]);
    expect(settings(home)).toBe(`ca = ${JSON.stringify(join(process.cwd(), 'ca.pem'))}\n`);
  });

  test('change nothing that they cannot change by the line: 7', async () => {
    const home = await initHome();
    const before = 'directory = """\nhttps://old"""\n';
    writeFileSync(join(home, 'config.toml'), before);
    const { code, err } = await run(['config', 'set', 'directory', 'https://new', '--home', home]);
    expect({ code, after: settings(home) }).toEqual({ code: 7, after: before });
    expect(err).toContain('only an editor can change');
  });

  test('say that the environment counts all the same', async () => {
    const home = await initHome();
    const argv = ['config', 'set', 'directory', 'https://file', '--home', home];
    const { err } = await run(argv, { env: { MURMURE_DIRECTORY: 'https://environment' } });
    expect(err).toContain('MURMURE_DIRECTORY is set in your environment, and counts instead');
  });
});

describe('profile', () => {
  test('create makes a home, use chooses it, list shows which', async () => {
    const env = { HOME: freshFolder() };
    const of = async (...argv: string[]) => (await run([...argv, '--json'], { env })).lines;
    const [work] = await of('profile', 'create', 'work', 'alice');
    await of('profile', 'create', 'play', 'bob');
    expect(await of('profile', 'use', 'work')).toEqual([{ profile: 'work', home: work?.home }]);
    expect(await of('profile')).toMatchObject([
      { profile: 'play', name: 'bob', current: false },
      { profile: 'work', name: 'alice', home: work?.home, current: true },
    ]);
    expect(await of('key', 'show')).toMatchObject([{ name: 'alice' }]);
    expect(await of('key', 'show', '--profile', 'play')).toMatchObject([{ name: 'bob' }]);
    await of('profile', 'use');
    expect((await run(['key', 'show'], { env })).code).toBe(2);
  });

  test('a name that nearly fits is proposed: 2', async () => {
    const env = { HOME: freshFolder() };
    await run(['profile', 'create', 'work', 'alice'], { env });
    const { code, err } = await run(['profile', 'use', 'wrok'], { env });
    expect(code).toBe(2);
    expect(err).toContain('did you mean work?');
  });
});

describe('--profile', () => {
  const folderOf = async (flags: object, env: Record<string, string> = {}) =>
    (await resolveSettings(flags, env)).settings.home.folder;

  test('names one of several homes, below the folder of the one without a name', async () => {
    const plain = await folderOf({});
    expect(await folderOf({ profile: 'work' })).toBe(join(plain, 'profiles', 'work'));
    expect(await folderOf({}, { MURMURE_PROFILE: 'été-2' })).toBe(join(plain, 'profiles', 'été-2'));
  });

  test('a flag beats the environment, and the environment’s home its profile', async () => {
    const plain = await folderOf({});
    const env = { MURMURE_HOME: '/home/of/environment', MURMURE_PROFILE: 'environment' };
    expect(await folderOf({}, env)).toBe('/home/of/environment');
    expect(await folderOf({ profile: 'flag' }, env)).toBe(join(plain, 'profiles', 'flag'));
    expect(await folderOf({ home: '/home/of/flag' }, env)).toBe('/home/of/flag');
  });

  test.for(['', '..', '.hidden', 'a/b', 'a\\b', 'x'.repeat(65), 'a\nb', '-x'])(
    '%j is no profile: 2',
    async (profile) => {
      expect((await run(['config', `--profile=${profile}`])).code).toBe(2);
    },
  );

  test('not together with --home: 2', async () => {
    const { code, err } = await run(['config', '--profile', 'a', '--home', await initHome()]);
    expect(code).toBe(2);
    expect(err).toContain('--profile');
  });
});
