/** serve and directory. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StoppedError } from '../../../src/cli/errors.ts';
import { homeAt } from '../../../src/cli/home/home.ts';
import { lockHome } from '../../../src/cli/home/serve-lock.ts';
import type { DirectoryOptions } from '../../../src/index.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import { DIRECTORY, fakeDirectory, fakePeer, freshFolder, initHome, run } from './support.ts';

const ROOT = 'ab'.repeat(32);

/** Stops the run, as the signal would, once something was printed that matches. */
function stopWhen(pattern: RegExp, cause: 'SIGINT' | 'SIGTERM' = 'SIGTERM') {
  const stop = new AbortController();
  const onOutput = (text: string) => void (pattern.test(text) && stop.abort(new StoppedError(cause)));
  return { signal: stop.signal, onOutput };
}

describe('serve', () => {
  const flagsOf = async () => ['--home', await initHome(), '--directory', DIRECTORY, '--json'];
  const listed = { whenListed: async () => {} };

  test('a line once listed, and 0 when a service manager stops it', async () => {
    const peer = fakePeer(listed);
    const { code, lines, err } = await run(['serve', ...(await flagsOf())], { ...peer, ...stopWhen(/ready/) });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(lines).toEqual([{ event: 'ready', name: 'alice', udp: [{ ip: '192.0.2.7', port: 4242 }], root: ROOT }]);
    expect(peer.closed()).toBe(true);
  });

  test('130 when interrupted', async () => {
    expect(
      (await run(['serve', ...(await flagsOf())], { ...fakePeer(listed), ...stopWhen(/ready/, 'SIGINT') })).code,
    ).toBe(130);
  });

  test('"ready" comes first, whatever happens earlier; then a line per event', async () => {
    const peer = fakePeer({
      whenListed: async () => {
        peer.tell({ type: 'peer.listed', addresses: [] });
        peer.tell({
          type: 'error.received',
          from: { ip: '192.0.2.9', port: 9 },
          name: undefined,
          text: '\u001b[2Jgo\naway',
        });
      },
    });
    const { lines, err } = await run(['serve', ...(await flagsOf())], {
      ...peer,
      ...stopWhen(/error.received/),
      nowMs: () => 0,
    });
    expect(lines).toEqual([
      expect.objectContaining({ event: 'ready' }),
      { event: 'peer.listed', at: '1970-01-01T00:00:00.000Z', addresses: [] },
      { event: 'error.received', at: '1970-01-01T00:00:00.000Z', from: { ip: '192.0.2.9', port: 9 }, text: 'go\naway' },
    ]);
    expect(err).toBe('warning: 192.0.2.9:9 reports: go away\n');
  });

  test('a name that another key has is not tried again, and nobody is told so', async () => {
    const failure = { code: 'authentication', message: 'the name alice is taken' } as const;
    const peer = fakePeer({
      whenListed: async () => {
        peer.tell({ type: 'directory.unreachable', failure, retryInMs: 1000 });
        throw new MurmureError(failure.code, failure.message);
      },
    });
    const { code, err } = await run(['serve', ...(await flagsOf())], peer);
    expect(code).toBe(6);
    expect(err).not.toContain('next try');
  });

  test('goes on while the directory is unreachable, and says so', async () => {
    const peer = fakePeer({
      whenListed: async () => {
        const failure = { code: 'directory-unreachable', message: 'nobody answers' } as const;
        peer.tell({ type: 'directory.unreachable', failure, retryInMs: 2000 });
      },
    });
    const { code, lines, err } = await run(['serve', ...(await flagsOf())], { ...peer, ...stopWhen(/ready/) });
    expect(code).toBe(0);
    expect(err).toContain('nobody answers (it is tried again every few seconds)');
    // Before it is ready, since that may take for ever.
    expect(lines).toMatchObject([
      { event: 'directory.awaited', url: DIRECTORY },
      { event: 'directory.unreachable', failure: { message: 'nobody answers' } },
      { event: 'ready' },
    ]);
  });

  test('a name that belongs to another key: 6', async () => {
    const peer = fakePeer({
      whenListed: () => Promise.reject(new MurmureError('authentication', 'the name is taken')),
    });
    expect((await run(['serve', ...(await flagsOf())], peer)).code).toBe(6);
    expect(peer.closed()).toBe(true);
  });

  test('stopped before it is listed', async () => {
    const stop = new AbortController();
    const whenListed = () => {
      stop.abort(new StoppedError('SIGTERM'));
      return new Promise<never>(() => {});
    };
    const peer = fakePeer({ whenListed });
    expect((await run(['serve', ...(await flagsOf())], { ...peer, signal: stop.signal })).code).toBe(0);
  });

  test('--udp may be repeated, and may name a host', async () => {
    const peer = fakePeer(listed);
    const udp = ['--udp', '127.0.0.1:0', '--udp', '[::1]:5', '--udp', 'localhost:6'];
    await run(['serve', ...udp, ...(await flagsOf())], { ...peer, ...stopWhen(/ready/) });
    expect(peer.options().udp).toEqual(['127.0.0.1:0', '[::1]:5', expect.stringMatching(/^(127\.0\.0\.1|\[::1\]):6$/)]);
  });

  test('one per home: the second ends with 8, and says which process has it', async () => {
    const flags = await flagsOf();
    using _lock = lockHome(homeAt(flags[1] ?? ''));
    const { code, err } = await run(['serve', ...flags], fakePeer(listed));
    expect(code).toBe(8);
    expect(err).toContain(`(process ${process.pid})`);
  });
});

describe('the lock of a home', () => {
  test('can be taken again once it was let go', async () => {
    const home = homeAt(await initHome());
    lockHome(home)[Symbol.dispose]();
    using again = lockHome(home);
    expect(again).toBeDefined();
    expect(() => lockHome(home)).toThrow(/another murmure/);
  });
});

describe('directory', () => {
  const running = {
    url: 'https://127.0.0.1:8443',
    udp: [{ ip: '127.0.0.1', port: 8444 }],
    ca: '-----BEGIN CERTIFICATE-----',
    serverKey: 'K'.repeat(86),
  };

  test('a line when ready, with a certificate that --ca takes', async () => {
    const home = freshFolder();
    const { code, lines } = await run(['directory', '--home', home, '--json'], {
      services: fakeDirectory(running),
      ...stopWhen(/ready/),
    });
    const ca = join(home, 'directory-ca.pem');
    expect(code).toBe(0);
    expect(lines).toEqual([{ event: 'ready', ...running, ca }]);
  });

  test('hands its options on', async () => {
    const home = freshFolder();
    const seen: DirectoryOptions[] = [];
    const services = fakeDirectory(running, (options) => void seen.push(options));
    const argv = [
      'directory',
      '--listen',
      '0.0.0.0:1',
      '--udp',
      '127.0.0.1:2',
      '--udp',
      '[::1]:3',
      '--public-address',
      '192.0.2.1:2',
    ];
    await run([...argv, '--home', home], { services, ...stopWhen(/ready/, 'SIGINT') });
    expect(seen[0]).toMatchObject({
      home,
      listen: '0.0.0.0:1',
      udp: ['127.0.0.1:2', '[::1]:3'],
      publicAddresses: ['192.0.2.1:2'],
    });
    expect(existsSync(join(home, 'key.pem'))).toBe(false);
  });

  test('for a person: how to use it', async () => {
    const home = freshFolder();
    const { out } = await run(['directory', '--home', home], { services: fakeDirectory(running), ...stopWhen(/--ca/) });
    expect(out).toContain(`--directory ${running.url} --ca ${join(home, 'directory-ca.pem')}`);
  });
});
