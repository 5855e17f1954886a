/** Protocol §6: how fast a feed comes from a peer without extensions, far away, whatever is lost on the way. */
import { expect, test } from 'vitest';
import { buildTree } from '../../src/merkle/build.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeMessage } from '../../src/wire/node.ts';
import { Publisher } from '../support/publisher.ts';
import { World } from '../support/world.ts';

const MESSAGES = 3_000;

test.each([
  [0, 3_000],
  [0.01, 1_500],
  [0.05, 600],
])('at a round trip of 50 ms and a loss of %d each way, %d messages a second at least', async (loss, wanted) => {
  const world = new World(71, { loss: 0, duplication: 0, minDelayMs: 25, maxDelayMs: 25 });
  await world.startDirectory();
  const reader = await world.addPeer('reader');
  await world.settle(reader.peer.whenListed());
  const leaves = Array.from({ length: MESSAGES }, (_, date) =>
    encodeMessage({ date, inReplyTo: null, body: `m ${date}` }),
  );
  const { nodes, root } = buildTree(leaves.map(hashOf));
  const author = await Publisher.join(world, 'author', [...leaves, ...nodes.values()], nodes.get(root) as Uint8Array);
  const weather = { loss, duplication: 0, minDelayMs: 25, maxDelayMs: 25 };
  world.network.setWeatherBetween(author.stranger.address.ip, reader.ip, weather);
  const startMs = world.clock.elapsedMs;
  const report = await world.settle(reader.peer.sync('author'));
  expect(report).toMatchObject({ status: 'updated', totalMessages: MESSAGES });
  expect(MESSAGES / ((world.clock.elapsedMs - startMs) / 1_000)).toBeGreaterThan(wanted);
  // What was not lost is hardly ever asked for twice.
  expect(report.retransmissions).toBeLessThan(report.datagramsSent * (3 * loss + 0.01));
  await world.close();
});
