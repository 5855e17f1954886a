import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../src/runtime/network.ts';
import { SourceAddresses } from '../../../src/runtime/source-addresses.ts';
import { createUdpNetwork } from '../../../src/runtime/udp-network.ts';
import { MurmureError } from '../../../src/wire/murmure-error.ts';
import type { SocketAddress } from '../../../src/wire/socket-address.ts';
import { eventually } from '../../support/eventually.ts';

const network = createUdpNetwork();
const opened: DatagramSocket[] = [];

interface Ear {
  readonly socket: DatagramSocket;
  readonly heard: { readonly bytes: Uint8Array; readonly from: SocketAddress }[];
  readonly errors: string[];
  /** Addresses that the system refuses to send to. */
  readonly refused: (SocketAddress | undefined)[];
}

async function listen(bind: SocketAddress): Promise<Ear> {
  const heard: Ear['heard'] = [];
  const errors: string[] = [];
  const refused: Ear['refused'] = [];
  const socket = await network.open(
    bind,
    (arrivals) => heard.push(...arrivals),
    (why, to) => {
      errors.push(why);
      refused.push(to);
    },
  );
  opened.push(socket);
  return { socket, heard, errors, refused };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const reported = ({ errors }: Ear) => eventually(() => expect(errors).toHaveLength(1));
const bindFailure = (bind: SocketAddress): Promise<MurmureError> =>
  listen(bind).then(
    () => expect.unreachable('it was bound'),
    (error) => error,
  );

afterEach(() => {
  for (const socket of opened.splice(0)) socket.close();
});

describe.each([
  ['IPv4', '127.0.0.1'],
  ['IPv6', '::1'],
])('%s', (_, ip) => {
  test('binds any free port and says which', async () => {
    const { socket } = await listen({ ip, port: 0 });
    expect(socket.address).toEqual({ ip, port: expect.toSatisfy((port) => port > 0) });
  });

  test('carries datagrams of every size, unchanged, one call each', async () => {
    const [a, b] = [await listen({ ip, port: 0 }), await listen({ ip, port: 0 })];
    const sent = [0, 1, 7, 1_500, 65_000].map((size) => Uint8Array.from({ length: size }, (_, i) => i % 251));
    for (const bytes of sent) a.socket.send(bytes, b.socket.address);
    await eventually(() => expect(b.heard).toHaveLength(sent.length));
    expect(b.heard.map(({ bytes }) => hex(bytes))).toEqual(sent.map(hex));
    expect(a.errors).toEqual([]);
  });

  test('names a source by one and the same object', async () => {
    const [a, b] = [await listen({ ip, port: 0 }), await listen({ ip, port: 0 })];
    for (let i = 0; i < 3; i++) a.socket.send(Uint8Array.of(i), b.socket.address);
    await eventually(() => expect(b.heard).toHaveLength(3));
    expect(b.heard[0]?.from).toEqual(a.socket.address);
    expect(new Set(b.heard.map(({ from }) => from)).size).toBe(1);
  });

  test('a source can be answered as it is named', async () => {
    const [a, b] = [await listen({ ip, port: 0 }), await listen({ ip, port: 0 })];
    a.socket.send(Uint8Array.of(1), b.socket.address);
    await eventually(() => expect(b.heard).toHaveLength(1));
    b.socket.send(Uint8Array.of(2), b.heard[0]?.from as SocketAddress);
    await eventually(() => expect(a.heard.map(({ bytes }) => [...bytes])).toEqual([[2]]));
  });

  test('an address in use: which one, and what to do', async () => {
    const { socket } = await listen({ ip, port: 0 });
    const error = await bindFailure(socket.address);
    expect(error).toBeInstanceOf(MurmureError);
    expect(error.code).toBe('unexpected');
    expect(error.message).toContain(`:${socket.address.port} cannot be listened on: the port is in use;`);
  });

  test.each([0, -1, 65_536, Number.NaN])('port %d as a destination is reported, not thrown', async (port) => {
    const ear = await listen({ ip, port: 0 });
    ear.socket.send(Uint8Array.of(1), { ip, port });
    expect(ear.errors).toEqual([expect.stringContaining(`${port} is not a port to send to`)]);
    expect(ear.refused).toEqual([{ ip, port }]);
  });

  test('a datagram that is too large is reported', async () => {
    const ear = await listen({ ip, port: 0 });
    ear.socket.send(new Uint8Array(70_000), ear.socket.address);
    await reported(ear);
    expect(ear.errors[0]).toMatch(/^a datagram to .+ could not be sent: it is too large \(EMSGSIZE\)$/);
    expect(ear.refused).toEqual([undefined]);
  });

  test('an unreadable destination is reported', async () => {
    const ear = await listen({ ip, port: 0 });
    ear.socket.send(Uint8Array.of(1), { ip: ip.includes(':') ? 'nowhere::x' : 'nowhere', port: 9 });
    await reported(ear);
  });

  test('nobody listening there harms nobody', async () => {
    const [ear, gone] = [await listen({ ip, port: 0 }), await listen({ ip, port: 0 })];
    gone.socket.close();
    for (let i = 0; i < 3; i++) ear.socket.send(Uint8Array.of(1), gone.socket.address);
    ear.socket.send(Uint8Array.of(2), ear.socket.address);
    await eventually(() => expect(ear.heard).toHaveLength(1));
  });

  test('closed: nothing is sent, received or reported, and the port is free again', async () => {
    const [a, b] = [await listen({ ip, port: 0 }), await listen({ ip, port: 0 })];
    a.socket.send(Uint8Array.of(1), b.socket.address);
    a.socket.send(new Uint8Array(70_000), b.socket.address);
    a.socket.close();
    b.socket.close();
    a.socket.close();
    a.socket.send(Uint8Array.of(1), b.socket.address);
    a.socket.send(Uint8Array.of(1), { ip, port: 0 });
    const again = await listen(b.socket.address);
    expect(again.socket.address).toEqual(b.socket.address);
    expect([a.errors, b.heard]).toEqual([[], []]);
  });

  test('says how large a receive buffer the system has given', async () => {
    const { socket } = await listen({ ip, port: 0 });
    expect(socket.receiveBufferBytes).toBeGreaterThanOrEqual(64 * 1_024);
  });

  test('a thousand datagrams at once arrive all: the buffers are large enough', async () => {
    const [a, b] = [await listen({ ip, port: 0 }), await listen({ ip, port: 0 })];
    const bytes = new Uint8Array(300);
    for (let i = 0; i < 1_000; i++) a.socket.send(bytes, b.socket.address);
    await eventually(() => expect(b.heard).toHaveLength(1_000));
    expect(a.errors).toEqual([]);
  });
});

test.each([
  ['127.0.0.1', { ip: '::1', port: 9 }, 'IPv4'],
  ['::1', { ip: '127.0.0.1', port: 9 }, 'IPv6'],
])('from %s to the other family is reported', async (ip, to, family) => {
  const ear = await listen({ ip, port: 0 });
  ear.socket.send(Uint8Array.of(1), to);
  expect(ear.errors).toEqual([expect.stringContaining(`speaks ${family} only`)]);
  expect(ear.refused).toEqual([to]);
});

describe('an address to which the system refuses to send', () => {
  test.each([
    ['beyond this computer, from a socket on the loopback', '192.0.2.1'],
    ['of everybody', '255.255.255.255'],
  ])('%s is named, with the reason in plain words', async (_, ip) => {
    const ear = await listen({ ip: '127.0.0.1', port: 0 });
    const to = { ip, port: 9 };
    ear.socket.send(Uint8Array.of(1), to);
    await reported(ear);
    expect(ear.refused).toEqual([to]);
    expect(ear.errors[0]).toMatch(/^[a-z ,]+ \(E[A-Z]+\)$/);
  });

  test('does not keep others from hearing from us', async () => {
    const [ear, other] = [await listen({ ip: '127.0.0.1', port: 0 }), await listen({ ip: '127.0.0.1', port: 0 })];
    ear.socket.send(Uint8Array.of(1), { ip: '192.0.2.1', port: 9 });
    ear.socket.send(Uint8Array.of(2), other.socket.address);
    await eventually(() => expect(other.heard.map(({ bytes }) => [...bytes])).toEqual([[2]]));
    await reported(ear);
  });

  test('is told for each datagram that is sent there', async () => {
    const ear = await listen({ ip: '127.0.0.1', port: 0 });
    for (let i = 0; i < 3; i++) ear.socket.send(Uint8Array.of(i), { ip: '192.0.2.1', port: 9 });
    await eventually(() => expect(ear.refused).toHaveLength(3));
  });
});

test('IPv4 and IPv6 share a port number', async () => {
  const v4 = await listen({ ip: '127.0.0.1', port: 0 });
  const v6 = await listen({ ip: '::', port: v4.socket.address.port });
  expect(v6.socket.address).toEqual({ ip: '::', port: v4.socket.address.port });
});

test.each([
  ['an address of another computer', '192.0.2.1', /^UDP 192\.0\.2\.1:0 .*does not have that address; choose/],
  ['no address at all', '1.2.3', /^UDP 1\.2\.3:0 .*not an address to listen on; write/],
])('%s cannot be bound', async (_, ip, message) => {
  const error = await bindFailure({ ip, port: 0 });
  expect(error).toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
});

test.each([65_536, -1, 1.5, Number.NaN])('port %d cannot be bound', async (port) => {
  const error = await bindFailure({ ip: '127.0.0.1', port });
  expect(error).toMatchObject({ code: 'usage', message: expect.stringContaining('ports are 0 to 65535') });
});

test('datagrams of other programs arrive too', async () => {
  const ear = await listen({ ip: '127.0.0.1', port: 0 });
  const other = createSocket('udp4');
  other.send('hello', ear.socket.address.port, '127.0.0.1');
  await eventually(() => expect(ear.heard.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['hello']));
  other.close();
});

describe('source addresses', () => {
  test('are canonical, IPv4-mapped ones IPv4', () => {
    const sources = new SourceAddresses();
    expect(sources.canonical('::ffff:192.0.2.1', 80)).toEqual({ ip: '192.0.2.1', port: 80 });
    expect(sources.canonical('2001:DB8:0:0:0:0:0:1', 80)).toEqual({ ip: '2001:db8::1', port: 80 });
    expect(sources.canonical('nowhere', 80)).toBeUndefined();
  });

  test('lose their zone, and find it again as destinations', () => {
    const sources = new SourceAddresses();
    expect(sources.destination('fe80::1')).toBe('fe80::1');
    expect(sources.canonical('fe80::1%eth0', 80)).toEqual({ ip: 'fe80::1', port: 80 });
    expect(sources.destination('fe80::1')).toBe('fe80::1%eth0');
    expect(sources.destination('192.0.2.1')).toBe('192.0.2.1');
  });

  test('of those who keep sending survive a flood of forged ones', () => {
    const sources = new SourceAddresses();
    const friend = sources.canonical('192.0.2.1', 80);
    const stranger = sources.canonical('192.0.2.2', 80);
    for (let i = 0; i < 20_000; i++) {
      sources.canonical(`10.0.${i >> 8}.${i & 255}`, 1);
      if (i % 1_000 === 0) expect(sources.canonical('192.0.2.1', 80)).toBe(friend);
    }
    expect(sources.canonical('192.0.2.2', 80)).toEqual(stranger);
    expect(sources.canonical('192.0.2.2', 80)).not.toBe(stranger);
  });
});
