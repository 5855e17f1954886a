/** Protocol §9: what hostile datagrams get. */
import { describe, expect, test } from 'vitest';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { message, Publisher, parent } from '../support/publisher.ts';
import { addressOf, bodiesOf, worldWithReader } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';

describe('malformed datagrams', () => {
  test('are dropped and counted; never a crash, never an answer', async () => {
    const { world, reader } = await worldWithReader();
    const stranger = await Stranger.join(world, 'stranger');
    for (const hex of ['', '00', '000000010000', '0000000100ffff', '00000001020001ff', '0000000100000500000000ff']) {
      stranger.sendBytes(addressOf(reader), new Uint8Array(Buffer.from(hex, 'hex')));
    }
    await world.clock.advance(60_000);
    expect(stranger.heard).toEqual([]);
    expect(reader.peer.traffic.dropped).toEqual({ malformed: 6 });
    await world.close();
  });
});

describe('a Datum with the wrong hash, or that nobody asked for', () => {
  test('is dropped and counted; the request goes on', async () => {
    const { world, reader } = await worldWithReader();
    const [one, two] = [message('one'), message('two')];
    const liar = await Publisher.join(world, 'liar', [one, two], parent(one, two));
    let lies = 0;
    liar.tamper = (hash, id) => {
      if (hash !== hashOf(one) || lies++ > 0) return false;
      const to = addressOf(reader);
      // A forged value, a value for another hash, another source's answer: none may end the request.
      liar.stranger.send(to, { type: 'Datum', id, hash, value: message('forged') });
      liar.stranger.send(to, { type: 'Datum', id, hash: hashOf(two), value: two });
      liar.stranger.send(to, { type: 'Datum', id: id ^ 1, hash, value: one });
      liar.stranger.send(to, { type: 'Root', id, hash });
      const value = encodeDatagram({ type: 'Datum', id, hash, value: one });
      world.network.forge({ ip: '10.9.9.9', port: 9 }, to, value);
      return true;
    };
    const report = await world.settle(reader.peer.sync('liar'));
    expect(report).toMatchObject({ status: 'updated', newMessages: 2, retransmissions: 1 });
    expect(bodiesOf(reader, 'liar')).toEqual(['one', 'two']);
    expect(reader.peer.traffic.dropped).toEqual({
      'answer does not fit its request': 3,
      'answer to no request': 2,
    });
    await world.close();
  });

  test('is not kept: nobody can put nodes into our store', async () => {
    const { world, reader } = await worldWithReader();
    const stranger = await Stranger.join(world, 'stranger');
    const value = message('unasked');
    stranger.send(addressOf(reader), { type: 'Datum', id: 5, hash: hashOf(value), value });
    await world.clock.advance(1_000);
    expect(reader.store.getNode(hashOf(value))).toBeUndefined();
    await world.close();
  });
});

describe('Errors', () => {
  test('an Error is never answered, and always told', async () => {
    const { world, reader } = await worldWithReader();
    const stranger = await Stranger.join(world, 'stranger');
    for (const id of [0, 7]) stranger.send(addressOf(reader), { type: 'Error', id, text: 'go away' });
    await world.clock.advance(60_000);
    expect(stranger.heard).toEqual([]);
    const told = reader.facts.filter(({ type }) => type === 'error.received');
    expect(told).toMatchObject([{ text: 'go away', from: stranger.address }, { text: 'go away' }]);
    await world.close();
  });

  test('ours have at most 64 bytes of body, and are limited per source', async () => {
    const { world, reader } = await worldWithReader();
    const stranger = await Stranger.join(world, 'stranger');
    for (let id = 1; id <= 200; id++) stranger.send(addressOf(reader), { type: 'RootRequest', id });
    await world.clock.advance(1_000);
    const errors = stranger.heardOf('Error');
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(5);
    for (const { text } of errors) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64);
    await world.close();
  });

  test('and limited in all, from however many sources they are provoked', async () => {
    const { world, reader } = await worldWithReader();
    for (let i = 0; i < 1_000; i++) {
      const from = { ip: `10.${1 + (i >> 8)}.${i & 255}.9`, port: 9 };
      world.network.forge(from, addressOf(reader), encodeDatagram({ type: 'RootRequest', id: i + 1 }));
    }
    await world.clock.advance(1_000);
    const errors = world.network.log.filter(({ from, bytes }) => from.ip === reader.ip && bytes[4] === 254);
    expect(errors.length).toBe(200);
    await world.close();
  });
});
