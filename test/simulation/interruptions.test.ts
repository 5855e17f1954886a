/** What comes between a download and its end: refusals, forged Hellos, a tree that turns into another, outages. */
import { describe, expect, test } from 'vitest';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { message, Publisher, parent } from '../support/publisher.ts';
import { addressOf, bodiesOf, worldWithReader } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { World } from '../support/world.ts';

const HOUR = 3_600_000;
const messages = (count: number, label: string) => Array.from({ length: count }, (_, i) => message(`${label} ${i}`));

/** A tree of two levels. */
async function join(world: World, name: string, leaves: readonly Uint8Array[]): Promise<Publisher> {
  const groups = [];
  for (let i = 0; i < leaves.length; i += 30) groups.push(parent(...leaves.slice(i, i + 30)));
  return Publisher.join(world, name, [...leaves, ...groups], parent(...groups));
}

test('a refusal that comes when the session has failed ends the walk, and the next one begins', async () => {
  const { world, reader } = await worldWithReader();
  const [one, two] = [message('one'), message('two')];
  const odd = await Publisher.join(world, 'odd', [one, two], parent(one, two));
  const { answer } = odd.stranger;
  const asked = new Map<string, number>();
  let isForgetful = false;
  odd.stranger.answer = (heard) => {
    const { datagram, from } = heard;
    const key = 'hash' in datagram ? datagram.hash : datagram.type;
    const times = (asked.get(key) ?? 0) + 1;
    asked.set(key, times);
    const refuse = () =>
      odd.stranger.send(from, { type: 'Error', id: datagram.id, text: 'no session: say Hello first' });
    // A slow link, on which timeouts are long; then one is refused at once, the other at its last send, and Hello is not heard.
    if ((key === 'RootRequest' || key === odd.root) && times < 5) return;
    if (key === hashOf(one)) isForgetful = true;
    if (key === hashOf(one) || (key === hashOf(two) && times === 5)) refuse();
    else if (key !== hashOf(two) && !isForgetful) answer(heard);
  };
  expect(await world.settle(reader.peer.sync('odd'), HOUR)).toMatchObject({ status: 'failed' });
  odd.stranger.answer = answer;
  expect(await world.settle(reader.peer.sync('odd'), HOUR)).toMatchObject({ status: 'updated', newMessages: 2 });
  await world.close();
});

test('forged Hellos under the name of whoever is downloaded from take no answers away', async () => {
  const { world, reader } = await worldWithReader();
  // Nothing overtakes anything, so that nothing is asked for again unless its answer was taken away.
  world.network.weather = { ...world.network.weather, minDelayMs: 10, maxDelayMs: 10 };
  const victim = await join(world, 'victim', messages(300, 'm'));
  let forged = 0;
  const forge = () => {
    forged += 1;
    const hello = encodeDatagram({ type: 'Hello', id: forged, flags: 0, name: 'victim' });
    world.network.forge(victim.stranger.address, addressOf(reader), hello);
    if (forged < 100) world.clock.setTimeout(forge, 8);
  };
  world.clock.setTimeout(forge, 40);
  const report = await world.settle(reader.peer.sync('victim'));
  expect(forged).toBeGreaterThan(10);
  expect(report).toMatchObject({ status: 'updated', newMessages: 300, retransmissions: 0 });
  await world.close();
});

test('whoever says Hello to two addresses of ours is answered at both', async () => {
  const { world, reader } = await worldWithReader({ udp: ['10.0.1.1:0', '10.0.1.9:0'] });
  const stranger = await Stranger.join(world, 'stranger');
  stranger.answer = ({ datagram: { type, id }, from }) => {
    if (type === 'Hello') stranger.send(from, { type: 'HelloReply', id, flags: 0, name: 'stranger' });
  };
  for (const [id, index] of [0, 1, 0, 0, 1, 0].entries()) {
    stranger.send(addressOf(reader, index), { type: 'Hello', id: id + 1, flags: 0, name: 'stranger' });
    await world.clock.advance(3_000);
  }
  expect(stranger.heardOf('HelloReply').map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
  await world.close();
});

describe('a tree that turns into another while it is downloaded', () => {
  /** What was asked of the former tree is answered by `late`, if at all. */
  async function turning(late: (publisher: Publisher, from: SocketAddress, id: number, hash: string) => void) {
    const { world, reader } = await worldWithReader();
    const [former, later] = [messages(12, 'former'), messages(3, 'later')];
    const quick = await Publisher.join(world, 'quick', former, parent(...former));
    const { answer } = quick.stranger;
    let hasTurned = false;
    quick.stranger.answer = (heard) => {
      const { datagram, from } = heard;
      if (datagram.type !== 'GetDatum' || !former.some((node) => hashOf(node) === datagram.hash)) return answer(heard);
      if (hasTurned) return late(quick, from, datagram.id, datagram.hash);
      hasTurned = true;
      quick.nodes.clear();
      for (const node of [...later, parent(...later)]) quick.nodes.set(hashOf(node), node);
      quick.root = hashOf(parent(...later));
      quick.stranger.send(from, { type: 'NoDatum', id: datagram.id, hash: datagram.hash });
    };
    const report = await world.settle(reader.peer.sync('quick'));
    await world.close();
    return { report, bodies: bodiesOf(reader, 'quick') };
  }
  const bodies = ['later 0', 'later 1', 'later 2'];

  test('is downloaded, though nodes of the former one are told absent late', async () => {
    const result = await turning(({ stranger }, from, id, hash) => stranger.send(from, { type: 'NoDatum', id, hash }));
    expect(result).toMatchObject({ report: { status: 'updated', newMessages: 3 }, bodies });
  });

  test('is downloaded, though requests for the former one are never answered', async () => {
    expect(await turning(() => {})).toMatchObject({ report: { status: 'updated', newMessages: 3 }, bodies });
  });
});

test('a request that follows an outage is not measured as long as the outage was', async () => {
  const { world, reader } = await worldWithReader();
  const leaves = messages(4, 'm');
  const slow = await Publisher.join(world, 'slow', leaves, parent(...leaves));
  const { answer } = slow.stranger;
  let roots = 0;
  let isLost = true;
  slow.stranger.answer = (heard) => {
    if (heard.datagram.type === 'RootRequest' && roots++ < 5) return;
    if (heard.datagram.type === 'GetDatum' && isLost) isLost = false;
    else answer(heard);
  };
  const report = await world.settle(reader.peer.sync('slow'));
  expect(report).toMatchObject({ status: 'updated', newMessages: 4 });
  // The RootRequest that failed takes about 6.2 s; its last timeout, 3.2 s, stays until there is a measurement, and no longer.
  expect(report.durationMs).toBeLessThan(10_000);
  await world.close();
});

test('a Hello to an address of a family that no socket of ours speaks fails, and says why', async () => {
  const { world, reader } = await worldWithReader();
  reader.peer.hello({ ip: '2001:db8::1', port: 5 });
  await world.clock.advance(60_000);
  const failed = reader.facts.find(({ type }) => type === 'session.failed');
  expect(failed).toMatchObject({
    failure: { message: expect.stringContaining('can reach [2001:db8::1]:5: listen on') },
  });
  expect(reader.peer.actors.some((path) => path.includes('2001:db8::1'))).toBe(false);
  await world.close();
});
