/** What goes wrong outside the program: one clear sentence on stderr, the exit code of the contract, and nothing lost. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { type Finished, main, Programs } from '../support/program.ts';
import { run as runHere } from '../unit/cli/support.ts';

let programs: Programs;
let url: string;
let ca: string;

beforeAll(async () => {
  programs = new Programs();
  const flags = ['--json', '--listen', '127.0.0.1:0', '--home', programs.home('directory')];
  const ready = await programs.start(['directory', ...flags]).event('ready');
  url = ready.url as string;
  ca = ready.ca as string;
});

afterAll(() => programs[Symbol.asyncDispose]());

let homes = 0;

/** A home with an identity and one message; made here, as a process for each command would cost more than the tests. */
async function newHome(): Promise<string> {
  homes += 1;
  const home = programs.home(`home-${homes}`);
  await runHere(['init', `person-${homes}`, '--home', home]);
  await runHere(['post', 'precious', '--home', home]);
  return home;
}

/** One sentence with what to do, as text and as JSON; no stack trace, and exit as promised. */
function expectSentence({ code, stderr, stdout }: Finished, expected: { code: number; sentence: RegExp }): void {
  expect({ code, stderr }).toEqual({ code: expected.code, stderr: expect.stringMatching(expected.sentence) });
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stderr).not.toContain('ExperimentalWarning');
  const lastLine = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (lastLine !== '') expect(JSON.parse(lastLine)).toMatchObject({ error: { message: expect.any(String) } });
}

/** Runs it so that the modes of files bind it, also where the super-user runs the tests: without the right to override them. */
function boundByModes(argv: readonly string[]): Finished {
  const drop = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
  const [command = '', ...words] = [...(process.getuid?.() === 0 ? drop : []), process.execPath, main, ...argv];
  const { PATH } = process.env;
  const { status, stdout, stderr, error } = spawnSync(command, words, { encoding: 'utf8', env: { PATH } });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr, values: [] };
}

async function expectNothingLost(home: string): Promise<void> {
  const { lines } = await runHere(['timeline', '--json', '--home', home]);
  expect(lines.map(({ body }) => body)).toEqual(['precious']);
}

describe('directory', () => {
  test('nobody listens there: exit 3', async () => {
    const home = await newHome();
    const result = await programs.run(['sync', 'x', '--json', '--home', home, '--directory', 'https://127.0.0.1:1']);
    expectSentence(result, { code: 3, sentence: /127\.0\.0\.1:1.*(running|start|check)/s });
    await expectNothingLost(home);
  });

  test('none was named: exit 2, and how to name one', async () => {
    const home = await newHome();
    const result = await programs.run(['serve', '--json', '--home', home]);
    expectSentence(result, { code: 2, sentence: /--directory/ });
  });

  test('its certificate is not trusted: exit 3, and how to trust it', async () => {
    const home = await newHome();
    const result = await programs.run(['peers', '--json', '--home', home, '--directory', url]);
    expectSentence(result, { code: 3, sentence: /certificate.*--ca/s });
  });

  test('--ca names another certificate: exit 3', async () => {
    const home = await newHome();
    const other = await programs
      .start(['directory', '--json', '--listen', '127.0.0.1:0', '--home', programs.home('other')])
      .event('ready');
    const flags = ['--json', '--home', home, '--directory', url, '--ca', other.ca as string];
    expectSentence(await programs.run(['peers', ...flags]), { code: 3, sentence: /certificate/ });
  });

  test('--ca names a file that is no certificate, or none at all', async () => {
    const home = await newHome();
    const noCertificate = join(home, 'config.toml');
    writeFileSync(noCertificate, '');
    for (const file of [noCertificate, join(home, 'nowhere.pem')]) {
      const result = await programs.run(['peers', '--json', '--home', home, '--directory', url, '--ca', file]);
      expectSentence(result, { code: 7, sentence: /certificate|nowhere\.pem/ });
    }
  });

  test.for(['http://127.0.0.1:1', 'ftp://example.org', 'not a url'])('wrong URL %s: exit 2', async (wrong) => {
    const home = await newHome();
    const result = await programs.run(['peers', '--json', '--home', home, '--directory', wrong]);
    expectSentence(result, { code: 2, sentence: /https/ });
  });

  test('the URL is that of something else: exit 3', async () => {
    const home = await newHome();
    const flags = ['--json', '--home', home, '--directory', `${url}/elsewhere/`, '--ca', ca];
    expectSentence(await programs.run(['peers', ...flags]), { code: 3, sentence: /elsewhere/ });
  });

  test('the name belongs to another key: exit 6', async () => {
    const [first, second] = [programs.home('first'), programs.home('second')];
    for (const home of [first, second]) await programs.run(['init', 'zoe', '--home', home]);
    const access = ['--json', '--directory', url, '--ca', ca, '--udp', '127.0.0.1:0'];
    await programs.start(['serve', '--home', first, ...access]).event('ready');
    const result = await programs.run(['serve', '--home', second, ...access]);
    expectSentence(result, { code: 6, sentence: /zoe.*key/s });
  });
});

describe('home', () => {
  test('no identity in it: exit 2, and how to make one', async () => {
    const result = await programs.run(['post', 'x', '--json', '--home', programs.home('nobody')]);
    expectSentence(result, { code: 2, sentence: /murmure init/ });
  });

  test('init never overwrites an identity', async () => {
    const home = await newHome();
    const key = readFileSync(join(home, 'key.pem'), 'utf8');
    expectSentence(await programs.run(['init', 'other', '--json', '--home', home]), { code: 2, sentence: /already/ });
    expect(readFileSync(join(home, 'key.pem'), 'utf8')).toBe(key);
    await expectNothingLost(home);
  });

  test('a file is where the folder should be', async () => {
    const file = join(programs.folder, 'a-file');
    writeFileSync(file, 'x');
    const result = await programs.run(['init', 'someone', '--json', '--home', file]);
    expectSentence(result, { code: 7, sentence: /a-file/ });
    expect(readFileSync(file, 'utf8')).toBe('x');
  });

  test('it is read-only: exit 1', () => {
    const folder = programs.home('read-only');
    mkdirSync(folder);
    chmodSync(folder, 0o500);
    const result = boundByModes(['init', 'someone', '--json', '--home', join(folder, 'home')]);
    chmodSync(folder, 0o700);
    expectSentence(result, { code: 1, sentence: /read-only/ });
  });

  test('two serve on one home: the second says so and ends, the first goes on', async () => {
    const home = await newHome();
    const flags = ['--json', '--home', home, '--directory', url, '--ca', ca, '--udp', '127.0.0.1:0'];
    const first = programs.start(['serve', ...flags]);
    await first.event('ready');
    const second = await programs.run(['serve', ...flags]);
    expectSentence(second, { code: 8, sentence: new RegExp(`process ${first.child.pid}.*stop`, 's') });
    expect(first.child.exitCode).toBe(null);
    expect((await first.stop()).code).toBe(0);
    await expectNothingLost(home);
  });
});

/** Runs lines of shell in which `$folder` is a disk of its own, of 200 KiB; what is mounted goes with the shell. */
function onSmallDisk(script: string): SpawnSyncReturns<string> {
  const mounted = `mount -t tmpfs -o size=200k none "$folder" || exit 99\n${script}`;
  const folder = programs.home('small-disk');
  mkdirSync(folder, { recursive: true });
  return spawnSync('unshare', ['--mount', 'sh', '-c', mounted], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, folder, murmure: `${process.execPath} ${main}` },
  });
}

describe('a full disk', () => {
  const canMount = () => onSmallDisk('true').status === 0;

  test.for(['init someone', 'directory --listen 127.0.0.1:0 --udp 127.0.0.1:0'])(
    '%s: exit 1, a sentence that says so, and nothing half made',
    async (command, { skip }) => {
      skip(!canMount(), 'only the super-user can make a disk that is full');
      const { status, stdout, stderr } = onSmallDisk(`
        mkdir "$folder/home"; head -c 300000 /dev/zero >"$folder/filler" 2>/dev/null
        $murmure ${command} --json --home "$folder/home"; code=$?
        # A lock is an empty file that stays, so that nobody holds one that was removed.
        ls -A "$folder/home" | grep -v '\\.lock$' >&2
        exit $code`);
      expectSentence(
        { code: status, stdout, stderr, values: [] },
        { code: 1, sentence: /^murmure: .*disk is full.*make room.*\n$/ },
      );
    },
  );

  test.for([
    ['full to the last byte', ''],
    ['without room for what processes share', 'truncate -s -16384 "$folder/filler"'],
  ] as const)(
    '%s, where a home is: it can be read and searched; what is to be written is refused with a sentence that says so, until there is room',
    async ([_, makeRoom], { skip }) => {
      skip(!canMount(), 'only the super-user can make a disk that is full');
      const home = await newHome();
      const { status, stdout, stderr } = onSmallDisk(`
      cp -r ${home} "$folder/home"; head -c 300000 /dev/zero >"$folder/filler" 2>/dev/null; ${makeRoom}
      for command in "post $(head -c 900 /dev/zero | tr '\\0' x)" 'timeline --json' 'search precious --json'; do
        $murmure $command --home "$folder/home"; echo "exit $?" >&2
      done
      rm "$folder/filler"; $murmure timeline --json --home "$folder/home"`);
      expect(stderr.trimEnd().split('\n')).toEqual([
        expect.stringMatching(/^murmure: the disk is full.*store\.db: make room/),
        'exit 1',
        'exit 0',
        'exit 0',
      ]);
      expect(status).toBe(0);
      const bodies = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).body);
      expect(bodies).toEqual(['precious', 'precious', 'precious']);
    },
  );

  test('a sync that does not fit: exit 1, a sentence that says so, and it is done once there is room', async ({
    skip,
  }) => {
    skip(!canMount(), 'only the super-user can make a disk that is full');
    const home = await newHome();
    const [{ author }] = (await programs.run(['timeline', '--json', '--home', home])).values as [{ author: string }];
    {
      using store = openSqliteStore(join(home, 'store.db'));
      for (let i = 1; i < 400; i++) store.publish(author, { date: i, inReplyTo: null, body: 'x'.repeat(900) + i }, i);
    }
    const access = ['--directory', url, '--ca', ca];
    const serving = programs.start(['serve', '--json', '--home', home, ...access, '--udp', '127.0.0.1:0']);
    await serving.event('ready');
    const { stdout, stderr } = onSmallDisk(`
      $murmure init reader --quiet --home "$folder/home" >&2
      $murmure sync ${author} --json --home "$folder/home" ${access.join(' ')} 2>&1; echo "exit $?" >&2
      mount -o remount,size=4m "$folder"
      $murmure sync ${author} --json --home "$folder/home" ${access.join(' ')}`);
    await serving.stop();
    expect(stderr).toMatch(/^exit 1$/m);
    expect(stdout).toMatch(/"code":"unexpected","message":"the disk is full, .*store\.db: make room and try again/);
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      status: 'updated',
      totalMessages: 400,
    });
  });

  test('a backup that does not fit is not left in half', async ({ skip }) => {
    skip(!canMount(), 'only the super-user can make a disk that is full');
    const home = await newHome();
    const { status, stdout, stderr } = onSmallDisk(`
      head -c 300000 /dev/zero >"$folder/filler" 2>/dev/null
      $murmure key export "$folder/backup" --json --home ${home}; code=$?
      ls "$folder" | grep backup
      exit $code`);
    expectSentence({ code: status, stdout, stderr, values: [] }, { code: 1, sentence: /disk is full/ });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });
});

describe('a home that can only be read', () => {
  const makeReadOnly = (home: string): void => {
    for (const name of readdirSync(home)) chmodSync(join(home, name), 0o444);
    chmodSync(home, 0o555);
  };
  const readOnlyHome = async (): Promise<string> => {
    const home = await newHome();
    makeReadOnly(home);
    return home;
  };

  test.for([
    [['post', 'x'], /store\.db cannot be written: make it and its folder writable/],
    [['serve', '--directory', 'https://127.0.0.1:1'], /serve\.lock cannot be opened: check that/],
    [['follow', 'someone'], /store\.db cannot be written: make it and its folder writable/],
  ] as const)('%s: exit 1, and what to do', async ([argv, sentence]) => {
    const home = await readOnlyHome();
    expectSentence(boundByModes([...argv, '--home', home]), { code: 1, sentence });
    await expectNothingLost(home);
  });

  test('timeline, thread, show, search and tree read it, what is not indexed included, and leave it as it is', async () => {
    const home = await newHome();
    const [{ hash, author }] = (await programs.run(['timeline', '--json', '--home', home])).values as [
      { hash: string; author: string },
    ];
    makeReadOnly(home);
    const before = readFileSync(join(home, 'store.db'));
    for (const argv of [['timeline'], ['thread', hash], ['show', hash], ['search', 'precious'], ['tree', author]]) {
      const { code, stdout, stderr } = boundByModes([...argv, '--home', home]);
      expect({ argv, code, stdout, stderr }).toEqual({
        argv,
        code: 0,
        stdout: expect.stringContaining('precious'),
        stderr: '',
      });
    }
    expect(boundByModes(['key', 'show', '--home', home]).code).toBe(0);
    expect(readdirSync(home).sort()).toEqual(['had-database.txt', 'identity.json', 'key.pem', 'store.db']);
    expect(readFileSync(join(home, 'store.db')).equals(before)).toBe(true);
  });

  test('one whose last writer did not finish: exit 1, and why it cannot be read', async () => {
    const home = await newHome();
    const db = new DatabaseSync(join(home, 'store.db'));
    db.exec('UPDATE peers SET muted = muted');
    const wal = readFileSync(join(home, 'store.db-wal'));
    db.close();
    writeFileSync(join(home, 'store.db-wal'), wal);
    makeReadOnly(home);
    const sentence =
      /store\.db cannot be read without write access, because the latest changes are still in .*store\.db-wal/;
    expectSentence(boundByModes(['timeline', '--home', home]), { code: 1, sentence });
    await expectNothingLost(home);
  });
});

describe('database', () => {
  test.for([
    [
      'overwritten with something else',
      (file: string) => writeFileSync(file, 'not a database, but long enough to be read as one'.repeat(40)),
    ],
    ['cut short', (file: string) => truncateSync(file, 5_000)],
  ] as const)('%s: exit 7, and the file is left as it is', async ([, damage]) => {
    const home = await newHome();
    const file = join(home, 'store.db');
    damage(file);
    const damaged = readFileSync(file);
    const result = await programs.run(['timeline', '--json', '--home', home]);
    expectSentence(result, { code: 7, sentence: /store\.db is damaged.*move it away/s });
    expect(readFileSync(file).equals(damaged)).toBe(true);
  });
});

test('a database of another program: exit 7, and the file is left as it is', async () => {
  const home = await newHome();
  const file = join(home, 'store.db');
  unlinkSync(file);
  const db = new DatabaseSync(file);
  db.exec('CREATE TABLE songs (title TEXT)');
  db.close();
  const foreign = readFileSync(file);
  for (const argv of [['timeline'], ['post', 'x']]) {
    const result = await programs.run([...argv, '--json', '--home', home]);
    expectSentence(result, { code: 7, sentence: /store\.db is a database of another program: move it away/ });
    expect(readFileSync(file).equals(foreign)).toBe(true);
  }
});

describe('key file', () => {
  const serve = (home: string) =>
    programs.run(['serve', '--json', '--home', home, '--directory', url, '--ca', ca, '--udp', '127.0.0.1:0']);

  test('damaged: exit 7', async () => {
    const home = await newHome();
    const file = join(home, 'key.pem');
    writeFileSync(file, readFileSync(file, 'utf8').slice(0, 80));
    expectSentence(await serve(home), { code: 7, sentence: /key\.pem/ });
    await expectNothingLost(home);
  });

  test('of another kind: exit 7, and what kind is needed', async () => {
    const home = await newHome();
    copyFileSync(ca, join(home, 'key.pem'));
    expectSentence(await serve(home), { code: 7, sentence: /key\.pem/ });
  });

  test('of somebody else: exit 7, and nothing is signed with it', async () => {
    const [home, other] = [await newHome(), await newHome()];
    copyFileSync(join(other, 'key.pem'), join(home, 'key.pem'));
    expectSentence(await serve(home), { code: 7, sentence: /key\.pem is not the key of "person-\d+".*backup/s });
    await expectNothingLost(home);
  });

  test('gone: a sentence that names it, and nothing is made in its place', async () => {
    const home = await newHome();
    const file = join(home, 'key.pem');
    unlinkSync(file);
    expectSentence(await serve(home), { code: 2, sentence: /no key in .*key\.pem/ });
    expect(existsSync(file)).toBe(false);
  });
});

test('port in use: a sentence that names it, for UDP and for HTTPS', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<void>();
  server.once('listening', resolve);
  await promise;
  const { port } = server.address() as { port: number };
  const busy = `127.0.0.1:${port}`;
  const directory = ['directory', '--json', '--home', programs.home('busy')];
  expectSentence(await programs.run([...directory, '--listen', busy]), {
    code: 1,
    sentence: new RegExp(`${port}.*use`, 's'),
  });
  server.close();

  const home = await newHome();
  const flags = ['--json', '--home', home, '--directory', url, '--ca', ca];
  const first = programs.start(['serve', ...flags, '--udp', '127.0.0.1:0']);
  const [address] = (await first.event('ready')).udp as { port: number }[];
  const other = await newHome();
  const second = ['serve', '--json', '--home', other, '--directory', url, '--ca', ca];
  const result = await programs.run([...second, '--udp', `127.0.0.1:${address?.port}`]);
  expectSentence(result, { code: 1, sentence: new RegExp(`${address?.port}.*use`, 's') });
});
