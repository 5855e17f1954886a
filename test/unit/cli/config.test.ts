/** config, and --profile. */
import { mkdirSync, writeFileSync } from 'node:fs';
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
