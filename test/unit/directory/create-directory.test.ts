/** How a directory starts, what it keeps, and how it closes. */
import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../../src/directory/certificate.ts';
import { createDirectory } from '../../../src/directory/create-directory.ts';
import type { Directory } from '../../../src/directory/directory.ts';
import { fileNames } from '../../../src/directory/file-names.ts';
import { generateKeyPair } from '../../../src/identity/key-pair.ts';
import { formatAddress, type SocketAddress } from '../../../src/wire/socket-address.ts';
import { eventually } from '../../support/eventually.ts';
import { Speaker } from './speaker.ts';
import { start, textOf } from './started.ts';
import { failureOf, freshFolder } from './support.ts';

const udpAddressesOf = async (directory: Directory) => JSON.parse(await textOf(directory, '/udp-address'));

/** Fails if somebody has one of the ports. */
async function expectFree(directory: { url: string; udp: readonly SocketAddress[] }): Promise<void> {
  await eventually(async () => {
    await bindTcp(Number(new URL(directory.url).port));
    for (const { ip, port } of directory.udp) await bindUdp(ip, port);
  });
}

async function bindTcp(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  await new Promise((resolve) => server.close(resolve));
}

async function bindUdp(ip: string, port: number): Promise<void> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4').bind(port, ip);
  await once(socket, 'listening');
  await new Promise<void>((resolve) => socket.close(resolve));
}

/** A port of each kind that was free a moment ago. */
async function freePorts(): Promise<{ url: string; udp: SocketAddress[] }> {
  const directory = await createDirectory({ udp: ['127.0.0.1:0', '127.0.0.1:0'] });
  await directory.close();
  return { url: directory.url, udp: [...directory.udp] };
}

describe('a directory', () => {
  test('binds any free ports and tells which', async () => {
    const directory = await start();
    expect(directory.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    expect(directory.udp).toEqual([{ ip: '127.0.0.1', port: expect.toSatisfy((port) => port > 0) }]);
    expect(await textOf(directory, '/healthz')).toBe('ok\n');
    expect(await udpAddressesOf(directory)).toEqual(directory.udp);
  });

  test('binds several UDP addresses, IPv4 and IPv6, and tells IPv4 first', async ({ skip }) => {
    const interfaces = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    skip(!interfaces.some(({ address }) => address === '::1'), 'this machine has no IPv6');
    const directory = await start({ listen: 'localhost:0', udp: ['[::1]:0', '127.0.0.1:0', 'localhost:0'] });
    expect(directory.udp.map(({ ip }) => ip)).toEqual(['127.0.0.1', '127.0.0.1', '::1']);
    expect(new Set(directory.udp.map(formatAddress)).size).toBe(3);
    expect(await udpAddressesOf(directory)).toEqual(directory.udp);
  });
});

describe('the URL', () => {
  const at = (directory: Directory) => new URL(directory.url).host.replace(/:\d+$/, '');

  test('names the public address where the directory listens everywhere, and the certificate is for it', async () => {
    const directory = await start({ listen: '0.0.0.0:0', publicAddresses: ['203.0.113.7:8443'] });
    expect(at(directory)).toBe('203.0.113.7');
    expect(new X509Certificate(directory.ca).checkIP('203.0.113.7')).toBe('203.0.113.7');
  });

  test('names the address of the UDP side where that alone says where the directory is', async () => {
    const directory = await start({ listen: '0.0.0.0:0', udp: ['127.0.0.2:0'] });
    expect(at(directory)).toBe('127.0.0.2');
    expect(new X509Certificate(directory.ca).checkIP('127.0.0.2')).toBe('127.0.0.2');
  });

  test('names the host that the certificate is for, if it is not for the address', async () => {
    const certificate = await selfSignedCertificate(['directory.example']);
    const directory = await start({ listen: '0.0.0.0:0', publicAddresses: ['203.0.113.7:8443'], certificate });
    expect(at(directory)).toBe('directory.example');
  });
});

describe('public addresses', () => {
  test('are what /udp-address tells, IPv4 first, whatever is bound', async () => {
    const directory = await start({ publicAddresses: ['[2001:DB8::1]:8443', '192.0.2.1:8443', '192.0.2.2:1'] });
    expect(await udpAddressesOf(directory)).toEqual([
      { ip: '192.0.2.1', port: 8443 },
      { ip: '192.0.2.2', port: 1 },
      { ip: '2001:db8::1', port: 8443 },
    ]);
    expect(directory.udp.map(({ ip }) => ip)).toEqual(['127.0.0.1']);
  });

  test('are named in the certificate that it makes', async () => {
    const certificate = new X509Certificate((await start({ publicAddresses: ['192.0.2.1:8443'] })).ca);
    expect(['192.0.2.1', '127.0.0.1', '192.0.2.2'].map((ip) => certificate.checkIP(ip))).toEqual([
      '192.0.2.1',
      '127.0.0.1',
      undefined,
    ]);
  });
});

describe('the certificate', () => {
  test('is the operator’s, if there is one', async () => {
    const certificate = await selfSignedCertificate([]);
    const directory = await start({ certificate });
    expect(directory.ca).toBe(certificate.cert);
    expect(await textOf(directory, '/healthz')).toBe('ok\n');
  });

  test('that does not fit its key keeps the directory from starting', async () => {
    const [{ cert }, { key }] = [await selfSignedCertificate([]), await selfSignedCertificate([])];
    const error = await failureOf(() => start({ certificate: { cert, key } }));
    expect(error).toMatchObject({ code: 'invalid-data', message: expect.stringContaining('do not belong together') });
  });
});

describe('a directory that cannot start', () => {
  test.each([
    [{ listen: 'nowhere' }, 'nowhere is not an address for HTTPS: '],
    [{ listen: '127.0.0.1:65536' }, '127.0.0.1:65536 is not an address for HTTPS: '],
    [{ udp: ['127.0.0.1:0', '127.0.0.1'] }, '127.0.0.1 is not an address for UDP: '],
    [{ publicAddresses: ['directory.example:80'] }, 'directory.example:80 is not an address for UDP: '],
  ])('%j: which address, and why', async (options, message) => {
    const error = await failureOf(() => start(options));
    expect([error.code, error.message]).toEqual(['usage', expect.stringContaining(message)]);
  });

  test('because its HTTPS port is in use says which, and releases everything', async () => {
    const other = await start();
    const { udp, url } = await freePorts();
    const { host } = new URL(other.url);
    const error = await failureOf(() => start({ listen: host, udp: udp.map(formatAddress) }));
    expect(error.message).toContain(`${host} is in use by another program: choose another port`);
    await expectFree({ url, udp });
  });

  test('because a UDP port is in use says which, and releases everything', async () => {
    const taken = formatAddress((await start()).udp[0] as SocketAddress);
    const { udp, url } = await freePorts();
    const [before, after] = udp.map(formatAddress) as [string, string];
    const error = await failureOf(() => start({ listen: new URL(url).host, udp: [before, taken, after] }));
    expect(error.message).toContain(`UDP ${taken} cannot be listened on: the port is in use;`);
    await expectFree({ url, udp });
  });

  test('because of one and the same UDP address twice says so', async () => {
    const { udp, url } = await freePorts();
    const address = formatAddress(udp[0] as SocketAddress);
    const error = await failureOf(() => start({ udp: [address, address] }));
    expect(error.message).toContain(`UDP ${address} cannot be listened on: the port is in use;`);
    await expectFree({ url, udp });
  });

  test('because its registry is damaged says where it lies, and binds nothing', async () => {
    const home = freshFolder();
    const { udp, url } = await freePorts();
    const file = join(home, fileNames.registry);
    writeFileSync(file, 'no database at all\n'.repeat(100));
    const error = await failureOf(() => start({ home, listen: new URL(url).host, udp: udp.map(formatAddress) }));
    expect(error).toMatchObject({
      code: 'invalid-data',
      message: expect.stringContaining(`the registry ${file} is damaged`),
    });
    await expectFree({ url, udp });
  });

  test('can start in the same home once the reason is gone', async () => {
    const home = freshFolder();
    const other = await start();
    await failureOf(() => start({ home, listen: new URL(other.url).host }));
    await (await Speaker.join('alice')).enlist(await start({ home }));
  });

  test('because its home is no folder, and cannot be one, says so', async () => {
    const file = join(freshFolder(), 'file');
    writeFileSync(file, '');
    for (const home of [file, join(file, 'home')]) {
      const error = await failureOf(() => start({ home }));
      expect(error.message).toContain(`the folder ${home} cannot be created: `);
    }
  });
});

describe('closing', () => {
  test('releases the ports; and twice is as once', async () => {
    const directory = await start({ udp: ['127.0.0.1:0', '127.0.0.1:0'] });
    const { url, udp } = directory;
    expect(udp).toHaveLength(2);
    await Promise.all([directory.close(), directory.close()]);
    await directory.close();
    await expectFree({ url, udp });
  });

  test('happens at the end of `await using`, also when something is thrown', async () => {
    let released: Directory | undefined;
    const use = async () => {
      await using directory = await createDirectory();
      released = directory;
      expect(await textOf(directory, '/healthz')).toBe('ok\n');
      throw new Error('thrown inside');
    };
    await expect(use()).rejects.toThrow('thrown inside');
    await expectFree(released as Directory);
  });

  test('does not wait for a proof that is under way', async () => {
    const directory = await start();
    const alice = await Speaker.join('alice');
    alice.answersHello = false;
    await alice.register(directory);
    await alice.sayHello(directory.udp[0] as SocketAddress);
    await eventually(() => expect(alice.heard.map(({ datagram }) => datagram.type)).toContain('Hello'));
    await directory.close();
    await expectFree(directory);
  });
});

describe('a home', () => {
  test('keeps registry, certificate and key: a directory that is restarted knows its peers, and they know it', async () => {
    const home = join(freshFolder(), 'new', 'home');
    const alice = await Speaker.join('alice', await generateKeyPair());
    const first = await start({ home });
    await alice.enlist(first);
    const listed = await textOf(first, '/peers/alice');
    await first.close();

    const second = await start({ home });
    expect([second.ca, second.serverKey]).toEqual([first.ca, first.serverKey]);
    expect(await textOf(second, '/peers')).toBe('alice\n');
    expect(await textOf(second, '/peers/alice')).toBe(listed);
    const mallory = await Speaker.join('alice', await generateKeyPair());
    expect(String((await mallory.register(second)).body)).toBe('add peer:bad key');
  });

  test('is for one directory at a time: a second one is refused, and takes it over once the first is closed', async () => {
    const home = freshFolder();
    const first = await start({ home });
    const error = await failureOf(() => start({ home }));
    expect([error.code, error.message]).toEqual([
      'in-use',
      `another directory (process ${process.pid}) runs on ${home}: stop it first, or use another home`,
    ]);
    expect(await textOf(first, '/healthz')).toBe('ok\n');
    await first.close();
    await start({ home });
  });

  test('has secrets that nobody else may read', async () => {
    const home = join(freshFolder(), 'home');
    await start({ home });
    const modeOf = (file: string) => (statSync(join(home, file)).mode & 0o777).toString(8);
    const { signingKey, tlsKey, registry, lock } = fileNames;
    const secrets = [signingKey, tlsKey, registry, `${registry}-wal`, lock, `${lock}.pid`];
    expect(secrets.map(modeOf)).toEqual(secrets.map(() => '600'));
    expect(modeOf('.')).toBe('700');
    expect(readFileSync(join(home, fileNames.certificate), 'utf8')).not.toContain('PRIVATE');
  });

  test('is made also where certificate and key are given: nothing but the registry is kept there then', async () => {
    const home = join(freshFolder(), 'home');
    const keyPair = await generateKeyPair();
    const directory = await start({ home, keyPair, certificate: await selfSignedCertificate([]) });
    expect(directory.serverKey).toBe(keyPair.publicKey);
    const { registry, lock, ...others } = fileNames;
    for (const file of [registry, lock]) expect(existsSync(join(home, file)), file).toBe(true);
    for (const file of Object.values(others)) expect(existsSync(join(home, file)), file).toBe(false);
  });

  test('without one each start is a new directory', async () => {
    const [a, b] = [await start(), await start()];
    expect(a.ca).not.toBe(b.ca);
    expect(a.serverKey).not.toBe(b.serverKey);
  });
});
