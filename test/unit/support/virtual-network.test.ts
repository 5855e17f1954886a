import { describe, expect, test } from 'vitest';
import type { DatagramSocket } from '../../../src/runtime/network.ts';
import { type NatKind, natKinds } from '../../../src/simulation/nat.ts';
import { seededRandom } from '../../../src/simulation/seeded-random.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';
import type { VirtualHost } from '../../../src/simulation/virtual-host.ts';
import { VirtualNetwork, type Weather } from '../../../src/simulation/virtual-network.ts';
import { formatAddress, type SocketAddress } from '../../../src/wire/socket-address.ts';

const SECOND = 1_000;
const even: Weather = { loss: 0, duplication: 0, minDelayMs: 10, maxDelayMs: 10 };

interface Program {
  readonly socket: DatagramSocket;
  /** "SOURCE first-byte", in order. */
  readonly heard: string[];
  readonly errors: string[];
}

class Net {
  readonly clock = new VirtualClock();
  readonly network = new VirtualNetwork(this.clock, seededRandom(1), even);

  async program(host: VirtualHost, port: number, ip = '0.0.0.0'): Promise<Program> {
    const heard: string[] = [];
    const errors: string[] = [];
    const socket = await host.open(
      { ip, port },
      (arrivals) => {
        for (const { bytes, from } of arrivals) heard.push(`${formatAddress(from)} ${bytes[0]}`);
      },
      (why) => errors.push(why),
    );
    return { socket, heard, errors };
  }

  async open(ip: string, port = 1): Promise<Program> {
    return this.program(this.network.addHost([ip]), port);
  }

  async send({ socket }: Program, to: SocketAddress, byte = 0): Promise<void> {
    socket.send(Uint8Array.of(byte), to);
    await this.clock.advance(SECOND);
  }
}

const SERVER = { ip: '8.0.0.1', port: 1 };
const OTHER = { ip: '8.0.0.2', port: 1 };

async function behind(kind: NatKind) {
  const net = new Net();
  const server = net.network.addHost([SERVER.ip]);
  const [one, two] = [await net.program(server, 1), await net.program(server, 2)];
  const other = await net.open(OTHER.ip);
  const nat = net.network.addNat({ ip: '9.0.0.1', kind });
  const home = net.network.addHost([{ ip: '192.168.1.2', nat }]);
  const inside = await net.program(home, 5_000);
  await net.send(inside, SERVER);
  /** What the server sees as the address of the program inside. */
  const outer = { ip: '9.0.0.1', port: Number(one.heard[0]?.split(/[: ]/)[1]) };
  return { net, nat, one, two, other, inside, outer, home };
}

describe('a NAT', () => {
  test.each([
    ['full cone', natKinds.fullCone, ['one', 'two', 'other']],
    ['address-restricted', natKinds.addressRestricted, ['one', 'two']],
    ['port-restricted', natKinds.portRestricted, ['one']],
    ['symmetric', natKinds.symmetric, ['one']],
  ] as const)('that is %s lets in whom RFC 4787 §5 says', async (_, kind, letIn) => {
    const { net, outer, inside, ...programs } = await behind(kind);
    for (const [byte, who] of (['one', 'two', 'other'] as const).entries()) await net.send(programs[who], outer, byte);
    const names = inside.heard.map((line) => (['one', 'two', 'other'] as const)[Number(line.at(-1))]);
    expect(names).toEqual(letIn);
  });

  test('that is a cone shows all destinations the same port; a symmetric one shows each another', async () => {
    for (const kind of [natKinds.portRestricted, natKinds.symmetric]) {
      const { net, outer, inside, other } = await behind(kind);
      await net.send(inside, OTHER);
      const isSame = other.heard[0] === `${formatAddress(outer)} 0`;
      expect(isSame).toBe(kind === natKinds.portRestricted);
    }
  });

  test('forgets after 30 s whom nobody answered, and after 120 s of quiet whom somebody did', async () => {
    const unanswered = await behind(natKinds.portRestricted);
    await unanswered.net.clock.advance(29 * SECOND);
    await unanswered.net.send(unanswered.one, unanswered.outer);
    expect(unanswered.inside.heard).toEqual([]);

    const answered = await behind(natKinds.portRestricted);
    for (const seconds of [1, 110, 110]) {
      await answered.net.clock.advance(seconds * SECOND);
      await answered.net.send(answered.one, answered.outer);
    }
    expect(answered.inside.heard).toHaveLength(3);
    await answered.net.clock.advance(120 * SECOND);
    await answered.net.send(answered.one, answered.outer);
    expect(answered.inside.heard).toHaveLength(3);
  });

  test('keeps what is sent through every 25 s, and gives another port after it was switched off', async () => {
    const { net, nat, one, inside } = await behind(natKinds.portRestricted);
    for (let i = 0; i < 20; i++) {
      await net.clock.advance(24 * SECOND);
      await net.send(inside, SERVER);
    }
    expect(new Set(one.heard).size).toBe(1);
    nat.restart();
    await net.send(inside, SERVER);
    expect(new Set(one.heard).size).toBe(2);
  });

  test('lets hosts behind it reach each other, and hides their addresses from everybody else', async () => {
    const { net, nat, one, inside } = await behind(natKinds.symmetric);
    const neighbour = await net.program(net.network.addHost([{ ip: '192.168.1.3', nat }]), 5_000);
    await net.send(neighbour, { ip: '192.168.1.2', port: 5_000 });
    await net.send(one, { ip: '192.168.1.2', port: 5_000 });
    expect(inside.heard).toEqual(['192.168.1.3:5000 0']);
  });
});

describe('a host', () => {
  test('that moves sends from its new address with the same socket, and no longer receives at the old one', async () => {
    const net = new Net();
    const host = net.network.addHost(['8.0.1.1']);
    const [mover, other] = [await net.program(host, 7), await net.open(OTHER.ip)];
    await net.send(mover, OTHER);
    host.moveTo({ ip: '8.0.1.2' });
    await net.send(mover, OTHER);
    expect(other.heard).toEqual(['8.0.1.1:7 0', '8.0.1.2:7 0']);
    await net.send(other, { ip: '8.0.1.1', port: 7 });
    await net.send(other, { ip: '8.0.1.2', port: 7 }, 1);
    expect(mover.heard).toEqual([`${formatAddress(OTHER)} 1`]);
  });

  test('with two addresses is reached at both, and sends from the first of the destination’s family', async () => {
    const net = new Net();
    const host = net.network.addHost(['8.0.1.1', '8.0.1.2', '2001:db8::1']);
    const [both, other] = [await net.program(host, 7), await net.open(OTHER.ip)];
    const six = await net.program(host, 7, '::');
    const otherSix = await net.program(net.network.addHost(['2001:db8::2']), 1, '::');
    await net.send(both, OTHER);
    await net.send(six, { ip: '2001:db8::2', port: 1 });
    expect([...other.heard, ...otherSix.heard]).toEqual(['8.0.1.1:7 0', '[2001:db8::1]:7 0']);
    for (const ip of ['8.0.1.1', '8.0.1.2']) await net.send(other, { ip, port: 7 });
    expect(both.heard).toHaveLength(2);
  });

  test('that sleeps receives nothing of what comes meanwhile', async () => {
    const net = new Net();
    const host = net.network.addHost(['8.0.1.1']);
    const [sleeper, other] = [await net.program(host, 7), await net.open(OTHER.ip)];
    host.sleep();
    await net.send(other, { ip: '8.0.1.1', port: 7 });
    host.wake();
    await net.send(other, { ip: '8.0.1.1', port: 7 }, 1);
    expect(sleeper.heard).toEqual([`${formatAddress(OTHER)} 1`]);
  });

  test('that is unplugged hears of it from its system', async () => {
    const net = new Net();
    const host = net.network.addHost(['8.0.1.1']);
    const program = await net.program(host, 7);
    host.unplug();
    await net.send(program, OTHER);
    expect(program.errors).toEqual(['there is no way to that network (ENETUNREACH)']);
    host.plugIn();
    await net.send(program, OTHER);
    expect(program.errors).toHaveLength(1);
  });

  test('that refuses tells the sender, one that is silent does not', async () => {
    const net = new Net();
    const asking = await net.open('8.0.1.1');
    const host = net.network.addHost([OTHER.ip]);
    await net.send(asking, OTHER);
    expect(asking.errors).toEqual([]);
    host.closedPorts = 'refusing';
    await net.send(asking, OTHER);
    expect(asking.errors).toEqual(['nobody listens there (ECONNREFUSED)']);
  });
});

describe('a line with a rate', () => {
  test('spaces datagrams out by their size, and drops what its queue has no room for', async () => {
    const net = new Net();
    // A datagram of 72 bytes has 100 with its headers: 10 ms of this line.
    const link = { bytesPerSecond: 10_000, queueBytes: 500 };
    const host = net.network.addHost(['8.0.1.1'], { uplink: link });
    const sender = await net.program(host, 7);
    const times: number[] = [];
    await net.network
      .addHost([OTHER.ip])
      .open(OTHER, (arrivals) => times.push(...arrivals.map(() => net.clock.elapsedMs)));
    for (let i = 0; i < 8; i++) sender.socket.send(new Uint8Array(72), OTHER);
    await net.clock.advance(SECOND);
    expect(times).toEqual([20, 30, 40, 50, 60]);
    expect(host.uplink?.dropped).toBe(3);
    expect(net.network.log.filter(({ isLost }) => isLost)).toHaveLength(3);
  });

  test('to the receiver is shared by all who send to it', async () => {
    const net = new Net();
    const link = { bytesPerSecond: 10_000, queueBytes: 500 };
    const host = net.network.addHost([OTHER.ip], { downlink: link });
    const receiver = await net.program(host, 1);
    const senders = [await net.open('8.0.1.1'), await net.open('8.0.1.2')];
    for (const { socket } of senders) for (let i = 0; i < 4; i++) socket.send(new Uint8Array(72), OTHER);
    await net.clock.advance(SECOND);
    expect(receiver.heard).toHaveLength(5);
    expect(host.downlink?.dropped).toBe(3);
  });
});

test('weather between two addresses may be other than everywhere else', async () => {
  const net = new Net();
  const [one, other] = [await net.open('8.0.1.1'), await net.open(OTHER.ip)];
  const server = await net.open(SERVER.ip);
  net.network.setWeatherBetween('8.0.1.1', OTHER.ip, { ...even, loss: 1 });
  await net.send(one, OTHER);
  await net.send(one, SERVER);
  expect([other.heard.length, server.heard.length]).toEqual([0, 1]);
});
