/** watch, ping and doctor, with a real directory and a real peer on this machine. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { StoppedError } from '../../../src/cli/errors.ts';
import { homeAt } from '../../../src/cli/home/home.ts';
import {
  createDirectory,
  createPeer,
  type Directory,
  generateKeyPair,
  loadKeyFile,
  type Peer,
} from '../../../src/index.ts';
import { offerLocalApi } from '../../../src/local-api/server.ts';
import type { Network } from '../../../src/runtime/network.ts';
import { observeNetwork } from '../../../src/runtime/network-observer.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { encodeDatagram } from '../../../src/wire/datagram.ts';
import { eventually } from '../../support/eventually.ts';
import { fakeRunningPeer } from '../local-api/support.ts';
import { fetchTree, treeOfBodies } from '../store/support.ts';
import { fakePeer, freshFolder, initHome, type RunSettings, run, syncReport } from './support.ts';

const LOOPBACK = ['127.0.0.1:0'];
const services = { createDirectory, createPeer };

let directory: Directory;
let alice: Peer;
beforeAll(async () => {
  directory = await createDirectory({ listen: '127.0.0.1:0', udp: LOOPBACK });
  const { url, ca } = directory;
  const keyPair = await generateKeyPair();
  alice = await createPeer({
    name: 'alice',
    keyPair,
    store: openSqliteStore(':memory:'),
    directory: url,
    ca,
    udp: LOOPBACK,
  });
  await alice.whenListed();
});
afterAll(async () => {
  await alice.close();
  await directory.close();
});

let name: string;
let home: string;
let flags: string[];
let homes = 0;
beforeEach(async () => {
  // Each a stranger to alice, so that no test inherits a session.
  name = `bob ${homes++}`;
  home = await initHome(name);
  const ca = join(home, 'ca.pem');
  writeFileSync(ca, directory.ca ?? '');
  flags = ['--home', home, '--directory', directory.url, '--ca', ca];
});

describe('ping', () => {
  test('tells how long answers take, and from where', async () => {
    const ping = (...options: string[]) => run(['ping', 'alice', ...options, ...flags], { services });
    const [address] = alice.addresses;
    // A machine that is busy may have every request repeated, and then there is nothing to tell: another ping will do.
    await eventually(async () => {
      const { lines, code } = await ping('--count', '2', '--json');
      expect(code).toBe(0);
      expect(lines).toMatchObject([{ peer: 'alice', address, authenticated: true, natTraversal: false, sent: 2 }]);
      expect(lines[0]?.roundTripsMs.length).toBeGreaterThan(0);
    });
    await eventually(async () => {
      const { out } = await ping('--count', '1');
      expect(out).toMatch(/^alice at 127\.0\.0\.1:\d+, reached directly\n1 of 1 request answered without repetition: /);
    });
  });

  test('downloads nothing', async () => {
    alice.post('not for ping');
    await run(['ping', 'alice', '--count', '1', ...flags], { services });
    expect((await run(['tree', 'alice', '--home', home])).code).toBe(4);
  });

  test('somebody who is not there: 4; oneself: 2', async () => {
    expect((await run(['ping', 'nobody', ...flags], { services })).code).toBe(4);
    expect((await run(['ping', name, ...flags], { services })).code).toBe(2);
  });

  test('somebody who does not answer: 5', async () => {
    const error = { code: 'peer-unreachable', message: 'silence' } as const;
    const peer = fakePeer({ sync: async (name) => syncReport(name, { status: 'failed', error }) });
    const { code, err } = await run(['ping', 'alice', ...flags], peer);
    expect(code).toBe(5);
    expect(err).toContain('alice: silence');
  });

  test('knows a repeated request from an answered one, and sees the directory asked to open a NAT', async () => {
    let now = 0;
    const [server, here] = [
      { ip: '192.0.2.1', port: 1 },
      { ip: '192.0.2.2', port: 2 },
    ];
    let receive: Parameters<Network['open']>[1] = () => {};
    const network: Network = {
      open: async (_bind, onArrivals) => {
        receive = onArrivals;
        return { address: here, send: () => {}, close: () => {} };
      },
    };
    const observed = observeNetwork(network, () => now);
    const socket = await observed.network.open(
      here,
      () => {},
      () => {},
    );
    const ask = (id: number) => socket.send(encodeDatagram({ type: 'RootRequest', id }), server);
    const answer = (id: number) =>
      receive([{ bytes: encodeDatagram({ type: 'Root', id, hash: 'ab'.repeat(32) }), from: server }]);
    ask(1);
    now = 5;
    answer(1);
    ask(2);
    ask(2);
    now = 9;
    answer(2);
    answer(3);
    expect(observed.roundTrips).toEqual([{ from: server, ms: 5 }]);
    expect(observed.traversed).toBe(false);
    socket.send(encodeDatagram({ type: 'NatTraversalClient', id: 0, address: here }), server);
    expect(observed.traversed).toBe(true);
  });
});

describe('watch', () => {
  /** Stops once something was printed that matches. */
  function until(pattern: RegExp, cause: 'SIGINT' | 'SIGTERM' = 'SIGTERM'): Pick<RunSettings, 'signal' | 'onOutput'> {
    const stop = new AbortController();
    const onOutput = (text: string) => void (pattern.test(text) && stop.abort(new StoppedError(cause)));
    return { signal: stop.signal, onOutput };
  }
  const json = () => ['--json', ...flags];

  test('without a serve, downloads by itself, and prints what arrives', async () => {
    await run(['follow', 'alice', '--home', home]);
    const first = alice.post('while nobody looks').hash;
    const stop = until(/pushed/);
    const timer = setInterval(() => void alice.post('pushed'), 1_000);
    const { lines, code } = await run(['watch', ...json()], { services, ...stop });
    clearInterval(timer);
    expect(code).toBe(0);
    expect(lines.map(({ hash }) => hash)).toContain(first);
    expect(lines.at(-1)).toMatchObject({ author: 'alice', body: 'pushed', authenticated: true });
  });

  test('a peer that is named need not be followed', async () => {
    alice.post('for whoever looks');
    const { lines } = await run(['watch', 'alice', ...json()], { services, ...until(/whoever/) });
    expect(lines.map(({ body }) => body)).toContain('for whoever looks');
    expect((await run(['following', '--home', home, '--json'])).lines).toEqual([]);
  });

  test('beside a serve it looks on, at everyone who is not muted, and has those downloaded who are named', async () => {
    await run(['mute', 'carol', '--home', home]);
    const running = fakeRunningPeer();
    const file = homeAt(home).localApiFile;
    await using _api = await offerLocalApi({ ...running, file, runBy: 'serve', directoryUrl: directory.url });
    using store = openSqliteStore(homeAt(home).storeFile);
    fetchTree(store, 'dave', treeOfBodies('before'));
    // Again and again, so that some come while it watches, however long that takes to begin.
    const coming = (feed: string, first: string, next: string) => {
      const bodies = [first];
      const timer = setInterval(() => {
        fetchTree(store, 'carol', treeOfBodies('muted'));
        fetchTree(store, feed, treeOfBodies(...bodies));
        bodies.push(`${next} ${bodies.length}`);
      }, 200);
      return () => clearInterval(timer);
    };
    const stopDave = coming('dave', 'before', 'after');
    const { lines, code } = await run(['watch', '--home', home, '--json'], until(/after/, 'SIGINT'));
    stopDave();
    expect(code).toBe(130);
    expect(lines).not.toEqual([]);
    for (const { body } of lines) expect(body).toMatch(/^after/);
    const stopCarol = coming('carol', 'muted', 'named');
    const named = await run(['watch', 'carol', '--home', home], until(/named/));
    stopCarol();
    expect(named.out).toContain('named');
    expect(running.asked).toContainEqual({ type: 'sync.wanted', name: 'carol' });
  });

  test('with --timeout it ends after that time, which is no failure', async () => {
    const { code, err } = await run(['watch', 'alice', ...flags, '--timeout', '1'], { services });
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('what cannot be downloaded is said, and it goes on', async () => {
    const { code, err } = await run(['watch', 'nobody', ...flags], { services, ...until(/nobody: /) });
    expect(code).toBe(0);
    expect(err).toContain('knows no peer nobody');
  });

  test('without a directory and without a serve there is nothing to come: 2', async () => {
    expect((await run(['watch', '--home', home])).code).toBe(2);
  });
});

test('what is withdrawn beside a running peer is withdrawn at who follows', async () => {
  const author = `carol ${homes}`;
  const theirHome = await initHome(author);
  const post = (text: string) => run(['post', text, '--home', theirHome, '--json']);
  await post('stays');
  const { hash } = (await post('goes')).lines[0] ?? {};
  using store = openSqliteStore(homeAt(theirHome).storeFile);
  const keyPair = await loadKeyFile(homeAt(theirHome).keyFile);
  const access = { directory: directory.url, ca: directory.ca };
  await using carol = await createPeer({ name: author, keyPair, store, udp: LOOPBACK, ...access });
  await carol.whenListed();

  const sync = async () => (await run(['sync', author, '--json', ...flags], { services })).lines[0];
  expect(await sync()).toMatchObject({ newMessages: 2, withdrawnMessages: 0 });
  const noticed = new Promise<void>((resolve) => void carol.on('root.published', () => resolve()));
  await run(['withdraw', hash, '--home', theirHome]);
  await noticed;
  expect(await sync()).toMatchObject({ newMessages: 0, withdrawnMessages: 1, totalMessages: 1 });
  const { lines } = await run(['timeline', '--home', home, '--json']);
  expect(lines.map(({ body }) => body)).toEqual(['stays']);
});

test('the demo', async () => {
  const { lines, code } = await run(['demo', '--json'], { services });
  expect(code).toBe(0);
  expect(lines.length).toBeGreaterThan(5);
});

describe('doctor', () => {
  const statuses = (lines: readonly Record<string, unknown>[]) =>
    Object.fromEntries(lines.map(({ check, status }) => [check, status]));

  test('when all is well: 0', async () => {
    const { lines, code } = await run(['doctor', '--json', ...flags], { services });
    const { ipv4, ipv6, ...others } = statuses(lines);
    expect(others).toEqual({
      node: 'ok',
      date: 'ok',
      home: 'ok',
      key: 'ok',
      publishing: 'ok',
      database: 'ok',
      certificate: 'ok',
      directory: 'ok',
      clock: 'ok',
      udp: 'ok',
    });
    expect(['ok', 'failed']).toContain(ipv4);
    expect(['ok', 'failed']).toContain(ipv6);
    expect(code === 0 || ipv4 === 'failed' || ipv6 === 'failed').toBe(true);
  });

  test('nothing there yet: what fails says what to do, what depends on it is skipped', async () => {
    const { lines, code } = await run(['doctor', '--json', '--home', freshFolder()]);
    expect(code).toBe(2);
    expect(statuses(lines)).toMatchObject({ home: 'failed', key: 'failed', database: 'failed', udp: 'skipped' });
    for (const { status, advice } of lines) if (status === 'failed') expect(advice).toMatch(/\S/);
  });

  test('a key that others can read, or that is damaged', async () => {
    const { chmodSync } = await import('node:fs');
    chmodSync(join(home, 'key.pem'), 0o644);
    const { out, code } = await run(['doctor', ...flags], { services });
    expect(code).toBe(1);
    expect(out).toContain('chmod 600');
    writeFileSync(join(home, 'key.pem'), 'nonsense');
    expect((await run(['doctor', ...flags], { services })).code).toBe(7);
  });

  test('a database that is none', async () => {
    writeFileSync(join(home, 'store.db'), 'nonsense '.repeat(1_000));
    const { lines, code } = await run(['doctor', '--json', ...flags], { services });
    expect(code).toBe(7);
    expect(statuses(lines)).toMatchObject({ database: 'failed', udp: 'ok' });
  });

  test('a certificate that is not trusted', async () => {
    const { lines, code } = await run(['doctor', '--json', '--home', home, '--directory', directory.url]);
    expect(code).toBe(3);
    expect(statuses(lines)).toMatchObject({ certificate: 'failed', directory: 'skipped', udp: 'skipped' });
    expect(lines.find(({ check }) => check === 'certificate')?.advice).toContain('--ca');
  });

  /** A directory with a certificate of its own, and what `doctor` finds about it. */
  async function diagnose(dates: { notBeforeDate?: Date; notAfterDate?: Date }, host: string, date?: string) {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'own' }], {
      ...{ keyType: 'ec', algorithm: 'sha256', ...dates },
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
    });
    const server = createServer({ cert, key }, (_, response) =>
      (date === undefined ? response : response.setHeader('date', date)).end('[{"ip":"127.0.0.1","port":1}]'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    writeFileSync(join(home, 'own.pem'), cert);
    const url = `https://localhost:${(server.address() as AddressInfo).port}`;
    const { lines } = await run([
      'doctor',
      '--json',
      '--home',
      home,
      '--directory',
      url,
      '--ca',
      join(home, 'own.pem'),
    ]);
    return Object.fromEntries(lines.map(({ check, ...finding }) => [check, finding]));
  }

  test.each([
    [
      'is for another host',
      {},
      'elsewhere.example',
      'its certificate is for another host name',
      'use a host name that it was made for (elsewhere.example)',
    ],
    [
      'begins in the future',
      { notBeforeDate: new Date('2100-01-01'), notAfterDate: new Date('2101-01-01') },
      'localhost',
      'its certificate is not valid yet',
      `check this computer's clock, which says ${new Date().toISOString().slice(0, 10)}`,
    ],
  ])(
    'a certificate that %s: the real cause, rather than advice to trust it',
    async (_, dates, host, detail, advice) => {
      const { certificate, directory: answer, clock } = await diagnose(dates, host);
      expect(certificate).toEqual({ status: 'failed', detail: expect.stringContaining(detail), advice });
      expect([answer?.status, clock?.status]).toEqual(['skipped', 'skipped']);
    },
  );

  test('a clock that differs from the directory’s: what both say', async () => {
    const { certificate, directory: answer, clock } = await diagnose({}, 'localhost', 'Thu, 01 Jan 2099 00:00:00 GMT');
    expect([certificate?.status, answer?.status, clock?.status]).toEqual(['ok', 'ok', 'failed']);
    expect(clock?.detail).toMatch(/^this clock says \S+Z, the directory's 20(98-12-31|99-01-01)T\S+Z$/);
    expect(clock?.advice).toContain('set the clock');
  });

  test('a directory that is not there', async () => {
    const { lines, code } = await run(['doctor', '--json', '--home', home, '--directory', 'https://127.0.0.1:1']);
    expect(code).toBe(3);
    expect(statuses(lines)).toMatchObject({ certificate: 'skipped', directory: 'failed', udp: 'skipped' });
  });

  test('a home that is a file', async () => {
    rmSync(home, { recursive: true });
    mkdirSync(join(home, '..'), { recursive: true });
    writeFileSync(home, '');
    expect((await run(['doctor', '--json', '--home', home])).code).toBe(7);
  });
});
