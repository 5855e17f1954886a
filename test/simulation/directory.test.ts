/** Protocol §5 and §9: what the directory's UDP side gives to strangers. */
import { describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { directoryMachine } from '../../machines/directory.machine.ts';
import { timing } from '../../machines/timing.ts';
import { entryOf } from '../../src/merkle/hash-table.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { EMPTY_ROOT } from '../../src/wire/hash.ts';
import { formatAddress } from '../../src/wire/socket-address.ts';
import { inert, inertMachine, nobody } from '../machines/walk-machine.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { Stranger } from '../support/stranger.ts';
import { World } from '../support/world.ts';

const directory = { ip: '10.0.0.1', port: 1194 };
const victim = { ip: '10.200.0.1', port: 9 };

async function worldWithDirectory(): Promise<World> {
  const world = new World(1);
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
    return { type: 'hello.checked', hello, status: 'unregistered', key: undefined } as const;
  };

  test('has a bounded session table; the oldest unproven go first, the proven ones stay, and a newcomer gets in', () => {
    const machine = directoryMachine.provide({
      actors: { socket: inertMachine, addressProof: inertMachine } as never,
      actions: inert('checkHello', 'checkTraversal', 'listAddress', 'forgetExpired', 'sendSigned'),
    });
    const actor = createActor(machine, { input: { binds: [], random: seededRandom(1) } }).start();
    const answered: string[] = [];
    actor.on('hello.answered', ({ name }) => name !== '' && answered.push(name));
    const friend = { ip: '192.0.2.1', port: 1 };
    actor.send({ ...checked(friend, 'friend', 0), status: 'registered' });
    actor.send({
      type: 'xstate.done.actor.address-proof.192.0.2.1:1',
      actorId: 'address-proof.192.0.2.1:1',
      output: { proven: true, address: friend, name: 'friend', key: undefined, atMs: 0 },
    } as never);
    for (let i = 0; i < 65_536; i++) actor.send(checked(forged(i), '', i + 1));
    actor.send(checked({ ip: '192.0.2.2', port: 1 }, 'newcomer', 70_000));
    const { sessions } = actor.getSnapshot().context;
    expect(sessions.size).toBeLessThanOrEqual(65_536);
    expect(answered).toEqual(['friend', 'newcomer']);
    expect(entryOf(sessions, formatAddress(friend))).toBeDefined();
    expect(entryOf(sessions, formatAddress(forged(0)))).toBeUndefined();
    expect(entryOf(sessions, formatAddress(forged(65_535)))).toBeDefined();
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

describe('the directory, and a flood of Hellos under a registered name', () => {
  test('goes on listing whoever answers: the proofs that wait longest make room', async () => {
    const world = await worldWithDirectory();
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

describe('the directory, and a stranger', () => {
  test('is told “no session”, and after an hour “session expired”', async () => {
    const world = await worldWithDirectory();
    const stranger = await Stranger.join(world, 'stranger');
    stranger.send(directory, { type: 'RootRequest', id: 1 });
    await world.clock.advance(1_000);
    stranger.send(directory, { type: 'Hello', id: 2, flags: 0, name: 'stranger' });
    await world.clock.advance(timing.sessionLifetime + 1_000);
    stranger.send(directory, { type: 'RootRequest', id: 3 });
    await world.clock.advance(1_000);
    expect(stranger.heardOf('Error')).toEqual([
      { type: 'Error', id: 1, text: 'no session: say Hello first' },
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
