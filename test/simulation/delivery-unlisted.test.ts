/** Protocol §5: who says Hello before it is listed has no key that anybody could know; its posts arrive as soon as it is listed. */
import { expect, test } from 'vitest';
import { addListed, MINUTE, postAndWait, SECOND } from '../support/delivery/arrivals.ts';
import { World } from '../support/world.ts';

test.each([
  ['a directory that tells what has changed in its list', true],
  ['one that does not', false],
])('an author that said Hello before it was listed is heard within ten seconds, with %s', async (_, hasCursors) => {
  const world = new World(41, undefined, { isLong: true });
  world.hasCursors = hasCursors;
  await world.startDirectory();
  const [reader] = await addListed(world, { reader: ['author'] });
  const host = world.network.addHost(['203.0.113.7']);
  world.network.cut('203.0.113.7', world.directoryAddress.ip);
  const opened: boolean[] = [];
  const author = await world.addPeer('author', { guarded: true, host, follow: ['reader'] });
  reader?.peer.on('session.opened', ({ name, authenticated }) => name === 'author' && opened.push(authenticated));
  await world.clock.advance(30 * SECOND);
  expect(opened.length).toBeGreaterThan(0);
  expect(opened).not.toContain(true);
  world.network.heal();
  await world.settle(author.peer.whenListed());
  await world.clock.advance(10 * SECOND);
  expect(opened).toContain(true);
  for (let i = 0; i < 5; i++) {
    await world.clock.advance(MINUTE / 4);
    expect(await postAndWait(world, author, reader as typeof author, `post ${i}`)).toBeLessThan(2 * SECOND);
  }
  await world.close();
});

test('what it wrote before it was listed counts as authenticated within ten seconds, without another post', async () => {
  const world = new World(43, undefined, { isLong: true });
  await world.startDirectory();
  const [reader] = await addListed(world, { reader: ['author'] });
  const host = world.network.addHost(['203.0.113.7']);
  world.network.cut('203.0.113.7', world.directoryAddress.ip);
  const author = await world.addPeer('author', { guarded: true, host, follow: ['reader'] });
  author.peer.post('early');
  await world.clock.advance(2 * MINUTE);
  const read = () => reader?.store.messages({ authors: ['author'] });
  expect(read()).toMatchObject([{ body: 'early', authenticated: false }]);
  world.network.heal();
  await world.settle(author.peer.whenListed());
  await world.clock.advance(10 * SECOND);
  expect(read()).toMatchObject([{ body: 'early', authenticated: true }]);
  await world.close();
});
