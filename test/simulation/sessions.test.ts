/** Protocol §5 and §7: who may open a session, and what strangers are told. */
import { describe, expect, test } from 'vitest';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import { encodeDatagram, isRequest } from '../../src/wire/datagram.ts';
import { EMPTY_ROOT } from '../../src/wire/hash.ts';
import { Publisher } from '../support/publisher.ts';
import { addressOf, bodiesOf, listedPeers, listedReader } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const MINUTE = 60_000;
const worldWith = () => listedReader(3);

/** A stranger whom the directory lists under `name`, with its key. */
async function listedStranger(world: World, name: string): Promise<Stranger> {
  const stranger = await Stranger.join(world, name);
  stranger.answer = greetingAs(stranger, name);
  world.registry.prove(name, stranger.keyPair.publicKey, stranger.address, world.clock.now());
  return stranger;
}

/** Answers Hello, as everybody owes. */
function greetingAs(stranger: Stranger, name: string): Stranger['answer'] {
  return ({ datagram: { type, id }, from }) => {
    if (type === 'Hello') void stranger.sendSigned(from, { type: 'HelloReply', id, flags: 0, name });
  };
}

describe('incoming Hello', () => {
  test('a key is known: a good signature is answered with HelloReply, the same id, our name, signed', async () => {
    const { world, reader } = await worldWith();
    const alice = await listedStranger(world, 'alice');
    await alice.sendSigned(addressOf(reader), { type: 'Hello', id: 77, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    expect(alice.heard.find(({ datagram }) => datagram.type === 'HelloReply')).toMatchObject({
      datagram: { id: 77, flags: BULK_FLAG, name: 'reader' },
      isSigned: true,
    });
    expect(reader.facts).toContainEqual(
      expect.objectContaining({ type: 'session.opened', direction: 'incoming', name: 'alice', authenticated: true }),
    );
    await world.close();
  });

  test('a key is known: without a signature, or with a wrong one, it is ignored', async () => {
    const { world, reader } = await worldWith();
    await listedStranger(world, 'alice');
    const mallory = await Stranger.join(world, 'mallory', '10.0.9.2');
    mallory.send(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    await mallory.sendSigned(addressOf(reader), { type: 'Hello', id: 2, flags: 0, name: 'alice' });
    await world.clock.advance(MINUTE);
    expect(mallory.heard).toEqual([]);
    await world.close();
  });

  test('the name is not known: the session is unauthenticated, and shown as such', async () => {
    const { world, reader } = await worldWith();
    const nobody = await Stranger.join(world, 'nobody');
    nobody.send(addressOf(reader), { type: 'Hello', id: 5, flags: 0, name: 'nobody' });
    await world.clock.advance(1_000);
    expect(nobody.heardOf('HelloReply')).toMatchObject([{ id: 5 }]);
    expect(reader.facts).toContainEqual(
      expect.objectContaining({ type: 'session.opened', direction: 'incoming', name: 'nobody', authenticated: false }),
    );
    await world.close();
  });

  test('a name that reads like the address of the directory does not get at the session with it', async () => {
    const { world, reader } = await worldWith();
    const name = '@10.0.0.1:1194';
    const stranger = await Stranger.join(world, 'stranger');
    stranger.answer = greetingAs(stranger, name);
    stranger.send(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name });
    await world.clock.advance(1_000);
    expect(reader.facts.filter((fact) => fact.type === 'session.opened' && fact.direction === 'outgoing')).toEqual([
      expect.objectContaining({ name: '', address: { ip: '10.0.0.1', port: 1194 } }),
      expect.objectContaining({ name, address: stranger.address }),
    ]);
    expect(reader.peer.actors).toEqual(
      expect.arrayContaining(['peer/outgoing-session.@10.0.0.1:1194', `peer/outgoing-session.@${name}`]),
    );
    await world.close();
  });

  test('an empty name must come from an address of the directory', async () => {
    const { world, reader } = await worldWith();
    const impostor = await Stranger.join(world, 'impostor');
    await impostor.sendSigned(addressOf(reader), { type: 'Hello', id: 5, flags: 0, name: '' });
    await world.clock.advance(MINUTE);
    expect(impostor.heard).toEqual([]);
    await world.close();
  });

  test('the directory cannot be asked: it is ignored, and works when it is repeated', async () => {
    const { world, reader } = await worldWith();
    const alice = await listedStranger(world, 'alice');
    world.isDirectoryDown = true;
    await alice.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    expect(alice.heard).toEqual([]);
    world.isDirectoryDown = false;
    await alice.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    expect(alice.heardOf('HelloReply')).toHaveLength(1);
    await world.close();
  });

  test('excess bytes and unknown flags are no reason to refuse it, and of flags we set our own only', async () => {
    const { world, reader } = await worldWith();
    const alice = await listedStranger(world, 'alice');
    await alice.sendSigned(addressOf(reader), { type: 'Hello', id: 9, flags: 0xffffffff, name: 'alice' });
    await world.clock.advance(1_000);
    expect(alice.heardOf('HelloReply')).toMatchObject([{ flags: BULK_FLAG }]);
    expect(alice.heardOf('Hello')).toMatchObject([{ flags: BULK_FLAG }]);
    await world.close();
  });
});

describe('a sender without a live session', () => {
  test('that asks gets an Error with its id: no session', async () => {
    const { world, reader } = await worldWith();
    const stranger = await Stranger.join(world, 'stranger');
    stranger.send(addressOf(reader), { type: 'RootRequest', id: 1 });
    stranger.send(addressOf(reader), { type: 'GetDatum', id: 2, hash: EMPTY_ROOT });
    stranger.send(addressOf(reader), { type: 'Unknown', id: 3, code: 99, body: new Uint8Array(4) });
    await world.clock.advance(1_000);
    const errors = stranger.heardOf('Error').toSorted((a, b) => a.id - b.id);
    // Whoever has sent 7 bytes has paid for no more.
    expect(errors).toMatchObject([
      { id: 1, text: 'no session' },
      { id: 2, text: 'no session: say Hello first' },
      { id: 3, text: 'no session' },
    ]);
    await world.close();
  });

  test('whose hour is over gets another one, until it says Hello again', async () => {
    const { world, reader } = await worldWith();
    const alice = await listedStranger(world, 'alice');
    const ask = async (id: number) => {
      alice.heard.length = 0;
      await alice.sendSigned(addressOf(reader), { type: 'RootRequest', id });
      await world.clock.advance(1_000);
      return alice.heard.map(({ datagram }) => datagram).filter(({ id: answered }) => answered === id);
    };
    const hello = () => alice.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await hello();
    await world.clock.advance(1_000);
    expect(await ask(2)).toMatchObject([{ type: 'Root', hash: reader.peer.root }]);
    await world.clock.advance(61 * MINUTE);
    expect(await ask(3)).toMatchObject([{ type: 'Error', text: 'session expired: say Hello again' }]);
    await hello();
    await world.clock.advance(1_000);
    expect(await ask(4)).toMatchObject([{ type: 'Root' }]);
    await world.close();
  });

  test('with a session, an unknown request type gets an Error, an unknown answer type nothing', async () => {
    const { world, reader } = await worldWith();
    const alice = await listedStranger(world, 'alice');
    await alice.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    alice.heard.length = 0;
    alice.send(addressOf(reader), { type: 'Unknown', id: 2, code: 99, body: new Uint8Array(0) });
    alice.send(addressOf(reader), { type: 'Unknown', id: 3, code: 199, body: new Uint8Array(0) });
    await world.clock.advance(1_000);
    const answers = alice.heard.map(({ datagram }): unknown => datagram);
    expect(answers).toEqual([{ type: 'Error', id: 2, text: 'unknown request type' }]);
    await world.close();
  });
});

describe('proving an address', () => {
  test('HelloReply is followed by a Hello of ours; a large Datum is sent once that was answered', async () => {
    const { world, reader } = await worldWith();
    const { hash } = reader.peer.post('x'.repeat(900));
    const alice = await listedStranger(world, 'alice');
    alice.answer = () => {};
    const to = addressOf(reader);
    await alice.sendSigned(to, { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    alice.send(to, { type: 'GetDatum', id: 2, hash });
    await world.clock.advance(1_000);
    expect(alice.heardOf('Datum').length).toBe(0);
    const [greeting] = alice.heardOf('Hello');
    await alice.sendSigned(to, { type: 'HelloReply', id: greeting?.id ?? 0, flags: 0, name: 'alice' });
    await world.clock.advance(100);
    // What was asked for meanwhile has waited: some programs never repeat.
    expect(alice.heardOf('Datum')).toMatchObject([{ id: 2, hash }]);
    alice.send(to, { type: 'GetDatum', id: 3, hash });
    await world.clock.advance(1_000);
    expect(alice.heardOf('Datum')).toMatchObject([
      { id: 2, hash },
      { id: 3, hash },
    ]);
    await world.close();
  });

  test('the answered Hello is our session towards that peer: from then on either side may push', async () => {
    const { world, reader } = await worldWith();
    const alice = await listedStranger(world, 'alice');
    await alice.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    const { root } = reader.peer.post('news');
    await world.clock.advance(1_000);
    const pushed = alice.heard.filter(({ datagram }) => datagram.type === 'Root');
    expect(pushed).toMatchObject([{ datagram: { id: 0, hash: root }, isSigned: true }]);
    await world.close();
  });
});

describe('a Hello under another name from an address in session', () => {
  const forgedHello = (name: string) => encodeDatagram({ type: 'Hello', id: 9, flags: 0, name });

  test('that is forged changes nothing: whoever is in session is served, and its pushes are heard', async () => {
    const world = await listedPeers(8, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    bob.peer.follow('alice');
    alice.peer.follow('bob');
    await world.clock.advance(10_000);
    for (const [peer, other] of [[alice, bob] as const, [bob, alice] as const]) {
      world.network.forge(addressOf(peer), addressOf(other), forgedHello('nobody'));
    }
    await world.clock.advance(1_000);
    alice.peer.post('while somebody doubts');
    await world.clock.advance(20_000);
    alice.peer.post('and afterwards');
    await world.clock.advance(1_000);
    expect(bodiesOf(bob, 'alice')).toEqual(['while somebody doubts', 'and afterwards']);
    expect(alice.facts.filter(({ type }) => type === 'error.received')).toEqual([]);
    await world.close();
  });

  test('is answered once a Hello of ours is answered under that name: somebody else is there now', async () => {
    const { world, reader } = await worldWith();
    const stranger = await listedStranger(world, 'alice');
    await stranger.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    stranger.answer = greetingAs(stranger, 'carol');
    stranger.send(addressOf(reader), { type: 'Hello', id: 2, flags: 0, name: 'carol' });
    await world.clock.advance(5_000);
    expect(stranger.heardOf('HelloReply').map(({ id }) => id)).toEqual([1, 2]);
    expect(reader.facts).toContainEqual(expect.objectContaining({ type: 'session.opened', name: 'carol' }));
    await world.close();
  });
});

describe('keys', () => {
  test('a name that turns up with another key is an authentication failure', async () => {
    const { world, reader } = await worldWith();
    await Publisher.join(world, 'alice', [], new Uint8Array([2]));
    await world.settle(reader.peer.sync('alice'));
    const thief = await Stranger.join(world, 'thief', '10.0.9.2');
    world.giveAway('alice', thief);
    await world.clock.advance(2 * 61 * MINUTE);
    world.giveAway('alice', thief);
    expect(await world.settle(reader.peer.sync('alice'))).toMatchObject({
      status: 'failed',
      error: { code: 'authentication' },
    });
    expect(reader.facts).toContainEqual(expect.objectContaining({ type: 'key.changed', name: 'alice' }));
    await world.close();
  });
});

test('types 0 to 127 are requests', () => {
  expect([0, 127].map(isRequest)).toEqual([true, true]);
  expect([128, 255].map(isRequest)).toEqual([false, false]);
});
