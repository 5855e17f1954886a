import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { resolveSettings } from '../../../src/cli/settings/settings.ts';
import { freshFolder } from './support.ts';

let home: string;
beforeEach(() => {
  home = freshFolder();
  mkdirSync(home);
});

function configure(toml: string): void {
  writeFileSync(join(home, 'config.toml'), toml);
}

async function settle(flags: object = {}, env: Record<string, string> = {}) {
  return (await resolveSettings({ home, ...flags }, env)).settings;
}

describe('precedence', () => {
  test('a flag beats the environment, which beats the file', async () => {
    configure('directory = "https://file"');
    const env = { MURMURE_DIRECTORY: 'https://env' };
    expect((await settle()).directory).toBe('https://file');
    expect((await settle({}, env)).directory).toBe('https://env');
    expect((await settle({ directory: 'https://flag' }, env)).directory).toBe('https://flag');
  });

  test('an empty variable is as good as none', async () => {
    configure('directory = "https://file"');
    expect((await settle({}, { MURMURE_DIRECTORY: '' })).directory).toBe('https://file');
  });

  test('MURMURE_HOME says where the file is, --home beats it', async () => {
    configure('directory = "https://file"');
    const { settings } = await resolveSettings({}, { MURMURE_HOME: home });
    expect(settings).toMatchObject({ directory: 'https://file', home: { folder: home } });
    expect((await settle({}, { MURMURE_HOME: '/elsewhere' })).home.folder).toBe(home);
  });

  test('--quiet beats verbose in the file, and the reverse', async () => {
    configure('verbose = true');
    expect(await settle({ quiet: true })).toMatchObject({ quiet: true, verbose: false });
    configure('quiet = true');
    expect(await settle({ verbose: true })).toMatchObject({ quiet: false, verbose: true });
  });
});

describe('config.toml', () => {
  test('holds every global', async () => {
    configure('directory = "https://d"\nca = "ca.pem"\njson = true\nquiet = true\ntimeout = 2.5\nno-color = true');
    expect(await settle()).toMatchObject({
      directory: 'https://d',
      ca: join(home, 'ca.pem'),
      json: true,
      quiet: true,
      timeoutMs: 2500,
      color: false,
    });
  });

  test('is not needed', async () => {
    expect(await settle()).toMatchObject({ directory: undefined, json: false, timeoutMs: undefined, color: true });
  });

  test('names keys that mean nothing', async () => {
    configure('directry = "https://d"');
    expect((await resolveSettings({ home }, {})).unknownKeys).toEqual(['directry']);
  });

  test.for([
    ['json = "yes"', /"json" must be a boolean/],
    ['directory = 3', /"directory" must be a string/],
    ['directory = ', /line 1/],
    ['a = 1\na = 2', /line 2/],
  ] as const)('%j is refused with the place', async ([toml, message]) => {
    configure(toml);
    await expect(settle()).rejects.toMatchObject({ code: 'invalid-data', message: expect.stringMatching(message) });
  });
});

test('a timeout longer than any timer is none', async () => {
  expect((await settle({ timeout: '1e9' })).timeoutMs).toBeUndefined();
});

describe('folders that the environment names', () => {
  const defaultHome = async (env: Record<string, string>) => (await resolveSettings({}, env)).settings.home.folder;

  test.skipIf(process.platform !== 'linux').for([
    [{ HOME: '/somebody' }, '/somebody/.local/share/murmure'],
    [{ HOME: '/somebody', XDG_DATA_HOME: '/data' }, '/data/murmure'],
    [{ HOME: '/somebody', XDG_DATA_HOME: '' }, '/somebody/.local/share/murmure'],
    [{ HOME: '/somebody', XDG_DATA_HOME: 'relative' }, '/somebody/.local/share/murmure'],
    [{ HOME: '' }, join(userInfo().homedir, '.local/share/murmure')],
    [{ HOME: 'relative' }, join(userInfo().homedir, '.local/share/murmure')],
    [{ HOME: '/somebody', MURMURE_HOME: '~/mur' }, '/somebody/mur'],
    [{ HOME: '/somebody', MURMURE_HOME: '~other' }, resolve('~other')],
  ] as const)('%j: the home is %s', async ([env, folder]) => {
    expect(await defaultHome(env)).toBe(folder);
  });

  test('"~" in the file and in flags is the home folder', async () => {
    configure('ca = "~/ca.pem"\npassphrase-file = "secret.txt"');
    const { ca, passphraseFile, record } = await settle({ record: '~/run.jsonl' }, { HOME: '/somebody' });
    expect([ca, passphraseFile, record]).toEqual(['/somebody/ca.pem', join(home, 'secret.txt'), '/somebody/run.jsonl']);
  });
});
