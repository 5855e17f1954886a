/** What a sync says that it took and cost, however it ends: compared with what went over the network. */
import { expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import { buildTree } from '../../src/merkle/build.ts';
import { decodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeMessage } from '../../src/wire/node.ts';
import { Publisher } from '../support/publisher.ts';
import { listedPeers } from '../support/scenarios.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const ASKING = ['Hello', 'RootRequest', 'GetDatum'];

/** How many datagrams with requests went from the reader to the author, and how many of them were repeats; Hellos up to `mostHellos`. */
function asked(
  world: World,
  reader: VirtualPeer,
  { stranger }: Publisher,
  mostHellos = Number.POSITIVE_INFINITY,
): { sent: number; repeated: number } {
  const all = world.network.log
    .filter(({ from, to }) => from.ip === reader.ip && to.ip === stranger.address.ip)
    .flatMap(({ bytes }) => {
      const decoded = decodeDatagram(bytes);
      return decoded.ok && ASKING.includes(decoded.value.datagram.type) ? [decoded.value.datagram] : [];
    });
  const requests = all.filter(({ type }) => type !== 'Hello');
  const hellos = Math.min(mostHellos, all.length - requests.length);
  const distinct = new Set(requests.map(({ id }) => id)).size + Math.min(hellos, 1);
  return { sent: requests.length + hellos, repeated: requests.length + hellos - distinct };
}

async function meet(seed: number) {
  const world = await listedPeers(seed, []);
  const reader = await world.settle(world.addPeer('reader', { register: false }));
  const leaves = Array.from({ length: 100 }, (_, date) => encodeMessage({ date, inReplyTo: null, body: `m ${date}` }));
  const { nodes, root } = buildTree(leaves.map(hashOf));
  const author = await Publisher.join(world, 'author', [...leaves, ...nodes.values()], nodes.get(root) as Uint8Array);
  return { world, reader, author };
}

const answersUntil = (author: Publisher, isOver: (type: string, id: number) => boolean) => {
  const { answer } = author.stranger;
  author.stranger.answer = (heard) => {
    const { type, id } = heard.datagram;
    if (!isOver(type, id)) answer(heard);
  };
};

test('a Hello that nobody answers: the time of waiting, and each send of it', async () => {
  const { world, reader, author } = await meet(31);
  answersUntil(author, () => true);
  const syncing = reader.peer.sync('author');
  await world.clock.advance(1_000);
  expect(reader.peer.contactWith('author')).toEqual({ status: 'greeting', addresses: [author.stranger.address] });
  const report = await world.settle(syncing);
  const { sent, repeated } = asked(world, reader, author);
  expect(sent).toBeGreaterThan(1);
  expect(report).toMatchObject({ status: 'failed', datagramsSent: sent, retransmissions: repeated });
  expect(report.durationMs).toBeGreaterThanOrEqual(timing.greetingPatience);
  expect(report.durationMs).toBeLessThan(timing.greetingPatience + 1_000);
  await world.close();
});

test.each([
  ['the root', 'RootRequest', 0],
  ['a node', 'GetDatum', 50],
])('%s that never comes: what came before, the time, and each send', async (_, type, nodes) => {
  const { world, reader, author } = await meet(32);
  // One that comes again is answered again.
  const answered = new Set<number>();
  let isSilent = false;
  answersUntil(author, (asking, id) => {
    if (asking !== type) return isSilent && asking === 'Hello';
    if (answered.size < nodes) answered.add(id);
    isSilent ||= !answered.has(id);
    return !answered.has(id);
  });
  const startMs = world.clock.elapsedMs;
  const report = await world.settle(reader.peer.sync('author'), 600_000);
  // Hellos that look for another path are the session's, which others use as well.
  const { sent, repeated } = asked(world, reader, author, 1);
  expect(report).toMatchObject({ status: 'failed', nodesFetched: nodes, datagramsSent: sent });
  expect(report.retransmissions).toBe(repeated);
  expect(Math.abs(report.durationMs - (world.clock.elapsedMs - startMs))).toBeLessThan(100);
  await world.close();
});

test('one that is under way: what is in flight counts', async () => {
  const { world, reader, author } = await meet(33);
  const answered = new Set<number>();
  answersUntil(author, (asking, id) => {
    if (asking === 'GetDatum' && answered.size < 20) answered.add(id);
    return asking === 'GetDatum' && !answered.has(id);
  });
  expect(reader.peer.syncUnderWay('author')).toBeUndefined();
  const syncing = reader.peer.sync('author', { signal: AbortSignal.any([]) });
  syncing.catch(() => {});
  await world.clock.advance(2_000);
  const { sent, repeated } = asked(world, reader, author, 1);
  expect(reader.peer.syncUnderWay('author')).toMatchObject({
    peer: 'author',
    root: author.root,
    nodesFetched: 20,
    datagramsSent: sent,
    retransmissions: repeated,
    durationMs: 2_000,
  });
  await world.close();
});

test('while Hello is said: each send of it', async () => {
  const { world, reader, author } = await meet(34);
  answersUntil(author, () => true);
  reader.peer.sync('author').catch(() => {});
  await world.clock.advance(5_000);
  expect(reader.peer.syncUnderWay('author')).toMatchObject({
    root: null,
    datagramsSent: asked(world, reader, author).sent,
    durationMs: 5_000,
  });
  await world.close();
});

test('a second sync takes its own time only', async () => {
  const { world, reader, author } = await meet(35);
  const { answer } = author.stranger;
  answersUntil(author, () => true);
  await world.settle(reader.peer.sync('author'));
  await world.clock.advance(100_000);
  author.stranger.answer = answer;
  const report = await world.settle(reader.peer.sync('author'));
  expect(report).toMatchObject({ status: 'updated', newMessages: 100, totalMessages: 100 });
  expect(report.durationMs).toBeLessThan(10_000);
  await world.close();
});

test('one that fails says how many messages are there already', async () => {
  const { world, reader, author } = await meet(36);
  await world.settle(reader.peer.sync('author'));
  await world.clock.advance(2 * timing.sessionLifetime);
  author.stranger.answer = () => {};
  world.registry.prove('author', author.stranger.keyPair.publicKey, author.stranger.address, world.clock.now());
  expect(await world.settle(reader.peer.sync('author'))).toMatchObject({ status: 'failed', totalMessages: 100 });
  await world.close();
});
