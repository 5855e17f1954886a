/** Protocol §3, §5: a follower learns from its directory, with one question a sweep, that an author who knows nobody is elsewhere or has started anew. */
import { describe, expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import { Live } from '../../src/cli/front-end/live.ts';
import type { VirtualHost } from '../../src/simulation/virtual-host.ts';
import { addListed, MINUTE, postAndWait, SECOND, waitFor, waitForListing } from '../support/delivery/arrivals.ts';
import { type VirtualPeer, World } from '../support/world.ts';

interface Scene {
  readonly world: World;
  readonly author: VirtualPeer;
  readonly reader: VirtualPeer;
}

async function begin(world = new World(53, undefined, { isLong: true })): Promise<Scene> {
  await world.startDirectory();
  const [author, reader] = (await addListed(world, { author: [], reader: ['author'] })) as [VirtualPeer, VirtualPeer];
  await postAndWait(world, author, reader, 'before');
  return { world, author, reader };
}

/** The author's key in a new home, in which nothing is known of who reads. Milliseconds from being listed until the reader has its post. */
async function startAnew({ world, reader }: Scene, on: VirtualHost): Promise<number> {
  const author = await world.addPeer('author', { host: on });
  await world.settle(author.peer.whenListed());
  return postAndWait(world, author, reader, 'after');
}

const newHost = (world: World) => world.network.hostAt('198.51.100.7');

describe('an author who does not know its readers is read within ten seconds of being listed by whoever is in session with it', () => {
  // Whenever it comes within the reader's sweep and within its minute of asking.
  test.each([0, 1, 2, 3, 4, 13, 27, 41])('on another machine, %i s later', async (seconds) => {
    const scene = await begin();
    const { world, author, reader } = scene;
    world.kill(author);
    await world.clock.advance(seconds * SECOND);
    expect(reader.peer.sessions.outgoing).toBeGreaterThan(0);
    expect(await startAnew(scene, newHost(world))).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });

  test.each([0, 1, 2, 3, 4, 13, 27, 41])('on the same port of the same machine, %i s later', async (seconds) => {
    const scene = await begin();
    const { world, author } = scene;
    world.kill(author);
    await world.clock.advance(seconds * SECOND);
    expect(await startAnew(scene, author.host)).toBeLessThanOrEqual(2 * timing.sweepInterval);
    await world.close();
  });

  test('on the same port, seconds after a start', async () => {
    const scene = await begin();
    const { world, author } = scene;
    await world.restart(author);
    await world.settle(author.peer.whenListed());
    await world.clock.advance(3 * SECOND);
    world.kill(author);
    expect(await startAnew(scene, author.host)).toBeLessThanOrEqual(2 * timing.sweepInterval);
    await world.close();
  });

  test('and while the author before it still answers, nothing is taken away from that', async () => {
    const scene = await begin();
    const { world, author, reader } = scene;
    const second = await world.addPeer('author', { host: newHost(world), store: author.store });
    await world.settle(second.peer.whenListed());
    await world.clock.advance(MINUTE);
    const opened = reader.facts.length;
    expect(await postAndWait(world, author, reader, 'from the first')).toBeLessThanOrEqual(SECOND);
    expect(reader.facts.slice(opened).filter(({ type }) => type === 'session.opened')).toEqual([]);
    await world.close();
  });
});

describe('a follower without a session', () => {
  test.each([
    ['asks what has changed', true],
    ['asks a directory that does not tell by name', false],
  ])('%s, and reads an author who comes back within ten seconds of being listed', async (_, hasCursors) => {
    const world = new World(54, undefined, { isLong: true });
    world.hasCursors = hasCursors;
    const { author, reader } = await begin(world);
    await author.peer.close();
    await world.clock.advance(5 * MINUTE);
    expect(reader.peer.sessions.outgoing).toBe(1);
    expect(await startAnew({ world, author, reader }, newHost(world))).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });
});

describe('the directory is gone while an author starts anew, and comes back', () => {
  test.each([
    ['as it was', false],
    ['emptied', true],
  ])('%s: the post is at the follower ten seconds after the author is listed', async (_, isEmptied) => {
    const { world, author, reader } = await begin();
    world.stopDirectory();
    world.isDirectoryDown = true;
    world.kill(author);
    await world.clock.advance(20 * SECOND);
    const restarted = await world.addPeer('author', { host: newHost(world), store: author.store });
    restarted.peer.post('after');
    await world.clock.advance(20 * SECOND);
    await world.restartDirectory({ isEmptied });
    world.isDirectoryDown = false;
    expect(await waitForListing(world, restarted)).toBeLessThanOrEqual(10 * SECOND);
    expect(await waitFor(world, restarted, reader, 'after')).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });
});

test('online is who has answered lately: not an author who is gone, though listed, and again once it has started anew', async () => {
  const scene = await begin();
  const { world, author, reader } = scene;
  using live = new Live(reader.peer, reader.host.clock);
  const isOnline = () => live.isOnline('author', reader.store.peer('author')?.lastSyncMs);
  await world.clock.advance(3 * timing.followInterval);
  expect(isOnline()).toBe(true);
  // Every minute it is asked, though there is nothing new since the first time.
  const storedMs = reader.store.peer('author')?.lastSyncMs;
  const sinceMs = reader.host.clock.now() - (live.lastSyncMs('author', storedMs) ?? 0);
  expect(sinceMs).toBeLessThanOrEqual(timing.followInterval + 15 * SECOND);
  world.kill(author);
  await world.clock.advance(2 * timing.followInterval);
  expect(world.registry.peers(world.clock.now())).toContain('author');
  expect(isOnline()).toBe(false);
  await startAnew(scene, newHost(world));
  expect(isOnline()).toBe(true);
  await world.close();
});

test('a front end that has just attached knows who is online, and when nothing new was found last, as the status has it', async () => {
  const { world, author, reader } = await begin();
  await world.clock.advance(10 * MINUTE);
  const stored = () => reader.store.peer('author')?.lastSyncMs as number;
  const status = () => reader.peer.status().following;
  const { clock } = reader.host;
  using live = new Live(reader.peer, clock, status());
  expect(live.isOnline('author', stored())).toBe(true);
  for (let i = 0; i < 3; i++) {
    expect(live.lastSyncMs('author', stored())).toBe(status()[0]?.lastSyncMs);
    expect(clock.now() - (live.lastSyncMs('author', stored()) as number)).toBeLessThan(2 * timing.followInterval);
    expect(clock.now() - stored()).toBeGreaterThan(9 * MINUTE);
    await world.clock.advance(timing.followInterval);
  }
  world.kill(author);
  await world.clock.advance(2 * timing.followInterval);
  using later = new Live(reader.peer, clock, status());
  for (const front of [live, later]) {
    expect(front.isOnline('author', stored())).toBe(false);
    expect(front.lastSyncMs('author', stored())).toBe(status()[0]?.lastSyncMs);
  }
  await world.close();
});

test('whoever follows many who are online asks once a sweep, and about nobody by name', async () => {
  const world = new World(55, undefined, { isLong: true });
  await world.startDirectory();
  const names = Array.from({ length: 30 }, (_, i) => `author ${i}`);
  for (const name of names) await world.addPeer(name);
  const [reader] = (await addListed(world, { reader: names })) as [VirtualPeer];
  await world.clock.advance(2 * MINUTE);
  const before = { lookUps: world.lookUps, questions: world.questionsForChanges };
  await world.clock.advance(2 * MINUTE);
  expect(world.lookUps - before.lookUps).toBe(0);
  expect(world.questionsForChanges - before.questions).toBeLessThanOrEqual((2 * MINUTE) / timing.sweepInterval + 1);
  expect(reader.peer.sessions.outgoing).toBeGreaterThan(names.length);
  await world.close();
});
