/** Protocol §3 and §5: what changes under a peer – its address, its clock, its directory – and how soon it is listed and heard again. */
import { describe, expect, test } from 'vitest';
import { addListed, HOUR, MINUTE, postAndWait, SECOND, waitFor, waitForListing } from '../support/delivery/arrivals.ts';
import { type VirtualPeer, World } from '../support/world.ts';

interface Scene {
  readonly world: World;
  readonly author: VirtualPeer;
  /** It follows the author, who does not follow it. */
  readonly reader: VirtualPeer;
}

async function begin(): Promise<Scene> {
  const world = new World(37, undefined, { isLong: true });
  await world.startDirectory();
  const author = await world.addPeer('author', { host: world.network.addHost(['203.0.113.1']) });
  const reader = await world.addPeer('reader', { follow: ['author'], host: world.network.addHost(['203.0.113.2']) });
  for (const { peer } of [author, reader]) await world.settle(peer.whenListed());
  await world.clock.advance(2 * MINUTE);
  await postAndWait(world, author, reader, 'before');
  return { world, author, reader };
}

const isListedAt = ({ world, author }: Scene, ip: string) =>
  world.registry.lookup(author.peer.name, world.directoryHost.clock.now())?.addresses[0]?.ip === ip;

describe('an author is listed again, and what it posts then is read within ten seconds', () => {
  test('within 15 s of waking after three hours of sleep', async () => {
    const scene = await begin();
    const { world, author, reader } = scene;
    author.host.sleep();
    await world.clock.advance(3 * HOUR);
    expect(isListedAt(scene, '203.0.113.1')).toBe(false);
    author.host.wake();
    expect(await waitForListing(world, author)).toBeLessThanOrEqual(15 * SECOND);
    expect(isListedAt(scene, '203.0.113.1')).toBe(true);
    expect(await postAndWait(world, author, reader, 'awake')).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });

  test('within 15 s of getting another IP address, under that one', async () => {
    const scene = await begin();
    const { world, author, reader } = scene;
    author.host.moveTo({ ip: '198.51.100.7' });
    expect(await waitForListing(world, author)).toBeLessThanOrEqual(15 * SECOND);
    expect(isListedAt(scene, '198.51.100.7')).toBe(true);
    expect(await postAndWait(world, author, reader, 'elsewhere')).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });

  test('within 60 s of a directory that comes back with an emptied registry', async () => {
    const scene = await begin();
    const { world, author, reader } = scene;
    await world.restartDirectory({ isEmptied: true });
    expect(isListedAt(scene, '203.0.113.1')).toBe(false);
    expect(await waitForListing(world, author)).toBeLessThanOrEqual(60 * SECOND);
    expect(isListedAt(scene, '203.0.113.1')).toBe(true);
    expect(await postAndWait(world, author, reader, 'listed again')).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });
});

test('a reader that slept for three hours has what it missed within ten seconds', async () => {
  const { world, author, reader } = await begin();
  reader.host.sleep();
  await world.clock.advance(HOUR);
  author.peer.post('missed');
  await world.clock.advance(2 * HOUR);
  reader.host.wake();
  expect(await waitFor(world, author, reader, 'missed')).toBeLessThanOrEqual(10 * SECOND);
  await world.close();
});

test.each([0, 15, 30, 45])(
  'a reader that moved while the author slept has what the author posts on waking within ten seconds, after 15 min and %i s',
  async (seconds) => {
    const { world, author, reader } = await begin();
    author.host.sleep();
    await world.clock.advance(10 * MINUTE);
    reader.host.moveTo({ ip: '198.51.100.8' });
    await world.clock.advance(5 * MINUTE + seconds * SECOND);
    author.host.wake();
    expect(await postAndWait(world, author, reader, 'awake')).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  },
);

describe('a clock set back by eight hours while serving', () => {
  test.each([
    ['of the author', ({ author }: Scene) => author],
    ['of the reader', ({ reader }: Scene) => reader],
  ])('%s has no effect: posts are pushed at once, then and hours later', async (_, whose) => {
    const scene = await begin();
    const { world, author, reader } = scene;
    whose(scene).host.clock.wallOffsetMs = -8 * HOUR;
    expect(await postAndWait(world, author, reader, 'at once')).toBeLessThanOrEqual(10 * SECOND);
    for (const body of ['an hour later', 'two hours later']) {
      await world.clock.advance(HOUR);
      expect(await postAndWait(world, author, reader, body)).toBeLessThanOrEqual(SECOND);
    }
    await world.close();
  });

  test('does not keep a reader from asking for roots every minute', async () => {
    const world = new World(38);
    await world.startDirectory();
    const [author, reader] = (await addListed(world, { author: [], reader: ['author'] })) as [VirtualPeer, VirtualPeer];
    reader.host.clock.wallOffsetMs = -8 * HOUR;
    await world.clock.advance(MINUTE);
    const asked = () =>
      world.network.log.filter(({ from, to, bytes }) => from.ip === reader.ip && to.ip === author.ip && bytes[4] === 1)
        .length;
    const before = asked();
    await world.clock.advance(10 * MINUTE);
    expect(asked() - before).toBeGreaterThanOrEqual(9);
    await world.close();
  });
});
