/** key show, export, import and passphrase; and keys under a passphrase in other commands. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { homeAt } from '../../../src/cli/home/home.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { hasOpenssl, openssl } from '../../support/openssl.ts';
import { answers, DIRECTORY, fakePeer, freshFolder, initHome, type Run, run } from './support.ts';

let home: string;
let passphraseFile: string;
let otherFile: string;
beforeEach(async () => {
  home = await initHome('alice');
  passphraseFile = join(dirname(home), 'passphrase');
  otherFile = join(dirname(home), 'other');
  writeFileSync(passphraseFile, 'correct horse\nanother line\n');
  writeFileSync(otherFile, 'battery staple');
});

const keyFile = () => join(home, 'key.pem');
const at = (where: string, ...argv: string[]): Promise<Run> => run([...argv, '--home', where, '--json']);
const key = (...argv: string[]): Promise<Run> => at(home, 'key', ...argv);
/** A command that signs, hence opens the key. */
const sign = (...argv: string[]): Promise<Run> => key('export', join(freshFolder(), '..', 'backup.json'), ...argv);

describe('key show', () => {
  test('shows what is public, and nothing else', async () => {
    const { lines, code } = await key('show');
    expect(code).toBe(0);
    expect(lines).toMatchObject([{ name: 'alice', encrypted: false }]);
    const { out } = await run(['key', 'show', '--home', home]);
    expect(out).toContain(lines[0]?.fingerprint);
    expect(out).not.toContain('PRIVATE');
  });

  test('asks for no passphrase', async () => {
    await key('passphrase', '--passphrase-file', passphraseFile);
    const prompts = answers();
    const { code } = await run(['key', 'show', '--home', home], { prompts });
    expect({ code, asked: prompts.asked }).toEqual({ code: 0, asked: [] });
  });

  test.skipIf(!hasOpenssl)('the PEM is what openssl says the public key is', async () => {
    const { lines } = await key('show');
    expect(openssl('pkey', '-in', keyFile(), '-pubout')).toBe(lines[0]?.pem);
  });
});

describe('a passphrase', () => {
  test('is put on, asked for, changed and taken off', async () => {
    const { publicKey } = (await key('show')).lines[0] ?? {};
    const flag = ['--passphrase-file', passphraseFile];
    const other = ['--passphrase-file', otherFile];
    expect((await key('passphrase', ...flag)).lines).toEqual([{ encrypted: true }]);
    expect(readFileSync(keyFile(), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(statSync(keyFile()).mode & 0o777).toBe(0o600);

    expect(await sign()).toMatchObject({ code: 6, err: expect.stringContaining('--passphrase-file') });
    expect((await sign(...other)).code).toBe(6);
    expect((await sign(...flag)).code).toBe(0);
    expect((await key('show')).lines).toMatchObject([{ publicKey, encrypted: true }]);

    expect((await key('passphrase', ...other, '--new', otherFile)).code).toBe(6);
    expect((await key('passphrase', ...flag, '--new', otherFile)).code).toBe(0);
    expect((await sign(...flag)).code).toBe(6);
    expect((await key('passphrase', ...other, '--remove')).lines).toEqual([{ encrypted: false }]);
    expect((await key('show')).lines).toMatchObject([{ publicKey, encrypted: false }]);
    expect(readdirSync(home).filter((name) => name.startsWith('key'))).toEqual(['key.pem']);
  });

  test('is asked for twice at a terminal, and once afterwards', async () => {
    const change = async (...texts: string[]) => {
      const prompts = answers(...texts);
      const { code, err } = await run(['key', 'passphrase', '--home', home], { prompts });
      return { code, err, asked: prompts.asked };
    };
    expect(await change('one', 'other')).toMatchObject({ code: 2, err: expect.stringContaining('differ') });
    expect(await change('')).toMatchObject({ code: 2, err: expect.stringContaining('empty') });
    expect(readFileSync(keyFile(), 'utf8')).not.toContain('ENCRYPTED');
    expect(await change('one', 'one')).toMatchObject({ code: 0, asked: ['New passphrase:', 'New passphrase again:'] });
    expect(await change('wrong')).toMatchObject({ code: 6, asked: ['Passphrase of the key:'] });
    expect(
      (await run(['key', 'export', join(freshFolder(), '..', 'b'), '--home', home], { prompts: answers('one') })).code,
    ).toBe(0);
  });

  test('where nobody can be asked: 2', async () => {
    expect(await key('passphrase')).toMatchObject({ code: 2, err: expect.stringContaining('no terminal to ask') });
    expect((await key('passphrase', '--new', passphraseFile, '--remove')).code).toBe(2);
  });

  test('a file that is missing or empty: 7', async () => {
    writeFileSync(otherFile, '\nsecond line');
    for (const file of [otherFile, join(home, 'missing')]) {
      expect((await key('passphrase', '--passphrase-file', file)).code).toBe(7);
    }
  });

  test('from init on; the environment may say where it is', async () => {
    const other = freshFolder();
    expect((await at(other, 'init', 'bob', '--passphrase-file', passphraseFile)).code).toBe(0);
    expect(readFileSync(join(other, 'key.pem'), 'utf8')).toContain('ENCRYPTED');
    const env = { MURMURE_PASSPHRASE_FILE: passphraseFile };
    expect((await run(['key', 'show', '--home', other], { env })).code).toBe(0);
    writeFileSync(join(other, 'config.toml'), `passphrase-file = ${JSON.stringify(passphraseFile)}`);
    expect((await at(other, 'key', 'show')).code).toBe(0);
    // Reading and writing need no key.
    rmSync(join(other, 'config.toml'));
    expect((await at(other, 'post', 'hello')).code).toBe(0);
  });

  test('is needed, and asked for, where a peer is started', async () => {
    await key('passphrase', '--passphrase-file', passphraseFile);
    const argv = ['peers', '--home', home, '--directory', DIRECTORY];
    const peer = () => fakePeer({ directoryPeers: async () => [] });
    expect((await run(argv, peer())).code).toBe(6);
    const prompts = answers('correct horse');
    expect((await run(argv, { ...peer(), prompts })).code).toBe(0);
  });

  test('opens whichever way its accents are written', async () => {
    writeFileSync(passphraseFile, 'cafe\u0301');
    writeFileSync(otherFile, 'caf\u00e9');
    await key('passphrase', '--passphrase-file', passphraseFile);
    expect((await sign('--passphrase-file', passphraseFile)).code).toBe(0);
    expect((await sign('--passphrase-file', otherFile)).code).toBe(0);
  });

  test.skipIf(!hasOpenssl)('opens what another program encrypted with accents in two parts', async () => {
    writeFileSync(passphraseFile, 'cafe\u0301');
    openssl(
      'pkey',
      '-in',
      keyFile(),
      '-aes256',
      '-passout',
      `file:${passphraseFile}`,
      '-out',
      join(home, 'theirs.pem'),
    );
    writeFileSync(keyFile(), readFileSync(join(home, 'theirs.pem')));
    expect((await sign('--passphrase-file', passphraseFile)).code).toBe(0);
  });

  test.skipIf(!hasOpenssl)('opens with openssl what this wrote, and here what openssl wrote', async () => {
    await key('passphrase', '--passphrase-file', passphraseFile);
    const pass = `file:${passphraseFile}`;
    expect(openssl('pkey', '-in', keyFile(), '-passin', pass, '-noout', '-text')).toContain('prime256v1');
    const theirs = join(home, 'theirs.pem');
    // Of one file for both, openssl takes the second line for what it writes.
    const copy = join(home, 'passphrase-copy');
    writeFileSync(copy, readFileSync(passphraseFile));
    openssl('pkey', '-in', keyFile(), '-passin', pass, '-aes256', '-passout', `file:${copy}`, '-out', theirs);
    writeFileSync(keyFile(), readFileSync(theirs));
    expect((await sign('--passphrase-file', passphraseFile)).code).toBe(0);
    expect((await sign('--passphrase-file', otherFile)).code).toBe(6);
  });
});

describe('key export and import', () => {
  const backup = () => join(dirname(home), 'backup.json');

  beforeEach(async () => {
    for (const text of ['one', 'two', 'three']) await at(home, 'post', text);
    const { lines } = await at(home, 'timeline', '--limit', '1');
    await at(home, 'withdraw', lines[0]?.hash);
    await at(home, 'follow', 'bob');
    await at(home, 'mute', 'carol');
  });

  test('move everything that cannot be downloaded again', async () => {
    expect((await key('export', backup())).lines).toEqual([
      { file: backup(), name: 'alice', messages: 2, following: 1 },
    ]);
    expect(statSync(backup()).mode & 0o777).toBe(0o600);
    const fresh = freshFolder();
    const { publicKey, fingerprint } = (await key('show')).lines[0] ?? {};
    expect((await at(fresh, 'key', 'import', backup())).lines).toEqual([
      { name: 'alice', fingerprint, publicKey, home: fresh, messages: 2, following: 1 },
    ]);
    expect((await at(fresh, 'tree', 'alice')).out).toBe((await at(home, 'tree', 'alice')).out);
    const bodies = async (where: string) => (await at(where, 'timeline')).lines.map(({ body, hash }) => [body, hash]);
    expect(await bodies(fresh)).toEqual(await bodies(home));
    expect((await at(fresh, 'following')).lines).toMatchObject([{ peer: 'bob' }]);
    expect((await at(fresh, 'key', 'resume', '--yes')).code).toBe(0);
    expect((await at(fresh, 'post', 'four')).code).toBe(0);
  });

  test('move what was muted, bookmarked, and put on lists', async () => {
    const { lines } = await at(home, 'timeline', '--limit', '1');
    const hash = lines[0]?.hash;
    await at(home, 'mute', 'dave', '--until', '2099-01-01', '--force');
    await at(home, 'mute', '--word', 'football', '--thread', hash);
    await at(home, 'mute', '--word', 'rain', '--until', '2099-01-01');
    await at(home, 'bookmark', hash);
    await at(home, 'list', 'add', 'friends', 'bob', 'carol');
    expect((await key('export', backup())).code).toBe(0);
    const fresh = freshFolder();
    expect((await at(fresh, 'key', 'import', backup())).code).toBe(0);
    for (const command of ['mute', 'bookmarks', 'list']) {
      const shown = async (where: string) => (await at(where, command)).out.replaceAll(/"receivedAt":"[^"]*"/g, '');
      expect((await shown(home)).split('\n').length).toBeGreaterThan(1);
      expect(await shown(fresh)).toBe(await shown(home));
    }
  });

  test('a peer whose time of being muted is over is muted no more after that, either', async () => {
    {
      using store = openSqliteStore(homeAt(home).storeFile);
      store.setMuted('carol', true, 1, 2);
    }
    await key('export', backup());
    const { peers, kept } = JSON.parse(readFileSync(backup(), 'utf8')).content;
    expect(peers).toContainEqual(expect.objectContaining({ name: 'bob', muted: false }));
    expect(peers).not.toContainEqual(expect.objectContaining({ muted: true }));
    // Without marks and lists it is as earlier versions wrote it.
    expect(kept).toBeUndefined();
  });

  test('whom one talks to stays at home', async () => {
    {
      using store = openSqliteStore(homeAt(home).storeFile);
      store.noteReader('a-reader', 1);
      store.noteHabit('192.0.2.77:4000', null, { zeroEndingIds: true, noFlags: true }, 1);
      store.setTrustUnsigned('a-trusted-one', 'T'.repeat(86), true);
    }
    await key('export', backup());
    expect(readFileSync(backup(), 'utf8')).not.toMatch(/a-reader|192\.0\.2\.77|a-trusted-one|TTTT/);
  });

  test('a key under a passphrase stays under it', async () => {
    const flag = ['--passphrase-file', passphraseFile];
    await key('passphrase', ...flag);
    await key('export', backup(), ...flag);
    expect(readFileSync(backup(), 'utf8')).toContain('ENCRYPTED');
    const fresh = freshFolder();
    expect((await at(fresh, 'key', 'import', backup())).code).toBe(6);
    expect((await at(fresh, 'key', 'import', backup(), '--passphrase-file', otherFile)).code).toBe(6);
    expect(existsSync(fresh)).toBe(false);
    expect((await at(fresh, 'key', 'import', backup(), ...flag)).code).toBe(0);
    expect(readFileSync(join(fresh, 'key.pem'), 'utf8')).toBe(readFileSync(keyFile(), 'utf8'));
  });

  test('nothing is overwritten: neither a file nor an identity', async () => {
    await key('export', backup());
    expect(await key('export', backup())).toMatchObject({ code: 2, err: expect.stringContaining('not overwritten') });
    const taken = await initHome('bob');
    const before = readFileSync(join(taken, 'key.pem'));
    expect(await at(taken, 'key', 'import', backup())).toMatchObject({
      code: 2,
      err: expect.stringContaining('"bob"'),
    });
    rmSync(join(taken, 'identity.json'));
    expect((await at(taken, 'key', 'import', backup())).code).toBe(2);
    expect(readFileSync(join(taken, 'key.pem')).equals(before)).toBe(true);
    expect((await at(taken, 'init', 'bob')).code).toBe(0);
  });

  test('what an interrupted import has left, the same import completes', async () => {
    await key('export', backup());
    const fresh = freshFolder();
    await at(fresh, 'key', 'import', backup());
    rmSync(join(fresh, 'identity.json'));
    expect((await at(fresh, 'key', 'import', backup())).code).toBe(0);
    expect((await at(fresh, 'timeline')).lines).toHaveLength(2);
  });

  test('whatever is changed in it is noticed before anything is written', async () => {
    await at(home, 'mute', '--word', 'rain');
    await at(home, 'list', 'add', 'friends', 'bob');
    await key('export', backup());
    const good = readFileSync(backup(), 'utf8');
    const other = await initHome('mallory');
    const otherKey = readFileSync(join(other, 'key.pem'), 'utf8');
    /** The backup with another value at a path, `content.name`. */
    const changed = (path: string, value: unknown) => {
      const copy = JSON.parse(good);
      const steps = path.split('.');
      const last = steps.pop() ?? '';
      const parent = steps.reduce((inner, step) => inner[step], copy);
      parent[last] = value;
      return JSON.stringify(copy);
    };
    const { leaves } = JSON.parse(good).content;
    const damaged = [
      '',
      '{}',
      'null',
      good.slice(0, -20),
      changed('version', 2),
      changed('content.name', 'bob'),
      changed('content.name', 'a/b'),
      changed('content.key', otherKey),
      changed('content.key', 'nothing'),
      changed('content.leaves', leaves.slice(1)),
      changed('content.leaves', leaves.toReversed()),
      changed('content.leaves.0', ''),
      changed('content.root', 'ab'.repeat(32)),
      changed('content.peers.0.following', false),
      changed('content.peers.0.key', 'A'),
      changed('content.extra', 1),
      changed('content.kept.marks.0.subject', 'football'),
      changed('content.kept.lists.0.peers', ['mallory']),
      changed('content.kept', undefined),
      changed('content.peers.0.mutedUntilMs', 1),
      changed('signature', ''),
    ];
    for (const text of damaged) {
      const fresh = freshFolder();
      writeFileSync(backup(), text);
      const { code, err } = await at(fresh, 'key', 'import', backup());
      expect({ text, code }).toEqual({ text, code: 7 });
      expect(err).toContain(backup());
      expect(existsSync(fresh)).toBe(false);
    }
    expect((await at(freshFolder(), 'key', 'import', join(home, 'missing'))).code).toBe(7);
  });
});
