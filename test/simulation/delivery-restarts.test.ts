/** Protocol §5: an author restarts, or runs a second command; readers hear of new posts all the same, whether they are followed or not. */
import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { addListed, HOUR, MINUTE, postAndWait, SECOND } from '../support/delivery/arrivals.ts';
import { type VirtualPeer, World } from '../support/world.ts';

interface Scene {
  readonly world: World;
  readonly author: VirtualPeer;
  /** It follows the author, who does not follow it. */
  readonly reader: VirtualPeer;
}

async function begin(): Promise<Scene> {
  const world = new World(31, undefined, { isLong: true });
  await world.startDirectory();
  const [author, reader] = (await addListed(world, { author: [], reader: ['author'] })) as [VirtualPeer, VirtualPeer];
  await postAndWait(world, author, reader, 'before');
  return { world, author, reader };
}

const portOf = ({ peer }: VirtualPeer) => (peer.addresses[0] as SocketAddress).port;

describe('an author who restarts on another port reaches a one-way follower within ten seconds', () => {
  test.each([
    ['after a clean end', async ({ author }: Scene) => author.peer.close()],
    ['after kill -9', async ({ world, author }: Scene) => world.kill(author)],
  ])('%s', async (_, end) => {
    const scene = await begin();
    const { world, author, reader } = scene;
    const before = portOf(author);
    await end(scene);
    await world.clock.advance(5 * SECOND);
    author.host.firstPort += 1;
    await world.restart(author);
    await world.settle(author.peer.whenListed());
    expect(portOf(author)).not.toBe(before);
    expect(await postAndWait(world, author, reader, 'after')).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });
});

describe('while the directory is away, a post reaches a one-way follower within ten seconds of the start', () => {
  test.each([
    ['of the author at another port', ({ author }: Scene) => author],
    ['of the reader at another port', ({ reader }: Scene) => reader],
  ])('%s', async (_, whose) => {
    const scene = await begin();
    const { world, author, reader } = scene;
    world.isDirectoryDown = true;
    world.stopDirectory();
    const moved = whose(scene);
    world.kill(moved);
    moved.host.firstPort += 1;
    await world.restart(moved);
    expect(await postAndWait(world, author, reader, 'after')).toBeLessThanOrEqual(10 * SECOND);
    await world.close();
  });
});

describe('a command of the author beside the own serve diverts nobody', () => {
  test.each([
    ['while it runs', false],
    ['once it has ended', true],
  ])('%s', async (_, hasEnded) => {
    const { world, author, reader } = await begin();
    const command = await world.addPeer('author', { register: false, host: author.host, store: author.store });
    expect(await world.settle(command.peer.sync('reader'))).not.toMatchObject({ status: 'failed' });
    if (hasEnded) await command.peer.close();
    expect(await postAndWait(world, author, reader, 'one')).toBeLessThanOrEqual(5 * SECOND);
    await command.peer.close();
    await world.clock.advance(MINUTE);
    expect(await postAndWait(world, author, reader, 'two')).toBeLessThanOrEqual(5 * SECOND);
    await world.close();
  });
});

test('pushes to a reader whom the author does not follow go on after hours', async () => {
  const { world, author, reader } = await begin();
  for (const hours of ['1.5', '3']) {
    await world.clock.advance(1.5 * HOUR);
    expect(await postAndWait(world, author, reader, `after ${hours} hours`)).toBeLessThanOrEqual(SECOND);
  }
  await world.close();
});
