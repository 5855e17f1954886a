/** One home, one peer: what commands do beside a process that runs it, and without one. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { StoppedError } from '../../../src/cli/errors.ts';
import { homeAt } from '../../../src/cli/home/home.ts';
import { lockHome, lockStandby } from '../../../src/cli/home/serve-lock.ts';
import type { PeerFact, Wish } from '../../../src/index.ts';
import { type LocalApiOptions, offerLocalApi } from '../../../src/local-api/server.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { fakeRunningPeer } from '../local-api/support.ts';
import { DIRECTORY, fakePeer, initHome, noNetwork, run, syncReport } from './support.ts';

type Answer = (wish: Wish, tell: (fact: PeerFact) => void) => void;

/** A home whose peer runs; the commands run in this process as well, and may use no network. */
async function served(answer: Answer = () => {}, runBy: LocalApiOptions['runBy'] = 'serve') {
  const folder = await initHome();
  const home = homeAt(folder);
  const lock = lockHome(home);
  let isOver = false;
  const running = fakeRunningPeer(answer);
  const offered = await offerLocalApi({ ...running, file: home.localApiFile, runBy, directoryUrl: DIRECTORY });
  return {
    ...running,
    home,
    flags: ['--home', folder, '--json'],
    async [Symbol.asyncDispose]() {
      if (isOver) return;
      isOver = true;
      await offered[Symbol.asyncDispose]();
      lock[Symbol.dispose]();
    },
  };
}

/** As a peer does, but for the network. */
function inStore(folder: () => string): Answer {
  return (wish, tell) => {
    using store = openSqliteStore(homeAt(folder()).storeFile);
    if (wish.type === 'post.wanted') {
      const fields = { date: 0, inReplyTo: wish.inReplyTo, body: wish.text };
      tell({ type: 'message.published', ...store.publish('alice', fields, Date.now()), ticket: wish.ticket });
    }
    if (wish.type === 'withdrawal.wanted') {
      const { root = '' } = store.withdraw('alice', wish.hash, Date.now()) ?? {};
      tell({ type: 'message.withdrawn', hash: wish.hash, root, ticket: wish.ticket });
    }
  };
}

const refusing: Answer = (wish, tell) => {
  if ('ticket' in wish)
    tell({
      type: 'wish.failed',
      failure: { code: 'invalid-data', message: 'others have newer messages' },
      ticket: wish.ticket,
    });
};

describe('beside a running peer', () => {
  test('config says which settings count only after a restart of that', async () => {
    await using peer = await served();
    const { flags } = peer;
    const said = async (...words: string[]) => (await run(['config', ...words, ...flags])).err;
    expect(await said('set', 'quota', '100')).toContain(`process ${process.pid} runs murmure on this home`);
    expect(await said('set', 'quota', '100')).toContain('after you restart it');
    expect(await said('unset', 'quota')).toContain('after you restart it');
    expect(await said('set', 'notify', '["true"]')).toBe('');
    expect(await said('set', 'timeout', '5')).toBe('');
  });

  test('post and withdraw go through it, and print what they always print', async () => {
    let folder = '';
    await using setting = await served(inStore(() => folder));
    folder = setting.home.folder;
    const posted = await run(['post', 'Hello.', ...setting.flags]);
    expect(posted).toMatchObject({ code: 0, err: '' });
    expect(posted.lines).toMatchObject([{ author: 'alice', body: 'Hello.' }]);
    const hash = posted.lines[0]?.hash;
    const reply = await run(['post', 'To myself.', '--reply-to', hash, ...setting.flags]);
    expect(reply.lines).toMatchObject([{ inReplyTo: hash }]);
    expect((await run(['withdraw', hash, ...setting.flags])).lines).toMatchObject([{ hash }]);
    expect(setting.asked.map(({ type }) => type)).toEqual(['post.wanted', 'post.wanted', 'withdrawal.wanted']);
  });

  test('post says who does not get the message now, and why', async () => {
    let folder = '';
    await using setting = await served(inStore(() => folder));
    folder = setting.home.folder;
    const failure = { code: 'peer-unreachable', message: 'nothing comes back over UDP' } as const;
    const readers = ['bob', 'carol', 'dave', 'eve', 'fay'].map((peer) => ({ peer, state: 'silent' }) as const);
    const { peer } = setting;
    const status = { ...peer.status(), readers: [...readers, { peer: 'gil', state: 'idle' } as const] };
    Object.assign(peer, { directory: { ...peer.directory, status: 'unlisted', failure }, status: () => status });
    const { code, err } = await run(['post', 'Hello.', ...setting.flags]);
    expect(code).toBe(0);
    expect(err.split('\n')).toEqual([
      'warning: only those who are in session with you get the message now: nothing comes back over UDP',
      'bob, carol, dave, and 2 others cannot be reached now, and get it once that is over.',
      '',
    ]);
  });

  test('follow, unfollow, mute and unmute go through it, one wish for each name', async () => {
    await using setting = await served((wish, tell) => {
      if (wish.type === 'follow.wanted') tell({ ...wish, type: 'follow.changed' });
      if (wish.type === 'mute.wanted') tell({ ...wish, type: 'mute.changed' });
    });
    {
      using store = openSqliteStore(setting.home.storeFile);
      store.setFollowing('bob', false, 0);
      store.setFollowing('carol', false, 0);
    }
    for (const command of ['follow', 'unfollow', 'mute', 'unmute']) {
      const { code, lines } = await run([command, 'bob', 'carol', ...setting.flags]);
      expect({ command, code, peers: lines.map(({ peer }) => peer) }).toEqual({
        command,
        code: 0,
        peers: ['bob', 'carol'],
      });
    }
    expect(setting.asked).toMatchObject([
      { name: 'bob', following: true },
      { name: 'carol', following: true },
      { name: 'bob', following: false },
      { name: 'carol', following: false },
      { name: 'bob', muted: true },
      { name: 'carol', muted: true },
      { name: 'bob', muted: false },
      { name: 'carol', muted: false },
    ]);
  });

  test('follow --quota sets it before the peer begins to download, and sync refuses it', async () => {
    const quotas: (number | undefined)[] = [];
    await using setting = await served((wish, tell) => {
      if (wish.type !== 'follow.wanted') return;
      using store = openSqliteStore(setting.home.storeFile);
      quotas.push(store.peer('bob')?.quota);
      tell({ ...wish, type: 'follow.changed' });
    });
    const followed = await run(['follow', 'bob', '--force', '--quota', '5', ...setting.flags]);
    expect(followed).toMatchObject({ code: 0, lines: [{ peer: 'bob', following: true, quota: 5 }] });
    expect(quotas).toEqual([5]);
    const { code, err } = await run(['sync', 'bob', '--quota', '6', ...setting.flags]);
    expect(code).toBe(2);
    expect(err).toContain('--quota cannot be used here');
    expect(setting.asked).toHaveLength(1);
  });

  test.each([
    ['post', 'x'],
    ['follow', 'bob', '--force'],
    ['mute', 'bob', '--force'],
  ])('%s fails as the peer says, and changes nothing by itself', async (...argv) => {
    await using setting = await served(refusing);
    const { code, err } = await run([...argv, ...setting.flags]);
    expect({ code, err }).toEqual({ code: 7, err: 'murmure: others have newer messages\n' });
    using store = openSqliteStore(setting.home.storeFile);
    expect([store.countMessages(), store.peers()]).toEqual([0, []]);
  });

  test('sync downloads through it, and opens no peer and no key of its own', async () => {
    await using setting = await served((wish, tell) => {
      if (wish.type === 'sync.wanted') tell({ type: 'sync.finished', report: syncReport(wish.name) });
    });
    const { code, lines } = await run(['sync', 'bob', 'carol', ...setting.flags], { services: noNetwork });
    expect(code).toBe(0);
    expect(lines.map(({ peer, status }) => [peer, status])).toEqual([
      ['bob', 'unchanged'],
      ['carol', 'unchanged'],
    ]);
  });

  test('ping asks through it, and opens no peer that could take sessions away from it', async () => {
    const answers = [{ roundTripMs: 12 }, { roundTripMs: null }, { roundTripMs: 20 }];
    await using setting = await served((wish, tell) => {
      const { roundTripMs = null } = answers.shift() ?? {};
      const address = { ip: '192.0.2.9', port: 9 };
      if (wish.type !== 'ping.wanted') return;
      tell({
        type: 'ping.finished',
        peer: 'somebody else',
        address,
        authenticated: false,
        natTraversal: false,
        roundTripMs: 1,
      });
      tell({ type: 'ping.finished', peer: wish.name, address, authenticated: true, natTraversal: false, roundTripMs });
    });
    const { code, lines } = await run(['ping', 'bob', '--count', '3', ...setting.flags], { services: noNetwork });
    expect(code).toBe(0);
    expect(lines).toEqual([
      {
        ...{ peer: 'bob', address: { ip: '192.0.2.9', port: 9 }, authenticated: true, natTraversal: false, sent: 3 },
        ...{ roundTripsMs: [12, 20], minMs: 12, averageMs: 16, maxMs: 20 },
      },
    ]);
    expect(setting.asked).toEqual(Array(3).fill({ type: 'ping.wanted', name: 'bob' }));
  });

  test('ping asks several peers and the members of lists, each once, and ends as the worst of them did', async () => {
    const address = { ip: '192.0.2.9', port: 9 };
    await using setting = await served((wish, tell) => {
      if (wish.type !== 'ping.wanted') return;
      const silent = { failure: { code: 'peer-unreachable', message: 'it is silent' } } as const;
      const answer = { address, authenticated: true, natTraversal: false, roundTripMs: 5 };
      tell({ type: 'ping.finished', peer: wish.name, ...answer, ...(wish.name === 'bob' && silent) });
    });
    await run(['list', 'add', 'friends', 'bob', 'carol', '--force', ...setting.flags]);
    const { code, lines, err } = await run(['ping', '@friends', 'carol', '--count', '1', ...setting.flags]);
    expect(lines.map(({ peer, error }) => peer ?? error)).toEqual([
      'carol',
      { code: 'peer-unreachable', message: 'bob: it is silent' },
    ]);
    expect({ code, err }).toEqual({ code: 5, err: 'murmure: bob: it is silent\n' });
    expect(setting.asked).toEqual([
      { type: 'ping.wanted', name: 'bob' },
      { type: 'ping.wanted', name: 'carol' },
    ]);
  });

  test.each(['tree', 'trust', 'why'])(
    '%s is about one peer: a list is refused, and its members are named',
    async (command) => {
      await using setting = await served(() => {});
      await run(['list', 'add', 'friends', 'bob', 'carol', '--force', ...setting.flags]);
      const { code, err } = await run([command, '@friends', ...setting.flags]);
      expect(code).toBe(2);
      expect(err).toContain('name a member of the list, such as bob, carol');
      expect((await run([command, '@fiends', ...setting.flags])).code).toBe(4);
    },
  );

  test('ping fails as the peer says', async () => {
    await using setting = await served((wish, tell) => {
      if (wish.type !== 'ping.wanted') return;
      const failure = { code: 'peer-unreachable', message: 'it is silent' } as const;
      tell({
        type: 'ping.finished',
        peer: wish.name,
        address: null,
        authenticated: false,
        natTraversal: false,
        roundTripMs: null,
        failure,
      });
    });
    const { code, err } = await run(['ping', 'bob', ...setting.flags]);
    expect({ code, err }).toEqual({ code: 5, err: 'murmure: bob: it is silent\n' });
  });

  test('status says how it stands', async () => {
    await using setting = await served();
    const { code, lines } = await run(['status', ...setting.flags], { nowMs: () => Date.now() });
    expect(code).toBe(0);
    expect(lines).toMatchObject([
      {
        ...{ name: 'alice', runBy: 'serve', process: process.pid, publishing: true, error: null },
        directory: { url: DIRECTORY, status: 'connected', lastAnswer: '1970-01-01T00:00:01.000Z', error: null },
        sessions: [{ peer: 'bob', outgoing: [{ ip: '192.0.2.7', port: 4242 }], incoming: [] }],
        following: [{ peer: 'bob', state: 'idle', lastSync: '1970-01-01T00:00:05.000Z', error: null }],
      },
    ]);
    const { out } = await run(['status', '--home', setting.home.folder], { nowMs: () => 61_000 });
    expect(out).toContain(`directory  ${DIRECTORY} last answered 1 min ago`);
    expect(out).toContain('bob  idle  synced 56 s ago  asked again in 4 s');
  });

  test('why explains what it does', async () => {
    await using setting = await served();
    expect((await run(['why', 'bob', ...setting.flags])).lines).toMatchObject([{ sentences: ['It waits.'] }]);
  });

  test('why says first what is wrong, which the sessions have forgotten', async () => {
    await using setting = await served();
    const { peer } = setting;
    const lost = { code: 'peer-unreachable', message: 'bob did not answer Hello' } as const;
    const own = { code: 'peer-unreachable', message: 'nothing comes back over UDP' } as const;
    const bob = { peer: 'bob', state: 'silent', lastSyncMs: null, nextPollMs: null, failure: lost } as const;
    const status = { ...peer.status(), following: [bob], readers: [{ peer: 'bob', state: 'silent' } as const] };
    Object.assign(peer, { directory: { ...peer.directory, status: 'unlisted', failure: own }, status: () => status });
    expect((await run(['why', 'bob', ...setting.flags])).lines).toMatchObject([
      {
        actor: 'peer',
        state: 'silent',
        sentences: [
          'bob does not answer.',
          'The last download failed: bob did not answer Hello.',
          'bob reads from you: what you publish cannot be pushed to it.',
          'It may be because of your own connection: nothing comes back over UDP.',
        ],
      },
      { sentences: ['It waits.'] },
    ]);
  });

  test.each([
    ['--record', ['--record', 'run.jsonl'], /--record cannot be used here.*Leave it out, or stop/],
    [
      'another --directory',
      ['--directory', 'https://other.example'],
      /--directory cannot.*uses https:\/\/directory\.example/,
    ],
  ])('%s contradicts it: 2, and what to do', async (_what, flags, message) => {
    await using setting = await served(refusing);
    for (const argv of [['post', 'x'], ['sync', 'bob'], ['follow', 'bob', '--force'], ['status'], ['why', 'bob']]) {
      const { code, err } = await run([...argv, ...flags, ...setting.flags]);
      expect({ argv, code }).toEqual({ argv, code: 2 });
      expect(err).toMatch(message);
    }
    expect(setting.asked).toEqual([]);
  });

  test('the same --directory in other letters contradicts nothing, nor does another one in the environment variable that a flag beats', async () => {
    await using setting = await served();
    const same = ['--directory', 'https://DIRECTORY.example/'];
    expect((await run(['status', ...same, ...setting.flags])).code).toBe(0);
    const env = { MURMURE_DIRECTORY: 'https://other.example' };
    expect((await run(['status', ...same, ...setting.flags], { env })).code).toBe(0);
    const { code, err } = await run(['status', ...setting.flags], { env });
    expect(code).toBe(2);
    expect(err).toContain('MURMURE_DIRECTORY cannot be used here');
  });
});

describe('a peer that was killed', () => {
  test('leaves a file, which is noticed: commands work by themselves, and say nothing of it', async () => {
    const setting = await served();
    const file = readFileSync(setting.home.localApiFile);
    await setting[Symbol.asyncDispose]();
    writeFileSync(setting.home.localApiFile, file);
    const { code, err } = await run(['post', 'Hello.', '--quiet', ...setting.flags]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const status = await run(['status', ...setting.flags]);
    expect(status.code).toBe(2);
    expect(status.err).toContain('no murmure is running on');
  });

  test('is followed by a serve, whose file takes the place of that', async () => {
    const setting = await served();
    const file = readFileSync(setting.home.localApiFile);
    await setting[Symbol.asyncDispose]();
    writeFileSync(setting.home.localApiFile, file);
    const stop = new AbortController();
    let during: Buffer | undefined;
    const peer = fakePeer({ whenListed: async () => {} });
    const { code } = await run(['serve', '--directory', DIRECTORY, ...setting.flags], {
      ...peer,
      signal: stop.signal,
      onOutput: () => {
        during = readFileSync(setting.home.localApiFile);
        stop.abort(new StoppedError('SIGTERM'));
      },
    });
    expect(code).toBe(0);
    expect(during?.equals(file)).toBe(false);
    expect(existsSync(setting.home.localApiFile)).toBe(false);
  });
});

describe('serve', () => {
  const flags = ['--directory', DIRECTORY];

  test('a second one ends with 8, whatever it was to listen on', async () => {
    await using setting = await served();
    for (const udp of [[], ['--udp', '127.0.0.1:0']]) {
      const { code, err } = await run(['serve', ...udp, ...flags, ...setting.flags], fakePeer({}));
      expect(code).toBe(8);
      expect(err).toContain(`another murmure (process ${process.pid}) is already running`);
    }
  });

  test('beside a front end it prints what that does, and takes over when it ends', async () => {
    await using setting = await served(() => {}, 'front-end');
    const stop = new AbortController();
    let attachedOutput = '';
    const own = fakePeer({
      whenListed: async () => {},
      // biome-ignore lint/suspicious/noExplicitAny: a peer that is told apart by its root
      ...({ root: 'ee'.repeat(32) } as any),
    });
    const { code, lines, err } = await run(['serve', ...flags, ...setting.flags], {
      ...own,
      signal: stop.signal,
      onOutput: (text) => {
        if (text.includes('"ready"') && attachedOutput === '') {
          attachedOutput = text;
          // Not within the call that prints.
          setImmediate(() => setting.tell({ type: 'key.changed', name: 'bob' }));
        } else if (text.includes('"key.changed"') && !text.includes('ee'.repeat(32))) {
          void setting[Symbol.asyncDispose]();
        }
        if (text.includes('ee'.repeat(32))) stop.abort(new StoppedError('SIGTERM'));
      },
    });
    expect(code).toBe(0);
    expect(lines.map(({ event, root }) => [event, root?.slice(0, 2)])).toEqual([
      ['ready', 'ab'],
      ['key.changed', undefined],
      ['ready', 'ee'],
    ]);
    expect(err).toContain('runs the peer. This is what it does');
    expect(err).toContain('serve runs the peer now');
    expect(own.closed()).toBe(true);
  });

  test('beside a front end, a second one ends with 8 as well', async () => {
    await using setting = await served(() => {}, 'front-end');
    using _standby = lockStandby(setting.home);
    expect((await run(['serve', ...flags, ...setting.flags], fakePeer({}))).code).toBe(8);
  });

  test.each([
    ['--udp', '127.0.0.1:4242', 'which uses 192.0.2.7:4242'],
    ['--directory', 'https://other.example', `which uses ${DIRECTORY}`],
    ['--record', 'journal.jsonl', 'which was started without it'],
  ])('beside a front end, %s contradicts that: 2, and what to do', async (option, value, why) => {
    await using setting = await served(() => {}, 'front-end');
    const { code, err } = await run(['serve', ...flags, option, value, ...setting.flags], fakePeer({}));
    expect(code).toBe(2);
    expect(err).toContain(`${option} cannot be used here`);
    expect(err).toContain(why);
    expect(err).toContain('Leave it out, or stop that one first');
  });

  test('beside a front end, the address at which that listens is no contradiction', async () => {
    await using setting = await served(() => {}, 'front-end');
    for (const udp of ['192.0.2.7:4242', '192.0.2.7:0']) {
      const stop = new AbortController();
      const { code } = await run(['serve', ...flags, '--udp', udp, ...setting.flags], {
        ...fakePeer({}),
        signal: stop.signal,
        onOutput: (text) => void (text.includes('"ready"') && stop.abort(new StoppedError('SIGTERM'))),
      });
      expect(code).toBe(0);
    }
  });

  test('goes on where its file cannot be written, and says what is missing', async () => {
    const folder = await initHome();
    const { localApiFile } = homeAt(folder);
    mkdirSync(`${localApiFile}.part`);
    const stop = new AbortController();
    const { code, err } = await run(['serve', ...flags, '--home', folder, '--json'], {
      ...fakePeer({ whenListed: async () => {} }),
      signal: stop.signal,
      onOutput: (text) => void (text.includes('"ready"') && stop.abort(new StoppedError('SIGTERM'))),
    });
    expect(code).toBe(0);
    expect(err).toContain('other commands cannot act through this one');
  });
});
