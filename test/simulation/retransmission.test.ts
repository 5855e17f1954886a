/** Protocol §6: unanswered requests. */
import { describe, expect, test } from 'vitest';
import type { SentDatagram } from '../../src/simulation/virtual-network.ts';
import { Publisher } from '../support/publisher.ts';
import { type VirtualPeer, World } from '../support/world.ts';

async function worldWithPublisher(): Promise<{ world: World; reader: VirtualPeer; publisher: Publisher }> {
  const world = new World(4);
  await world.startDirectory();
  const reader = await world.addPeer('reader');
  await world.settle(reader.peer.whenListed());
  const publisher = await Publisher.join(world, 'alice', [], new Uint8Array([2, 2]));
  return { world, reader, publisher };
}

const sentTo = (world: World, publisher: Publisher, type: number): SentDatagram[] =>
  world.network.log.filter(({ to, bytes }) => to.ip === publisher.stranger.address.ip && bytes[4] === type);

const pauses = (sent: readonly SentDatagram[]) =>
  sent.slice(1).map(({ atMs }, i) => atMs - (sent[i] as SentDatagram).atMs);

function expectDoubling(found: readonly number[], firstMs: number): void {
  for (const [i, pause] of found.entries()) {
    expect(pause).toBeGreaterThanOrEqual(firstMs * 2 ** i * 0.9 - 1);
    expect(pause).toBeLessThanOrEqual(firstMs * 2 ** i * 1.1 + 1);
  }
}

describe('a Hello that stays unanswered', () => {
  test('is sent at most four times in 30 s per address; the second and the last one under an id that ends in zero', async () => {
    const { world, reader, publisher } = await worldWithPublisher();
    publisher.stranger.answer = () => {};
    reader.peer.hello(publisher.stranger.address);
    await world.clock.advance(120_000);
    const hellos = sentTo(world, publisher, 0);
    expect(hellos).toHaveLength(4);
    expectDoubling(pauses(hellos), 2_000);
    const ids = hellos.map(({ bytes }) => Buffer.from(bytes).readUInt32BE(0));
    expect(ids[2]).toBe(ids[0]);
    expect(ids[3]).toBe(ids[1]);
    expect(ids.map((id) => (id & 0xff) === 0)).toEqual([false, true, false, true]);
    expect(Buffer.from(hellos[2]?.bytes ?? []).equals(Buffer.from(hellos[0]?.bytes ?? []))).toBe(true);
    await world.close();
  });

  test('fails the sync, and it is said which request, to whom, how often and for how long', async () => {
    const { world, reader, publisher } = await worldWithPublisher();
    publisher.stranger.answer = () => {};
    const { error } = await world.settle(reader.peer.sync('alice'));
    expect(error).toMatchObject({ code: 'peer-unreachable' });
    expect(error?.message).toMatch(/^alice \(10\.0\.9\.1:5000\) did not answer Hello within 10 s/);
    await world.close();
  });
});

describe('any other request', () => {
  test('is sent at most five times, the same id and bytes, the timeout doubling from the measured round trip', async () => {
    const { world, reader, publisher } = await worldWithPublisher();
    const { answer } = publisher.stranger;
    publisher.stranger.answer = (heard) => {
      if (heard.datagram.type === 'Hello') answer(heard);
    };
    const { error } = await world.settle(reader.peer.sync('alice'));
    expect(error?.message).toMatch(/did not answer RootRequest, which was sent \d times in \d+ s/);
    const requests = sentTo(world, publisher, 1);
    const first = requests.slice(0, 5);
    expect(new Set(first.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
    // The floor: a round trip of about 20 ms was measured with Hello.
    expectDoubling(pauses(first), 200);
    await world.close();
  });

  test('an answer to any of the sends counts', async () => {
    const { world, reader, publisher } = await worldWithPublisher();
    const { answer } = publisher.stranger;
    publisher.stranger.answer = (heard) => {
      if (heard.datagram.type !== 'GetDatum') answer(heard);
      // The first send is answered, long after the second one went out.
      else if (publisher.asked.length === 0) {
        publisher.asked.push(heard.datagram.hash);
        world.clock.setTimeout(() => answer(heard), 450);
      }
    };
    const report = await world.settle(reader.peer.sync('alice'));
    expect(report).toMatchObject({ status: 'updated', nodesFetched: 1 });
    expect(report.retransmissions).toBeGreaterThan(0);
    await world.close();
  });
});

describe('congestion', () => {
  test('starts with ten GetDatum in flight and grows while all is answered', async () => {
    const { world, reader } = await worldWithPublisher();
    const author = await world.addPeer('author', { bulk: false });
    await world.settle(author.peer.whenListed());
    for (let i = 0; i < 600; i++) author.peer.post(`message ${i}`);
    await world.settle(reader.peer.sync('author'));
    let inFlight = 0;
    let [first, most] = [0, 0];
    for (const { from, to, bytes } of world.network.log) {
      if (from.ip === reader.ip && to.ip === author.ip && bytes[4] === 2) inFlight += 1;
      if (from.ip === author.ip && to.ip === reader.ip && bytes[4] === 130) inFlight -= 1;
      if (first === 0 && inFlight >= 10) first = inFlight;
      most = Math.max(most, inFlight);
    }
    expect(first).toBe(10);
    expect(most).toBeGreaterThan(15);
    expect(most).toBeLessThanOrEqual(512);
    await world.close();
  });
});
