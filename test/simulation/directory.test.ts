/** Protocol §5 and §9: what the directory's UDP side gives to strangers. */
import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { directoryMachine } from '../../machines/directory.machine.ts';
import { sessionAt } from '../../machines/directory-sessions.ts';
import { timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { EMPTY_ROOT } from '../../src/wire/hash.ts';
import { inert, inertMachine, nobody } from '../machines/walk-machine.ts';
import { Stranger } from '../support/stranger.ts';
import { World, type WorldOptions } from '../support/world.ts';

const directory = { ip: '10.0.0.1', port: 1194 };
const victim = { ip: '10.200.0.1', port: 9 };

async function worldWithDirectory(options?: WorldOptions): Promise<World> {
  const world = new World(1, undefined, options);
  await world.startDirectory();
  return world;
}

/** What went to the victim, by type of datagram. */
const sentTo = (world: World, ip: string) =>
  world.network.log.filter(({ to }) => to.ip === ip).map(({ bytes }) => ({ type: bytes[4], size: bytes.length }));

describe('the directory, and a Hello with a forged source', () => {
  test('sends at most three times what it got, our Hellos counted in', async () => {
    const world = await worldWithDirectory();
    const { keyPair, sign } = await world.identity('victim');
    world.registry.register('victim', keyPair.publicKey, world.clock.now());
    const bytes = encodeDatagram({ type: 'Hello', id: 1, flags: 0, name: 'victim' });
    const hello = appendSignature(bytes, await sign(bytes));
    world.network.forge(victim, directory, hello);
    await world.clock.advance(120_000);
    const got = sentTo(world, victim.ip);
    expect(got.map(({ type }) => type).sort()).toEqual([0, 0, 128]);
    expect(got.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(3 * hello.length);
    await world.close();
  });

  test('sends one Hello of its own to whoever sent too little for more: without it nobody could be proven', async () => {
    const world = await worldWithDirectory();
    world.registry.register('v', undefined, world.clock.now());
    world.network.forge(victim, directory, encodeDatagram({ type: 'Hello', id: 1, flags: 0, name: 'v' }));
    await world.clock.advance(120_000);
    expect(
      sentTo(world, victim.ip)
        .map(({ type }) => type)
        .sort(),
    ).toEqual([0, 128]);
    await world.close();
  });
});

describe('the directory, and a flood of Hellos from many sources', () => {
  const forged = (i: number) => ({ ip: `10.${64 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`, port: 9 });
  const checked = (from: { ip: string; port: number }, name: string, atMs: number) => {
    const datagram: Datagram = { type: 'Hello', id: 1, flags: 0, name };
    const hello = {
      received: { datagram, signed: new Uint8Array(12) },
      from,
      size: 12,
      atMs,
      socket: nobody('socket'),
    };
    return { type: 'hello.checked', hello, status: 'unregistered', key: undefined, isListed: false } as const;
  };

  test('has a bounded session table; the oldest unproven go first, the proven ones stay, and a newcomer gets in', () => {
    const machine = directoryMachine.provide({
      actors: { socket: inertMachine, addressProof: inertMachine } as never,
      actions: inert('lookUpSender', 'lookUpTarget', 'listAddress', 'forgetExpired', 'sendSigned'),
    });
    const actor = createActor(machine, { input: { binds: [], random: seededRandom(1) } }).start();
    const answered: string[] = [];
    actor.on('hello.answered', ({ name }) => name !== '' && answered.push(name));
    const friend = { ip: '192.0.2.1', port: 1 };
    const says = (event: ReturnType<typeof checked>) => actor.send({ ...event.hello, type: 'stranger.asked' });
    says(checked(friend, 'friend', 0));
    actor.send({ ...checked(friend, 'friend', 0), status: 'registered' });
    actor.send({
      type: 'xstate.done.actor.address-proof.0',
      actorId: 'address-proof.0',
      output: { proven: true, address: friend, name: 'friend', key: undefined, atMs: 0 },
    } as never);
    for (let i = 0; i < 65_536; i++) actor.send(checked(forged(i), '', i + 1));
    const newcomer = checked({ ip: '192.0.2.2', port: 1 }, 'newcomer', 70_000);
    says(newcomer);
    actor.send(newcomer);
    const { sessions } = actor.getSnapshot().context;
    expect(sessions.proven.size).toBe(1);
    expect(sessions.unproven.size).toBeLessThanOrEqual(65_536);
    expect(answered).toEqual(['friend', 'newcomer']);
    expect(sessionAt(sessions, friend)).toBeDefined();
    expect(sessionAt(sessions, forged(0))).toBeUndefined();
    expect(sessionAt(sessions, forged(65_535))).toBeDefined();
  });
});

test('the directory answers repeats of a Hello that is shorter than its answer as often as they have paid for it', async () => {
  const world = await worldWithDirectory();
  let sent = 0;
  for (let id = 1; id <= 100; id++) {
    const hello = encodeDatagram({ type: 'Hello', id, flags: 0, name: 'x' });
    sent += hello.length;
    world.network.forge(victim, directory, hello);
    await world.clock.advance(100);
  }
  await world.clock.advance(60_000);
  const got = sentTo(world, victim.ip).reduce((sum, { size }) => sum + size, 0);
  expect(got).toBeGreaterThan(0);
  expect(got).toBeLessThanOrEqual(3 * sent + 100);
  await world.close();
});

describe('the directory, and datagrams from a host whose addresses nobody has proven', () => {
  /** Beyond three times the bytes received: what each host is allowed once. */
  const ALLOWANCE = 1_024;
  const bytesTo = (world: World, ip: string) => sentTo(world, ip).reduce((sum, { size }) => sum + size, 0);
  const forge = (world: World, port: number, datagram: Datagram): number => {
    const bytes = encodeDatagram(datagram);
    world.network.forge({ ip: victim.ip, port }, directory, bytes);
    return bytes.length;
  };

  test('answers RootRequests, and refuses them, with three times their bytes at most', async () => {
    const world = await worldWithDirectory();
    let received = forge(world, 9, { type: 'Hello', id: 1, flags: 0, name: 'x' });
    await world.clock.advance(100);
    for (let id = 2; id < 1_000; id++) {
      received += forge(world, id % 2 === 0 ? 9 : id, { type: 'RootRequest', id });
      if (id % 100 === 0) await world.clock.advance(5_000);
    }
    await world.clock.advance(60_000);
    expect(new Set(sentTo(world, victim.ip).map(({ type }) => type))).toEqual(new Set([128, 129, 254]));
    expect(bytesTo(world, victim.ip)).toBeLessThanOrEqual(3 * received + ALLOWANCE);
    await world.close();
  });

  test('answers short Hellos under a registered name, each from another port, with three times their bytes at most', async () => {
    const world = await worldWithDirectory();
    let received = 0;
    for (let port = 1; port <= 600; port++) {
      world.registry.register('v', undefined, world.clock.now());
      received += forge(world, port, { type: 'Hello', id: port, flags: 0, name: 'v' });
      await world.clock.advance(200);
    }
    await world.clock.advance(60_000);
    expect(bytesTo(world, victim.ip)).toBeGreaterThan(0);
    expect(bytesTo(world, victim.ip)).toBeLessThanOrEqual(3 * received + ALLOWANCE);
    await world.close();
  });

  test('lists a program with short Hellos all the same if it has registered over HTTPS, and answers it then', async () => {
    const world = await worldWithDirectory();
    for (let port = 1; port <= 100; port++) forge(world, port, { type: 'Hello', id: port, flags: 0, name: 'x' });
    await world.clock.advance(1_000);
    const old = await Stranger.join(world, 'old', victim.ip, 5_000);
    old.answer = ({ datagram: { type, id }, from }) => {
      if (type === 'Hello') old.send(from, { type: 'HelloReply', id, flags: 0, name: 'o' });
    };
    world.registry.register('o', undefined, world.clock.now());
    old.send(directory, { type: 'Hello', id: 1, flags: 0, name: 'o' });
    await world.clock.advance(1_000);
    expect(old.heard).toEqual([]);
    world.vouchFor(victim.ip);
    old.send(directory, { type: 'Hello', id: 2, flags: 0, name: 'o' });
    await world.clock.advance(1_000);
    expect(world.registry.lookup('o', world.clock.now())?.addresses).toEqual([old.address]);
    expect(old.heardOf('Hello')).toHaveLength(1);
    expect(old.heardOf('HelloReply')).toHaveLength(1);
    await world.close();
  });
});

describe('the directory, and a flood of Hellos under a registered name', () => {
  test('goes on listing whoever answers: the proofs that wait longest make room', async () => {
    const world = await worldWithDirectory({ signatures: 'seals' });
    world.registry.register('popular', undefined, world.clock.now());
    const hello = encodeDatagram({ type: 'Hello', id: 1, flags: 0, name: 'popular' });
    for (let i = 0; i < 2_000; i++) {
      world.network.forge({ ip: `10.64.${i >> 8}.${i & 255}`, port: 9 }, directory, hello);
    }
    await world.clock.advance(500);
    const alice = await world.addPeer('alice');
    await world.settle(alice.peer.whenListed(), 5_000);
    await world.close();
  });
});

describe('the directory, and addresses that a peer has left', () => {
  const answers = (stranger: Stranger, name: string) => {
    stranger.answer = ({ datagram: { type, id }, from }) => {
      if (type === 'Hello') void stranger.sendSigned(from, { type: 'HelloReply', id, flags: 0, name });
    };
  };
  const isSilent = (stranger: Stranger) => {
    stranger.answer = () => {};
  };

  /** Alice, at two addresses one after the other: she registers, says Hello, and answers what she is asked. */
  async function moved(): Promise<{ world: World; old: Stranger; now: Stranger; listed: () => unknown }> {
    const world = await worldWithDirectory();
    const [old, now] = [await Stranger.join(world, 'alice'), await Stranger.join(world, 'alice', '10.0.9.2')];
    for (const alice of [old, now]) {
      answers(alice, 'alice');
      world.registry.register('alice', alice.keyPair.publicKey, world.clock.now());
      await alice.sendSigned(directory, { type: 'Hello', id: 1, flags: 0, name: 'alice' });
      await world.clock.advance(1_000);
      if (alice === old) isSilent(old);
    }
    return { world, old, now, listed: () => world.registry.lookup('alice', world.clock.now())?.addresses };
  }
  const hellosTo = (world: World, { address }: Stranger) => sentTo(world, address.ip).filter(({ type }) => type === 0);

  test('says Hello to the older one when a new one is proven, and drops it after four sends without an answer', async () => {
    const { world, old, now, listed } = await moved();
    expect(listed()).toEqual([now.address, old.address]);
    await world.clock.advance(28_000);
    expect(listed()).toEqual([now.address, old.address]);
    expect(hellosTo(world, old)).toHaveLength(1 + 4);
    await world.clock.advance(7_000);
    expect(listed()).toEqual([now.address]);
    await world.clock.advance(3_600_000 - 60_000);
    expect(hellosTo(world, old)).toHaveLength(1 + 4);
    await world.close();
  });

  test('keeps an older one that answers, at its place behind the new one, for another hour', async () => {
    const { world, old, now, listed } = await moved();
    answers(old, 'alice');
    await world.clock.advance(59 * 60_000);
    expect(listed()).toEqual([now.address, old.address]);
    expect(hellosTo(world, old).length).toBeGreaterThan(1);
    await world.clock.advance(180_000);
    expect(listed()).toBeUndefined();
    await world.close();
  });

  test('says Hello to the newest one again after a minute, and drops that of a program that has ended', async () => {
    const { world, old, now, listed } = await moved();
    answers(old, 'alice');
    isSilent(now);
    await world.clock.advance(55_000);
    expect(hellosTo(world, now)).toHaveLength(1);
    await world.clock.advance(45_000);
    expect(hellosTo(world, now)).toHaveLength(1 + 4);
    expect(listed()).toEqual([old.address]);
    await world.close();
  });

  test('tells a peer whose address it has dropped that there is no session: it has to register anew', async () => {
    const { world, old } = await moved();
    const ask = async (id: number) => {
      old.send(directory, { type: 'RootRequest', id });
      await world.clock.advance(1_000);
      return old.heard.find(({ datagram }) => datagram.id === id)?.datagram;
    };
    expect(await ask(2)).toEqual({ type: 'Root', id: 2, hash: EMPTY_ROOT });
    await world.clock.advance(40_000);
    expect(await ask(3)).toEqual({ type: 'Error', id: 3, text: 'no session: say Hello first' });
    await world.close();
  });

  test('a Hello of its owner, while an old address is asked, proves it, and it is the newest', async () => {
    const { world, old, now, listed } = await moved();
    answers(old, 'alice');
    await old.sendSigned(directory, { type: 'Hello', id: 5, flags: 0, name: 'alice' });
    await world.clock.advance(5_000);
    expect(listed()).toEqual([old.address, now.address]);
    await world.close();
  });

  test('another Hello from a proven address, a second later, proves it again: its program may have started anew; the same Hello does not', async () => {
    const world = await worldWithDirectory();
    const alice = await Stranger.join(world, 'alice');
    answers(alice, 'alice');
    world.registry.register('alice', alice.keyPair.publicKey, world.clock.now());
    const proofsAfter = async (id: number, ms: number) => {
      const cursor = world.registry.cursor();
      await alice.sendSigned(directory, { type: 'Hello', id, flags: 0, name: 'alice' });
      await world.clock.advance(ms);
      return world.registry.changesSince(cursor);
    };
    expect(await proofsAfter(1, 2_000)).toEqual(['alice']);
    expect(await proofsAfter(1, 2_000)).toEqual([]);
    expect(await proofsAfter(2, 500)).toEqual(['alice']);
    expect(await proofsAfter(3, 2_000)).toEqual([]);
    await world.close();
  });

  test('asks those whose age nobody knows at once, and drops them only if they do not answer', async () => {
    const world = new World(1);
    const [dead, alive] = [await Stranger.join(world, 'dead'), await Stranger.join(world, 'alive', '10.0.9.2')];
    answers(alive, 'alive');
    for (const [name, { keyPair, address }] of Object.entries({ dead, alive })) {
      world.registry.prove(name, keyPair.publicKey, address, world.clock.now() + 8 * 3_600_000);
    }
    await world.startDirectory();
    await world.clock.advance(40_000);
    expect(world.registry.peers(world.clock.now())).toEqual(['alive']);
    await world.clock.advance(3_600_000);
    expect(world.registry.peers(world.clock.now())).toEqual([]);
    await world.close();
  });
});

describe('the directory, and a stranger', () => {
  test('is told “no session”, as briefly as its bytes have paid for, and after an hour “session expired”', async () => {
    const world = await worldWithDirectory();
    const stranger = await Stranger.join(world, 'stranger');
    stranger.send(directory, { type: 'RootRequest', id: 1 });
    await world.clock.advance(1_000);
    stranger.send(directory, { type: 'Hello', id: 2, flags: 0, name: 'stranger' });
    await world.clock.advance(timing.sessionLifetime + 1_000);
    stranger.send(directory, { type: 'RootRequest', id: 3 });
    await world.clock.advance(1_000);
    expect(stranger.heardOf('Error')).toEqual([
      { type: 'Error', id: 1, text: 'no session' },
      { type: 'Error', id: 3, text: 'session expired: say Hello again' },
    ]);
    await world.close();
  });

  test('who asks for a node gets a signed NoDatum: one known peer panics on an unsigned answer', async () => {
    const world = await worldWithDirectory();
    const stranger = await Stranger.join(world, 'stranger');
    stranger.send(directory, { type: 'Hello', id: 2, flags: 8, name: 'stranger' });
    await world.clock.advance(1_000);
    stranger.send(directory, { type: 'GetDatum', id: 3, hash: EMPTY_ROOT });
    await world.clock.advance(1_000);
    expect(stranger.heard.at(-1)).toMatchObject({
      datagram: { type: 'NoDatum', id: 3, hash: EMPTY_ROOT },
      isSigned: true,
    });
    await world.close();
  });

  test('under an empty name is ignored: it is no directory that this one knows', async () => {
    const world = await worldWithDirectory();
    const stranger = await Stranger.join(world, 'stranger');
    await stranger.sendSigned(directory, { type: 'Hello', id: 2, flags: 0, name: '' });
    await world.clock.advance(60_000);
    expect(stranger.heard).toEqual([]);
    await world.close();
  });
});
