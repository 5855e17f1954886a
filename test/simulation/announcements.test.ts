/** Announced roots are looked into at a limited rate: signed ones can be replayed, and new ones made without end. */
import { describe, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { encodeInternal } from '../../src/wire/node.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { message, Publisher } from '../support/publisher.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { World } from '../support/world.ts';

test('a peer with a new root every ten milliseconds costs a few downloads, and its newest one is there soon after', async () => {
  const world = new World(1);
  await world.startDirectory();
  const loud = await Publisher.join(world, 'loud', [], message('first'));
  const reader = await world.addPeer('reader', { follow: ['loud'] });
  await world.settle(reader.peer.whenListed());
  await world.until(() => bodiesOf(reader, 'loud').includes('first'));
  const before = reader.facts.length;
  const to = reader.peer.addresses[0] as SocketAddress;
  for (let i = 0; i < 500; i++) {
    const node = message(`message ${i}`);
    loud.root = hashOf(node);
    loud.nodes.set(loud.root, node);
    await loud.stranger.sendSigned(to, { type: 'Root', id: 0, hash: loud.root });
    await world.clock.advance(10);
  }
  const walks = reader.facts.slice(before).filter(({ type }) => type === 'sync.finished');
  // Five seconds at one a second, what is allowed at once, and one for each sweep.
  expect(walks.length).toBeLessThanOrEqual(limits.announcedWalks + 5 + 2);
  await world.clock.advance(10_000);
  expect(bodiesOf(reader, 'loud')).toContain('message 499');
  await world.close();
});

describe('an author who does not push', () => {
  async function follow(seed: number) {
    const world = new World(seed);
    await world.startDirectory();
    const quiet = await Publisher.join(world, 'quiet', [], message('first'));
    const reader = await world.addPeer('reader', { follow: ['quiet'] });
    await world.settle(reader.peer.whenListed());
    await world.until(() => bodiesOf(reader, 'quiet').includes('first'));
    return { world, quiet, reader };
  }

  test('or whose pushes are all lost, is read when it is asked whether it answers: within 15 s, long before the next poll', async () => {
    const { world, quiet, reader } = await follow(3);
    await world.clock.advance(timing.followInterval + 5_000);
    const node = message('second');
    quiet.root = hashOf(node);
    quiet.nodes.set(quiet.root, node);
    await world.clock.advance(15_000);
    expect(bodiesOf(reader, 'quiet')).toContain('second');
    await world.close();
  });

  test('causes no downloads as long as it says nothing new, by whatever it pushes', async () => {
    const { world, quiet, reader } = await follow(4);
    await world.clock.advance(5_000);
    const before = reader.facts.length;
    const to = reader.peer.addresses[0] as SocketAddress;
    for (let i = 0; i < 4; i++) {
      await quiet.stranger.sendSigned(to, { type: 'Root', id: 0, hash: quiet.root as Hash });
      await world.clock.advance(8_000);
    }
    const syncs = reader.facts.slice(before).filter(({ type }) => type === 'sync.finished');
    // Those of the poll that comes once a minute.
    expect(syncs.length).toBeLessThanOrEqual(1);
    await world.close();
  });
});

describe('an announced root that is older than what the reader has', () => {
  const nodes = ['one', 'two', 'three'].map(message);
  const parentOf = (count: number) => encodeInternal(nodes.slice(0, count).map(hashOf));
  const roots = { early: parentOf(2), late: parentOf(3) };

  async function begin() {
    const world = new World(2);
    await world.startDirectory();
    const author = await Publisher.join(world, 'author', [...nodes, ...Object.values(roots)], roots.early);
    const reader = await world.addPeer('reader', { follow: ['author'] });
    await world.settle(reader.peer.whenListed());
    const to = reader.peer.addresses[0] as SocketAddress;
    const announce = (root: Uint8Array) => author.stranger.sendSigned(to, { type: 'Root', id: 0, hash: hashOf(root) });
    const syncs = () => reader.facts.filter(({ type }) => type === 'sync.finished').length;
    /** Announces it, and waits until the reader has looked into it. */
    const announceAndWait = async (root: Uint8Array) => {
      const before = syncs();
      await announce(root);
      await world.until(() => syncs() > before);
    };
    const seen: string[] = [];
    const stop = reader.peer.on('*', () => {
      const bodies = bodiesOf(reader, 'author').join(' ');
      if (seen.at(-1) !== bodies) seen.push(bodies);
    });
    await world.until(() => bodiesOf(reader, 'author').length === 2);
    return { world, author, reader, announceAndWait, seen, stop };
  }
  type Scene = Awaited<ReturnType<typeof begin>>;

  const end = async ({ world, stop }: Scene) => {
    stop();
    await world.close();
  };

  test('and was superseded takes nobody back: its author is asked, and has a later one', async () => {
    const scene = await begin();
    const { author, announceAndWait, reader, seen } = scene;
    author.root = hashOf(roots.late);
    await announceAndWait(roots.late);
    await announceAndWait(roots.early);
    expect(seen.slice(-1)).toEqual(['one two three']);
    expect(seen.filter((bodies) => bodies === 'one two').length).toBeLessThanOrEqual(1);
    expect(reader.facts.some(({ type }) => type === 'history.wentBack')).toBe(false);
    await end(scene);
  });

  test('and was never seen takes nobody back either, if messages would go with it', async () => {
    const scene = await begin();
    const { author, announceAndWait, seen } = scene;
    const between = encodeInternal([nodes[0], nodes[2]].map((node) => hashOf(node as Uint8Array)));
    author.nodes.set(hashOf(between), between);
    author.root = hashOf(roots.late);
    await announceAndWait(roots.late);
    await announceAndWait(between);
    expect(seen.at(-1)).toBe('one two three');
    expect(seen).not.toContain('one three');
    await end(scene);
  });

  test('is gone back to if its author has it, and says so', async () => {
    const scene = await begin();
    const { author, announceAndWait, reader, seen } = scene;
    author.root = hashOf(roots.late);
    await announceAndWait(roots.late);
    author.root = hashOf(roots.early);
    await announceAndWait(roots.early);
    expect(seen.at(-1)).toBe('one two');
    expect(reader.facts.filter(({ type }) => type === 'history.wentBack')).toHaveLength(1);
    await end(scene);
  });
});
