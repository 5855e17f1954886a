/** follow, unfollow, following, peers and sync: with a network that is made up. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { StoppedError } from '../../../src/cli/errors.ts';
import { likelyMeant } from '../../../src/cli/input/peer-names.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import { DIRECTORY, fakePeer, initHome, run, syncReport } from './support.ts';

const never = new Promise<never>(() => {});

/** From now on timers fire only when a test lets time pass. */
function holdTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

describe('several names at once, and names that nobody has', () => {
  test.each([
    ['follow', 'following'],
    ['mute', 'muted'],
  ])('%s takes several, each once', async (command, member) => {
    const json = ['--json', '--home', await initHome()];
    const { lines } = await run([command, 'bob', 'carol', 'bob', '--force', ...json]);
    expect(lines).toEqual([
      { peer: 'bob', [member]: true },
      { peer: 'carol', [member]: true },
    ]);
    expect((await run([`un${command}`, 'bob', 'carol', ...json])).lines).toMatchObject([
      { peer: 'bob', [member]: false },
      { peer: 'carol', [member]: false },
    ]);
  });

  test('where no directory can be asked, a name is taken with a warning', async () => {
    const json = ['--json', '--home', await initHome()];
    await run(['follow', 'bob', '--force', ...json]);
    const { code, err } = await run(['follow', 'bbo', ...json]);
    expect(code).toBe(0);
    expect(err).toContain('nothing is known of "bbo" yet (did you mean "bob"?), and no directory is given');
  });

  test.each(['unfollow', 'unmute', 'timeline'])(
    '%s proposes the nearest name, and changes nothing',
    async (command) => {
      const json = ['--json', '--home', await initHome()];
      await run(['follow', 'carol', '--force', ...json]);
      const { code, err } = await run([command, 'carol', 'carlo', ...json]);
      expect(code).toBe(4);
      expect(err).toContain('nothing is known of "carlo" here: did you mean "carol"?');
      expect((await run(['following', ...json])).lines).toMatchObject([{ peer: 'carol' }]);
    },
  );
});

test.each([
  ['alcie', 'alice'],
  ['Alice', 'alice'],
  ['alise2', 'alice2'],
  ['bo', 'bob'],
])('"%s" is most likely a slip of "%s"', (name, meant) => {
  expect(likelyMeant(name, ['trent', meant])).toBe(meant);
});

test.each([
  ['dora', 'alice'],
  ['A', 'B'],
  ['peer2', 'peer1'],
  ['peer10', 'peer9'],
])('"%s" is no slip of "%s"', (name, other) => {
  expect(likelyMeant(name, [other])).toBeUndefined();
});

describe('follow, unfollow, following', () => {
  test('remember', async () => {
    const home = await initHome();
    const json = ['--home', home, '--json'];
    expect((await run(['follow', 'bob', ...json])).lines).toEqual([{ peer: 'bob', following: true }]);
    expect((await run(['follow', 'bob', ...json])).code).toBe(0);
    expect((await run(['following', ...json])).lines).toEqual([
      {
        peer: 'bob',
        following: true,
        muted: false,
        root: null,
        messages: 0,
        quota: null,
        lastSync: null,
        state: null,
        error: null,
      },
    ]);
    expect((await run(['unfollow', 'bob', ...json])).lines).toEqual([{ peer: 'bob', following: false }]);
    expect((await run(['following', ...json])).lines).toEqual([]);
  });

  test('unfollowing somebody nobody knows: 4', async () => {
    expect((await run(['unfollow', 'bob', '--home', await initHome()])).code).toBe(4);
  });
});

describe('peers', () => {
  const listed = [
    { name: 'bob', addresses: [{ ip: '192.0.2.1', port: 80 }] },
    { name: 'evil\u001b[2Jname', addresses: [] },
  ];

  test('a line for each name, marked if followed', async () => {
    const home = await initHome();
    await run(['follow', 'bob', '--home', home]);
    const peer = fakePeer({ directoryPeers: async () => listed });
    const { code, lines } = await run(['peers', '--home', home, '--json', '--directory', DIRECTORY], peer);
    expect(code).toBe(0);
    expect(lines).toEqual([
      { name: 'bob', addresses: [{ ip: '192.0.2.1', port: 80 }], key: null, following: true },
      {
        name: 'evilname',
        addresses: [],
        key: null,
        following: false,
        hidden: ['U+001B', 'U+005B', 'U+0032', 'U+004A'],
      },
    ]);
    expect(peer.options()).toMatchObject({ name: 'alice', directory: DIRECTORY, register: false });
    expect(peer.closed()).toBe(true);
  });

  test('for a person: a table', async () => {
    const home = await initHome();
    const { out } = await run(
      ['peers', '--home', home, '--directory', DIRECTORY],
      fakePeer({ directoryPeers: async () => listed }),
    );
    expect(out.split('\n')[0]).toMatch(/^bob +no key +192\.0\.2\.1:80$/);
  });

  test('an unreachable directory: 3, also when time runs out', async () => {
    const flags = ['--home', await initHome(), '--directory', DIRECTORY];
    const refuse = () => Promise.reject(new MurmureError('directory-unreachable', 'it is not there'));
    expect(await run(['peers', ...flags], fakePeer({ directoryPeers: refuse }))).toMatchObject({
      code: 3,
      err: 'murmure: it is not there\n',
    });
    holdTimers();
    const silent = fakePeer({
      directoryPeers: () => {
        vi.advanceTimersByTime(20_000);
        return never;
      },
    });
    const { code, lines } = await run(['peers', ...flags, '--timeout', '20', '--json'], silent);
    expect({ code, lines }).toEqual({
      code: 3,
      lines: [{ error: { code: 'directory-unreachable', message: expect.any(String) } }],
    });
    expect(silent.closed()).toBe(true);
  });

  test('--ca is read and handed on', async () => {
    const home = await initHome();
    const ca = join(home, 'ca.pem');
    writeFileSync(ca, '-----BEGIN CERTIFICATE-----\n…');
    const peer = fakePeer({ directoryPeers: async () => [] });
    await run(['peers', '--home', home, '--directory', DIRECTORY, '--ca', ca], peer);
    expect(peer.options().ca).toContain('BEGIN CERTIFICATE');
    for (const wrong of [join(home, 'absent.pem'), join(home, 'identity.json')]) {
      const { code, err } = await run(['peers', '--home', home, '--directory', DIRECTORY, '--ca', wrong], peer);
      expect(code).toBe(7);
      expect(err).toContain(wrong);
    }
  });

  test('a failure nobody foresaw is one sentence; --verbose says where', async () => {
    const flags = ['--home', await initHome(), '--directory', DIRECTORY];
    const broken = fakePeer({ directoryPeers: () => Promise.reject(new TypeError('oops')) });
    const { code, err } = await run(['peers', ...flags], broken);
    expect(code).toBe(1);
    expect(err).toMatch(/^murmure: .*oops.*\n$/);
    expect((await run(['peers', ...flags, '--verbose'], broken)).err).toContain('    at ');
  });

  test('a warning for settings that mean nothing', async () => {
    const home = await initHome();
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'config.toml'), `directory = "${DIRECTORY}"\ntimout = 3`);
    const { code, err } = await run(['peers', '--home', home], fakePeer({ directoryPeers: async () => [] }));
    expect(code).toBe(0);
    expect(err).toContain('"timout"');
  });
});

describe('sync', () => {
  const flagsOf = async () => ['--home', await initHome(), '--directory', DIRECTORY, '--json'];

  test('a line for each peer named, once each', async () => {
    const peer = fakePeer({ sync: async (name) => syncReport(name, { status: 'updated', newMessages: 2 }) });
    const { code, lines } = await run(['sync', 'bob', 'carol', 'bob', ...(await flagsOf())], peer);
    expect(code).toBe(0);
    expect(lines).toEqual([
      syncReport('bob', { status: 'updated', newMessages: 2 }),
      syncReport('carol', { status: 'updated', newMessages: 2 }),
    ]);
    expect(peer.closed()).toBe(true);
  });

  test('a name that nobody has is answered with the one that was probably meant', async () => {
    const flags = await flagsOf();
    await run(['follow', 'carol', '--force', ...flags]);
    const error = { code: 'peer-unknown', message: 'the directory does not know "carlo"' } as const;
    const peer = fakePeer({ sync: async (name) => syncReport(name, { status: 'failed', error }) });
    const { code, err } = await run(['sync', 'carlo', ...flags], peer);
    expect(code).toBe(4);
    expect(err).toContain('carlo: the directory does not know "carlo" (did you mean "carol"?)');
  });

  test('tells a history that went back, and Errors that others send', async () => {
    const peer = fakePeer({
      sync: async (name) => {
        peer.tell({ type: 'history.wentBack', name, root: 'ab'.repeat(32) });
        peer.tell({ type: 'error.received', from: { ip: '192.0.2.9', port: 9 }, name, text: 'go \u001b[2Jaway' });
        return syncReport(name, { status: 'updated' });
      },
    });
    const { code, err } = await run(['sync', 'bob', ...(await flagsOf())], peer);
    expect({ code, err }).toEqual({
      code: 0,
      err: 'warning: "bob" went back to an earlier state of its messages (abababababab)\nwarning: "bob" reports: go away\n',
    });
  });

  test('without names: all that are followed', async () => {
    const flags = await flagsOf();
    expect(await run(['sync', ...flags], fakePeer({}))).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('follow'),
    });
    await run(['follow', 'bob', ...flags]);
    const { lines } = await run(['sync', ...flags], fakePeer({ sync: async (name) => syncReport(name) }));
    expect(lines).toEqual([syncReport('bob')]);
  });

  test('failures come last, the worst at the end, and give the exit code', async () => {
    const failures = {
      a: 'directory-unreachable',
      b: 'peer-unknown',
      c: 'authentication',
      d: 'peer-unreachable',
    } as const;
    const sync = async (name: string) => {
      const code = failures[name as keyof typeof failures];
      return code === undefined
        ? syncReport(name)
        : syncReport(name, { status: 'failed', error: { code, message: `no ${name}` } });
    };
    const flags = await flagsOf();
    const all = await run(['sync', 'a', 'b', 'c', 'd', 'e', ...flags], fakePeer({ sync }));
    expect(all.lines.map(({ peer }) => peer)).toEqual(['e', 'b', 'd', 'c', 'a']);
    expect(all.code).toBe(3);
    expect(all.err).toContain('murmure: a: no a');
    for (const [name, code] of [
      ['b', 4],
      ['d', 5],
      ['c', 6],
    ] as const) {
      expect((await run(['sync', 'e', name, ...flags], fakePeer({ sync }))).code).toBe(code);
    }
  });

  test('what is not there when time runs out has failed: 5; the others are there, and what it has cost until then is said', async () => {
    const sync = (name: string) => (name === 'slow' ? never : Promise.resolve(syncReport(name)));
    const { status: _, ...soFar } = syncReport('slow', { nodesFetched: 7, durationMs: 20_000 });
    const peer = fakePeer({ sync, syncUnderWay: () => soFar });
    const argv = ['sync', 'slow', 'bob', ...(await flagsOf()), '--timeout', '20'];
    holdTimers();
    const onOutput = (text: string) => void (text.includes('"bob"') && vi.advanceTimersByTime(20_000));
    const { code, lines } = await run(argv, { ...peer, onOutput });
    expect(code).toBe(5);
    expect(lines).toEqual([
      syncReport('bob'),
      expect.objectContaining({
        ...soFar,
        status: 'failed',
        error: { code: 'peer-unreachable', message: expect.stringContaining('20 s') },
      }),
    ]);
    expect(peer.closed()).toBe(true);
  });

  test.each([
    ['locating', [], 'waiting for the directory to say where bob is …\n'],
    ['greeting', [{ ip: '192.0.2.1', port: 9000 }], 'waiting for bob: said Hello to 192.0.2.1:9000 …\n'],
    ['established', [{ ip: '192.0.2.1', port: 9000 }], 'waiting for bob at 192.0.2.1:9000 to answer …\n'],
    ['none', [], ''],
  ] as const)(
    'after a second of silence it is said on stderr what is waited for: %s',
    async (status, addresses, said) => {
      const { promise, resolve } = Promise.withResolvers<ReturnType<typeof syncReport>>();
      const sync = () => {
        setTimeout(() => resolve(syncReport('bob')), 1_500);
        queueMicrotask(() => vi.advanceTimersByTime(1_500));
        return promise;
      };
      const peer = fakePeer({ sync, contactWith: () => ({ status, addresses }) });
      const flags = await flagsOf();
      holdTimers();
      expect(await run(['sync', 'bob', ...flags], peer)).toMatchObject({ err: said, lines: [syncReport('bob')] });
      const { promise: second, resolve: end } = Promise.withResolvers<ReturnType<typeof syncReport>>();
      const quiet = fakePeer({
        sync: () => {
          setTimeout(() => end(syncReport('bob')), 1_500);
          queueMicrotask(() => vi.advanceTimersByTime(1_500));
          return second;
        },
        contactWith: () => ({ status, addresses }),
      });
      expect((await run(['sync', 'bob', '--quiet', ...flags], quiet)).err).toBe('');
    },
  );

  test('interrupted: 130, and the peer is closed', async () => {
    const stop = new AbortController();
    const peer = fakePeer({
      sync: () => {
        stop.abort(new StoppedError('SIGINT'));
        return never;
      },
    });
    const { code, lines } = await run(['sync', 'bob', ...(await flagsOf())], { ...peer, signal: stop.signal });
    expect(code).toBe(130);
    expect(lines).toEqual([{ error: { code: 'interrupted', message: expect.any(String) } }]);
    expect(peer.closed()).toBe(true);
  });

  test('output that nobody reads any longer is no failure', async () => {
    const stop = new AbortController();
    stop.abort(new StoppedError('EPIPE'));
    expect(await run(['sync', 'bob', ...(await flagsOf())], { signal: stop.signal })).toMatchObject({
      code: 0,
      out: '',
      err: '',
    });
  });

  test('for a person: a line with what it cost', async () => {
    const [home, , directory] = (await flagsOf()).slice(1);
    const flags = ['--home', home ?? '', '--directory', directory ?? ''];
    const sync = async (name: string) =>
      syncReport(name, {
        status: 'updated',
        newMessages: 1,
        withdrawnMessages: 2,
        nodesFetched: 4,
        bytesFetched: 1234,
        retransmissions: 1,
      });
    const { out } = await run(['sync', 'bob', ...flags], fakePeer({ sync }));
    expect(out).toBe(
      'bob: 1 new message, 2 messages withdrawn, 3 messages in all (4 nodes, 1.2 kB, 2 datagrams sent, 1 of them repeated, 12 ms)\n',
    );
  });
});
