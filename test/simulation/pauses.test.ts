/** Protocol §6, §8: when a request is sent again, and when help is asked for. */
import { describe, expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import { Publisher } from '../support/publisher.ts';
import { listedReader } from '../support/scenarios.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const HELLO = 0;
const NAT_TRAVERSAL_CLIENT = 132;

const worldWith = () => listedReader(17);

/** When the reader sent datagrams of this type to this host, in ms. */
const timesOf = ({ world, reader }: { world: World; reader: VirtualPeer }, type: number, ip: string) =>
  world.network.log
    .filter(({ from, to, bytes }) => from.ip === reader.ip && to.ip === ip && bytes[4] === type)
    .map(({ atMs }) => atMs);

test('pauses vary by a tenth either way, so that requests that went out together come again apart', async () => {
  const { world, reader } = await worldWith();
  const silent = Array.from({ length: 40 }, (_, i) => `10.0.7.${i + 1}`);
  for (const ip of silent) reader.peer.hello({ ip, port: 9 });
  await world.clock.advance(5_000);
  const pauses = silent.map((ip) => {
    const [first = 0, second = 0] = timesOf({ world, reader }, HELLO, ip);
    return (second - first) / timing.helloTimeout;
  });
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(1 - timing.timeoutJitter);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1 + timing.timeoutJitter);
  // Evenly spread: some in the outer quarters on both sides.
  expect(Math.min(...pauses)).toBeLessThan(1 - timing.timeoutJitter / 2);
  expect(Math.max(...pauses)).toBeGreaterThan(1 + timing.timeoutJitter / 2);
  await world.close();
});

describe('a listed peer that does not answer', () => {
  test('the directory is asked to open its NAT just before Hello is said again, within one timeout', async () => {
    const { world, reader } = await worldWith();
    const silent = await Publisher.join(world, 'silent', [], Uint8Array.of(2));
    silent.stranger.answer = () => {};
    await world.settle(reader.peer.sync('silent'));
    const hellos = timesOf({ world, reader }, HELLO, silent.stranger.address.ip);
    const [asked = 0, again = 0, ...more] = timesOf({ world, reader }, NAT_TRAVERSAL_CLIENT, '10.0.0.1');
    expect(more).toEqual([]);
    const [first = 0, second = 0] = hellos;
    expect([asked - first, again - first]).toEqual([timing.traversalDelay, timing.secondTraversalDelay]);
    expect(asked).toBeLessThan(second);
    await world.close();
  });
});
