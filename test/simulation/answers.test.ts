/** Protocol §4, §5, §8: what counts as an answer, and what is owed one. */
import { describe, expect, test } from 'vitest';
import { limits } from '../../machines/timing.ts';
import { appendSignature, type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { EMPTY_ROOT, hashOf, ZERO_HASH } from '../../src/wire/hash.ts';
import { Publisher } from '../support/publisher.ts';
import { addressOf, bodiesOf, listedPeers, listedReader } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const DIRECTORY = { ip: '10.0.0.1', port: 1194 };
const sentBy = (world: World, ip: string) => world.network.log.filter(({ from }) => from.ip === ip);
const idOf = ({ bytes }: { bytes: Uint8Array }) => Buffer.from(bytes).readUInt32BE(0);

/** Signed by somebody who is not on the network. */
async function signedBy(world: World, label: string, datagram: Datagram): Promise<Uint8Array> {
  const bytes = encodeDatagram(datagram);
  const { sign } = await world.identity(label);
  return appendSignature(bytes, await sign(bytes));
}

const worldWith = () => listedReader(11);

describe('HelloReply and Root of a peer with a key', () => {
  test.for(['Hello', 'RootRequest'] as const)(
    'unsigned, or signed by another key, do not answer %s; the request goes on',
    async (asked) => {
      const { world, reader } = await worldWith();
      const leaf = Uint8Array.of(2, 2);
      const alice = await Publisher.join(world, 'alice', [], leaf);
      const { answer } = alice.stranger;
      let sends = 0;
      alice.stranger.answer = (heard) => {
        const { datagram, from } = heard;
        if (datagram.type !== asked) return answer(heard);
        sends += 1;
        const forged = { id: datagram.id, flags: 0, name: 'alice', hash: hashOf(leaf) };
        const reply = { ...forged, type: asked === 'Hello' ? 'HelloReply' : 'Root' } as const;
        if (sends === 1) alice.stranger.send(from, reply);
        // Under alice's address, since answers from elsewhere are dropped before their signature is looked at.
        else if (sends === 2)
          void signedBy(world, 'mallory', reply).then((bytes) => alice.stranger.sendBytes(from, bytes));
        else answer(heard);
      };
      expect(await world.settle(reader.peer.sync('alice'))).toMatchObject({ status: 'updated', nodesFetched: 1 });
      expect(sends).toBe(3);
      expect(reader.peer.traffic.dropped).toEqual({ 'answer does not fit its request': 2 });
      await world.close();
    },
  );
});

describe('requests of ours', () => {
  test('carry ids that are not zero, each another one', async () => {
    const world = await listedPeers(12, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    for (let i = 0; i < 400; i++) alice.peer.post(`message ${i}`);
    await world.settle(bob.peer.sync('alice'));
    const requests = sentBy(world, bob.ip).filter(({ bytes }) => (bytes[4] as number) < 128);
    // One that seemed lost goes out again as it is.
    const different = [...new Map(requests.map((sent) => [Buffer.from(sent.bytes).toString('hex'), sent])).values()];
    const ids = different.map(idOf);
    expect(ids.length).toBeGreaterThan(10);
    expect(ids).not.toContain(0);
    expect(new Set(ids).size).toBe(ids.length);
    await world.close();
  });

  test('are signed, but for GetDatum: what answers that is protected by its hash', async () => {
    const { world, reader } = await worldWith();
    const { stranger } = await Publisher.join(world, 'alice', [], Uint8Array.of(2, 2));
    await world.settle(reader.peer.sync('alice'));
    const signed = stranger.heard.map(({ datagram, isSigned }) => [datagram.type, isSigned]);
    expect(signed).toEqual([
      ['Hello', true],
      ['RootRequest', true],
      ['GetDatum', false],
    ]);
    await world.close();
  });
});

describe('an unsolicited HelloReply', () => {
  test('keeps a path open and nothing else: it is not answered, and not counted as dropped', async () => {
    const { world, reader } = await worldWith();
    const stranger = await Stranger.join(world, 'stranger');
    stranger.send(addressOf(reader), { type: 'HelloReply', id: 0, flags: 0, name: 'stranger' });
    await world.clock.advance(60_000);
    expect(stranger.heard).toEqual([]);
    expect(reader.peer.traffic.dropped).toEqual({});
    await world.close();
  });
});

describe('GetDatum', () => {
  test('is answered with Datum or NoDatum, always; for the root of nothing with NoDatum', async () => {
    const { world, reader } = await worldWith();
    const { hash } = reader.peer.post('here');
    const alice = await Stranger.join(world, 'alice');
    alice.answer = ({ datagram: { type, id }, from }) => {
      if (type === 'Hello') void alice.sendSigned(from, { type: 'HelloReply', id, flags: 0, name: 'alice' });
    };
    await alice.sendSigned(addressOf(reader), { type: 'Hello', id: 1, flags: 0, name: 'alice' });
    await world.clock.advance(1_000);
    for (const [i, wanted] of [hash, 'ab'.repeat(32), EMPTY_ROOT, ZERO_HASH].entries()) {
      alice.send(addressOf(reader), { type: 'GetDatum', id: 10 + i, hash: wanted });
    }
    await world.clock.advance(1_000);
    expect(alice.heardOf('Datum')).toMatchObject([{ id: 10, hash }]);
    const absent = alice.heardOf('NoDatum').toSorted((a, b) => a.id - b.id);
    expect(absent).toEqual([
      { type: 'NoDatum', id: 11, hash: 'ab'.repeat(32) },
      { type: 'NoDatum', id: 12, hash: EMPTY_ROOT },
      { type: 'NoDatum', id: 13, hash: ZERO_HASH },
    ]);
    await world.close();
  });
});

describe('a root that means "no messages"', () => {
  test.for([
    ['the hash of the empty string', EMPTY_ROOT],
    ['32 zero bytes', ZERO_HASH],
  ] as const)('%s: nothing more is asked', async ([, root]) => {
    const { world, reader } = await worldWith();
    const quiet = await Publisher.join(world, 'quiet', [], new Uint8Array([2]));
    quiet.root = root;
    const report = await world.settle(reader.peer.sync('quiet'));
    expect(report).toMatchObject({ totalMessages: 0, nodesFetched: 0 });
    expect(report.error).toBeUndefined();
    expect(quiet.asked).toEqual([]);
    expect(bodiesOf(reader, 'quiet')).toEqual([]);
    await world.close();
  });
});

describe('the directory', () => {
  test('its Hello must be signed with its key: its address alone is not enough', async () => {
    const { world, reader } = await worldWith();
    const hello = { type: 'Hello', flags: 0, name: '' } as const;
    world.network.forge(DIRECTORY, addressOf(reader), encodeDatagram({ ...hello, id: 1 }));
    const signed = await signedBy(world, 'impostor', { ...hello, id: 2 });
    world.network.forge(DIRECTORY, addressOf(reader), signed);
    await world.clock.advance(60_000);
    const replies = sentBy(world, reader.ip).filter(({ bytes }) => bytes[4] === 128);
    expect(replies.length).toBeGreaterThan(0);
    expect(replies.map(idOf).filter((id) => id <= 2)).toEqual([]);
    await world.close();
  });

  test('lists an address once it answers with the same id and under the registered name', async () => {
    const { world } = await worldWith();
    const alice = await Stranger.join(world, 'alice');
    const now = () => world.clock.now();
    world.registry.register('alice', alice.keyPair.publicKey, now());
    const greet = async (answered: { name: string; idOffset: number }) => {
      alice.answer = ({ datagram: { type, id } }) => {
        if (type !== 'Hello') return;
        void alice.sendSigned(DIRECTORY, {
          type: 'HelloReply',
          id: id + answered.idOffset,
          flags: 0,
          name: answered.name,
        });
      };
      await alice.sendSigned(DIRECTORY, { type: 'Hello', id: 1, flags: 0, name: 'alice' });
      await world.clock.advance(60_000);
      world.registry.register('alice', alice.keyPair.publicKey, now());
      return world.registry.peers(now());
    };
    expect(await greet({ name: 'bob', idOffset: 0 })).toEqual(['reader']);
    expect(await greet({ name: 'alice', idOffset: 1 })).toEqual(['reader']);
    expect(await greet({ name: 'alice', idOffset: 0 })).toEqual(['alice', 'reader']);
    await world.close();
  });

  test('may have NATs opened at a limited rate: each time with an unsolicited HelloReply', async () => {
    const { world, reader } = await worldWith();
    for (let port = 1; port <= 50; port++) {
      const bytes = encodeDatagram({ type: 'NatTraversalServer', id: 0, address: { ip: '10.0.9.9', port } });
      world.network.forge(DIRECTORY, addressOf(reader), bytes);
    }
    await world.clock.advance(1_000);
    const opening = sentBy(world, reader.ip).filter(({ to }) => to.ip === '10.0.9.9');
    expect(opening).toHaveLength(limits.traversalsPerSweep);
    expect(opening.map((sent) => [sent.bytes[4], idOf(sent)])).toEqual(opening.map(() => [128, 0]));
    await world.close();
  });
});
