/** What a directory does while it runs: for peers, for strangers, and when its registry fails. */
import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createDirectoryMetrics } from '../../../src/directory/directory-metrics.ts';
import type { Registry } from '../../../src/directory/registry.ts';
import { openSqliteRegistry } from '../../../src/directory/sqlite-registry.ts';
import { UdpSide } from '../../../src/directory/udp-side.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { createVerifier } from '../../../src/identity/verify.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createSystemRandom } from '../../../src/runtime/random.ts';
import { createUdpNetwork } from '../../../src/runtime/udp-network.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { eventually } from '../../support/eventually.ts';
import { ask, Speaker } from './speaker.ts';
import { start, textOf } from './started.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const verify = createVerifier({ maxKeys: 10 });

afterEach(() => {
  vi.useRealTimers();
});

describe('a directory', () => {
  test('answers Hello on each of its UDP addresses, under an empty name and its server key', async () => {
    const directory = await start({ udp: ['127.0.0.1:0', '127.0.0.1:0'] });
    const { body } = await ask(directory, '/server-key');
    expect(body.toString('base64').replace(/=+$/, '')).toBe(directory.serverKey);
    for (const address of directory.udp) {
      const alice = await Speaker.join('alice');
      await alice.sayHello(address);
      await eventually(() => expect(alice.heard).toHaveLength(1));
      const [{ datagram, signed, signature } = expect.unreachable()] = alice.heard;
      expect(datagram).toEqual({ type: 'HelloReply', id: 7, flags: 0, name: '' });
      expect(await verify(directory.serverKey, signed, signature as Uint8Array)).toBe(true);
    }
  });

  test('lists a peer that has registered and answers its Hello', async () => {
    const directory = await start();
    const keyPair = await generateKeyPair();
    const alice = await Speaker.join('alice', keyPair);
    await alice.enlist(directory);
    expect(await textOf(directory, '/peers/')).toBe('alice\n');
    expect(JSON.parse(await textOf(directory, '/peers/alice'))).toEqual({
      name: 'alice',
      addresses: [alice.address],
      key: keyPair.publicKey,
    });
    expect(await textOf(directory, '/metrics')).toContain('murmure_udp_events_total{kind="address.proven"} 1');
  });

  test('ignores a Hello that the registered key did not sign', async () => {
    const directory = await start();
    const alice = await Speaker.join('alice', await generateKeyPair());
    const mallory = await Speaker.join('alice', await generateKeyPair());
    await alice.register(directory);
    const ignored = new Promise<SocketAddress>((resolve) =>
      directory.on('hello.ignored', ({ address }) => resolve(address)),
    );
    await mallory.sayHello(directory.udp[0] as SocketAddress);
    expect(await ignored).toEqual(mallory.address);
    await alice.enlist(directory);
    expect(JSON.parse(await textOf(directory, '/peers/alice')).addresses).toEqual([alice.address]);
    expect(mallory.heard).toEqual([]);
  });

  test('a proof that mallory began while the name was free does not take it from alice, who was faster', async () => {
    const directory = await start();
    const [mallory, alice] = [await Speaker.join('alice'), await Speaker.join('alice', await generateKeyPair())];
    mallory.answersHello = false;
    await mallory.register(directory);
    await mallory.sayHello(directory.udp[0] as SocketAddress);
    const challengeOf = ({ heard }: Speaker) => heard.find(({ datagram }) => datagram.type === 'Hello')?.datagram;
    await eventually(() => expect(challengeOf(mallory)).toBeDefined());
    await alice.enlist(directory);
    const proven = new Promise<void>((resolve) => directory.on('address.proven', () => resolve()));
    const { id } = challengeOf(mallory) as { id: number };
    await mallory.send({ type: 'HelloReply', id, flags: 0, name: 'alice' }, directory.udp[0] as SocketAddress);
    await proven;
    expect(JSON.parse(await textOf(directory, '/peers/alice'))).toEqual({
      name: 'alice',
      addresses: [alice.address],
      key: alice.keyPair?.publicKey,
    });
  });

  test('tells its facts to who listens, until they do not', async () => {
    const directory = await start();
    const [all, some]: string[][] = [[], []];
    directory.on('*', ({ type }) => all?.push(type));
    const stop = directory.on('hello.answered', ({ name }) => some?.push(name));
    const alice = await Speaker.join('alice');
    await alice.sayHello(directory.udp[0] as SocketAddress);
    await eventually(() => expect(all).toEqual(['hello.answered']));
    stop();
    const bob = await Speaker.join('bob');
    await bob.sayHello(directory.udp[0] as SocketAddress);
    await eventually(() => expect(all).toHaveLength(2));
    expect(some).toEqual(['alice']);
  });

  test('limits the rate of requests as it is told', async () => {
    const directory = await start({ rate: { perSecond: 1e-6, burst: 2 } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask(directory, '/healthz')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('binds a name to its key for as many days as it is told', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const directory = await start({ bindingDays: 3 });
    await (await Speaker.join('alice', await generateKeyPair())).enlist(directory);
    const mallory = await Speaker.join('alice', await generateKeyPair());
    vi.advanceTimersByTime(3 * DAY_MS - 1);
    expect(String((await mallory.register(directory)).body)).toBe('add peer:bad key');
    vi.advanceTimersByTime(1);
    expect((await mallory.register(directory)).status).toBe(204);
  });

  test.each([
    ['100 days ahead', 100 * DAY_MS],
    ['8 hours back', -DAY_MS / 3],
  ])('a clock that is set %s sets no name free, and nobody is gone from the list', async (_, jumpMs) => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const directory = await start();
    const alice = await Speaker.join('alice', await generateKeyPair());
    await alice.enlist(directory);
    vi.setSystemTime(Date.now() + jumpMs);
    const mallory = await Speaker.join('alice', await generateKeyPair());
    expect(String((await mallory.register(directory)).body)).toBe('add peer:bad key');
    expect(JSON.parse(await textOf(directory, '/peers/alice')).addresses).toEqual([alice.address]);
  });
});

describe('a registry that fails, on a full disk say,', () => {
  const failing = (method: keyof Registry): Registry => ({
    ...openSqliteRegistry(':memory:'),
    [method]: () => {
      throw new Error(`${method}: the disk is full`);
    },
  });

  async function startUdp(registry: Registry): Promise<{ udp: UdpSide; errors: string[] }> {
    const errors: string[] = [];
    const logger = pino({ level: 'error' }, { write: (line) => void errors.push(JSON.parse(line).msg) });
    const keyPair = await generateKeyPair();
    const udp = new UdpSide({
      registry,
      binds: [{ ip: '127.0.0.1', port: 0 }],
      metrics: createDirectoryMetrics(),
      clock: systemClock,
      logger,
      environment: {
        random: createSystemRandom(),
        network: createUdpNetwork(),
        sign: (message) => keyPair.sign(message),
        verify,
      },
    });
    onTestFinished(() => udp.close());
    await udp.whenBound();
    return { udp, errors };
  }

  test('while an address is listed does not end the service', async () => {
    const registry = failing('prove');
    const { udp, errors } = await startUdp(registry);
    registry.register('alice', undefined, Date.now());
    await (await Speaker.join('alice')).sayHello(udp.addresses[0] as SocketAddress);
    await eventually(() => expect(errors).toEqual(['listing an address failed']));
    const bob = await Speaker.join('bob');
    await bob.sayHello(udp.addresses[0] as SocketAddress);
    await eventually(() => expect(bob.heard.map(({ datagram }) => datagram.type)).toEqual(['HelloReply']));
  });

  test('while a Hello is looked up does not end the service: that Hello stays unanswered', async () => {
    const registry = failing('candidateKeys');
    const { udp, errors } = await startUdp(registry);
    const alice = await Speaker.join('alice');
    await alice.sayHello(udp.addresses[0] as SocketAddress);
    await eventually(() => expect(errors).toEqual(['looking up who says Hello failed']));
    await alice.send({ type: 'RootRequest', id: 8 }, udp.addresses[0] as SocketAddress);
    await eventually(() =>
      expect(alice.heard.map(({ datagram }) => datagram)).toEqual([
        { type: 'Error', id: 8, text: 'no session: say Hello first' },
      ]),
    );
  });
});
