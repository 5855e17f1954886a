/** Several directories on one registry, as peers meet them. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDirectory } from '../../../src/directory/create-directory.ts';
import type { Directory, DirectoryOptions } from '../../../src/directory/directory.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { eventually } from '../../support/eventually.ts';
import { type RedisServer, startRedis } from '../../support/redis-server.ts';
import { hasTool } from '../../support/tools.ts';
import { ask, Speaker } from './speaker.ts';
import { failureOf } from './support.ts';

const keyPair = await generateKeyPair();
const udpOf = ({ udp }: Directory) => udp[0] as SocketAddress;
const jsonAt = async (directory: Directory, path: string) => JSON.parse(String((await ask(directory, path)).body));
const textAt = async (directory: Directory, path: string) => String((await ask(directory, path)).body);

async function start(): Promise<RedisServer> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  return server;
}

async function join(server: RedisServer, options: DirectoryOptions = {}): Promise<Directory> {
  const directory = await createDirectory({ registry: server.url, keyPair, ...options });
  onTestFinished(() => directory.close());
  return directory;
}

describe.skipIf(!hasTool('redis-server'))('directories on one registry', () => {
  test('a peer that registers at one and proves its address to another is listed by all', async () => {
    const server = await start();
    const directories = [await join(server), await join(server), await join(server)];
    const [one, two] = directories as [Directory, Directory];
    const alice = await Speaker.join('alice', await generateKeyPair());
    expect((await alice.register(one)).status).toBe(204);
    await eventually(async () => {
      await alice.sayHello(udpOf(two));
      expect(await textAt(two, '/peers')).toBe('alice\n');
    });
    for (const directory of directories)
      await eventually(async () =>
        expect(await jsonAt(directory, '/peers/alice')).toEqual({
          name: 'alice',
          addresses: [alice.address],
          key: alice.keyPair?.publicKey,
        }),
      );
    const mallory = await Speaker.join('alice', await generateKeyPair());
    for (const directory of directories) expect((await mallory.register(directory)).status).toBe(400);
  });

  test('each tells of all that live, itself first; one that stops is told of no more', async () => {
    const server = await start();
    const one = await join(server);
    const two = await join(server);
    expect(await jsonAt(two, '/udp-address')).toEqual([udpOf(two), udpOf(one)]);
    await eventually(async () => expect(await jsonAt(one, '/udp-address')).toEqual([udpOf(one), udpOf(two)]));
    await two.close();
    await eventually(async () => expect(await jsonAt(one, '/udp-address')).toEqual([udpOf(one)]));
    const three = await join(server);
    expect(await jsonAt(three, '/udp-address')).toEqual([udpOf(three), udpOf(one)]);
  });

  test('a request to open a NAT goes through the instance that has proven the target', async () => {
    const server = await start();
    const one = await join(server);
    const two = await join(server);
    const [alice, bob] = [await Speaker.join('alice'), await Speaker.join('bob')];
    await alice.enlist(one);
    await bob.enlist(two);
    await eventually(async () => expect(await textAt(one, '/peers')).toBe('alice\nbob\n'));
    await eventually(async () => {
      await alice.send({ type: 'NatTraversalClient', id: 0, address: bob.address }, udpOf(one));
      const orders = bob.heard.map(({ datagram }) => datagram).filter(({ type }) => type === 'NatTraversalServer');
      expect(orders[0]).toEqual({ type: 'NatTraversalServer', id: 0, address: alice.address });
    });
  });

  test('without the engine: known peers register and are found, new ones are told when to come back, and /readyz says why', async () => {
    const server = await start();
    const directory = await join(server);
    const alice = await Speaker.join('alice', await generateKeyPair());
    await alice.enlist(directory);
    await eventually(async () => expect(await textAt(directory, '/peers')).toBe('alice\n'));
    expect(await textAt(directory, '/readyz')).toBe('ready\n');
    await server.kill();
    const bob = await Speaker.join('bob', await generateKeyPair());
    expect((await bob.register(directory)).status).toBe(503);
    expect((await alice.register(directory)).status).toBe(204);
    expect(await textAt(directory, '/peers')).toBe('alice\n');
    expect(await ask(directory, '/readyz')).toMatchObject({ status: 503 });
    expect(await textAt(directory, '/readyz')).toContain('no new name can be taken down, look-ups go on');
    expect((await ask(directory, '/healthz')).status).toBe(200);
    await server.start();
    await eventually(async () => expect((await bob.register(directory)).status).toBe(204));
    expect((await ask(directory, '/readyz')).status).toBe(200);
  });

  test('one that signs under another key is turned away, and told what to do', async () => {
    const server = await start();
    await join(server);
    const stranger = await generateKeyPair();
    const error = await failureOf(() => createDirectory({ registry: server.url, keyPair: stranger }));
    expect(error.message).toContain('copy directory-key.pem of one of them into this home');
  });
});
