/** Protocol §11: single habits of programs that others wrote. The programs as a whole are in known-peers.test.ts. */
import { describe, expect, test } from 'vitest';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { Publisher } from '../support/publisher.ts';
import { addressOf, bodiesOf, listedReader } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const one = encodeMessage({ date: 1, inReplyTo: null, body: 'one' });
const two = encodeMessage({ date: 2, inReplyTo: null, body: 'two' });
const tree = encodeInternal([one, two].map(hashOf));

const worldWith = () => listedReader(13);

/** Somebody with a session and a proven address. */
async function guest(world: World, host: VirtualPeer): Promise<Stranger> {
  const stranger = await Stranger.join(world, 'guest');
  stranger.answer = ({ datagram: { type, id }, from }) => {
    if (type === 'Hello') stranger.send(from, { type: 'HelloReply', id, flags: 0, name: 'guest' });
  };
  stranger.send(addressOf(host), { type: 'Hello', id: 1, flags: 0, name: 'guest' });
  await world.clock.advance(1_000);
  return stranger;
}

describe('a peer that copies only three bytes of an id into its answers', () => {
  test('is read: the last Hello has an id whose last byte is 0, and so has every request from then on', async () => {
    const { world, reader } = await worldWith();
    const odd = await Publisher.join(world, 'odd', [one, two], tree);
    const { answer } = odd.stranger;
    const ids: number[] = [];
    odd.stranger.answer = (heard) => {
      if (['RootRequest', 'GetDatum'].includes(heard.datagram.type)) ids.push(heard.datagram.id);
      const id = (heard.datagram.id & 0xffffff00) >>> 0;
      answer({ ...heard, datagram: { ...heard.datagram, id } });
    };
    // Hello alone is repeated.
    expect(await world.settle(reader.peer.sync('odd'))).toMatchObject({ status: 'updated', retransmissions: 1 });
    expect(await world.settle(reader.peer.sync('odd'))).toMatchObject({ status: 'unchanged', datagramsSent: 1 });
    expect(bodiesOf(reader, 'odd')).toEqual(['one', 'two']);
    // Two roots, three nodes.
    expect(new Set(ids).size).toBe(5);
    expect(ids.filter((id) => (id & 0xff) !== 0)).toEqual([]);
    await world.close();
  });
});

describe('a peer that pads', () => {
  test('every datagram with zeros to 1128 bytes, and every message to 1024, is read', async () => {
    const { world, reader } = await worldWith();
    const padded = new Uint8Array(1024);
    padded.set(one);
    const alice = await Publisher.join(world, 'alice', [], padded);
    const to1128 = (bytes: Uint8Array) => {
      const whole = new Uint8Array(1128);
      whole.set(bytes);
      return whole;
    };
    const send = alice.stranger.sendBytes.bind(alice.stranger);
    alice.stranger.sendBytes = (to, bytes) => send(to, to1128(bytes));
    expect(await world.settle(reader.peer.sync('alice'))).toMatchObject({ status: 'updated', bytesFetched: 1024 });
    expect(bodiesOf(reader, 'alice')).toEqual(['one']);
    await world.close();
  });
});

describe('a peer that panics on unsigned answers', () => {
  test('sets a flag in its Hello: it gets Datum and NoDatum signed', async () => {
    const { world, reader } = await worldWith();
    const { hash } = reader.peer.post('here');
    const stranger = await guest(world, reader);
    stranger.send(addressOf(reader), { type: 'Hello', id: 2, flags: 0x08, name: 'guest' });
    await world.clock.advance(1_000);
    for (const wanted of [hash, hashOf(one)])
      stranger.send(addressOf(reader), { type: 'GetDatum', id: 5, hash: wanted });
    await world.clock.advance(1_000);
    const answers = stranger.heard.filter(({ datagram }) => ['Datum', 'NoDatum'].includes(datagram.type));
    expect(answers.map(({ isSigned }) => isSigned)).toEqual([true, true]);
    await world.close();
  });
});

describe('a peer that numbers its requests in its own way', () => {
  test('one and the same id for all of them: each is answered', async () => {
    const { world, reader } = await worldWith();
    const hashes = ['a', 'b', 'c'].map((text) => reader.peer.post(text).hash);
    const stranger = await guest(world, reader);
    for (const hash of hashes) stranger.send(addressOf(reader), { type: 'GetDatum', id: 7, hash });
    stranger.send(addressOf(reader), { type: 'RootRequest', id: 7 });
    await world.clock.advance(1_000);
    const heard = stranger.heardOf('Datum').map(({ id, hash }) => `${id} ${hash}`);
    expect(heard.toSorted()).toEqual(hashes.map((hash) => `7 ${hash}`).toSorted());
    expect(stranger.heardOf('Root')).toMatchObject([{ id: 7, hash: reader.peer.root }]);
    await world.close();
  });

  test('another id for each repetition: each Hello is answered under its own', async () => {
    const { world, reader } = await worldWith();
    const stranger = await guest(world, reader);
    for (const id of [2, 3]) stranger.send(addressOf(reader), { type: 'Hello', id, flags: 0x08, name: 'guest' });
    await world.clock.advance(1_000);
    const ids = stranger.heardOf('HelloReply').map(({ id }) => id);
    expect(ids.toSorted()).toEqual([1, 2, 3]);
    await world.close();
  });
});
