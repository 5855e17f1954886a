/** What whoever looks on learns of those who do not answer any more, and how soon. */
import { expect, test } from 'vitest';
import { timing } from '../../machines/timing.ts';
import type { PeerFact } from '../../src/index.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const SECOND = 1_000;

/** Bob follows alice, and has heard of her. */
async function meet(seed: number) {
  const world = await listedPeers(seed, ['alice', 'bob']);
  const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
  alice.peer.post('one');
  bob.peer.follow('alice');
  await world.clock.advance(timing.followInterval);
  return { world, alice, bob };
}

const stateOf = ({ peer }: VirtualPeer) => peer.status().following[0]?.state;

test.each([81, 82, 83])('a followed peer that is gone is shown as silent within 15 s (seed %i)', async (seed) => {
  const { world, alice, bob } = await meet(seed);
  expect({ silent: bob.peer.silent, state: stateOf(bob) }).toEqual({ silent: [], state: 'idle' });
  const told: PeerFact['type'][] = [];
  bob.peer.on('*', ({ type }) => told.push(type));
  world.kill(alice);
  await world.clock.advance(15 * SECOND);
  expect({ silent: bob.peer.silent, state: stateOf(bob) }).toEqual({ silent: ['alice'], state: 'silent' });
  expect(told).toContain('peer.silent');
  await world.close();
});

test('a followed peer that leaves the list is named as unlisted, and is silent no more', async () => {
  const { world, alice, bob } = await meet(88);
  world.kill(alice);
  await world.clock.advance(20 * SECOND);
  expect({ silent: bob.peer.silent, unlisted: bob.peer.unlisted }).toEqual({ silent: ['alice'], unlisted: [] });
  await world.clock.advance(61 * 60 * SECOND);
  expect({ silent: bob.peer.silent, unlisted: bob.peer.unlisted }).toEqual({ silent: [], unlisted: ['alice'] });
  await world.close();
});

test('a followed peer that answers again is shown so at once', async () => {
  const { world, alice, bob } = await meet(84);
  world.kill(alice);
  await world.clock.advance(20 * SECOND);
  const again: PeerFact['type'][] = [];
  bob.peer.on('peer.answers', ({ type }) => again.push(type));
  const { store, host } = alice;
  await world.settle(world.addPeer('alice', { store, host }));
  await world.clock.advance(10 * SECOND);
  expect({ silent: bob.peer.silent, again }).toEqual({ silent: [], again: ['peer.answers'] });
  await world.close();
});

test.each([3, 8, 11, 14, 18, 26, 33, 60])(
  'a post that was written while the path to the author was cut for %i s is there within 10 s',
  async (seconds) => {
    const { world, alice, bob } = await meet(90 + seconds);
    world.network.cut(alice.ip, bob.ip);
    await world.clock.advance(1 * SECOND);
    alice.peer.post('written meanwhile');
    await world.clock.advance((seconds - 1) * SECOND);
    world.network.heal();
    await world.clock.advance(10 * SECOND);
    expect(bodiesOf(bob, 'alice')).toContain('written meanwhile');
    await world.close();
  },
);

test('each of a hundred followed peers is asked every ten seconds whether it answers, and a push that is lost is read within ten', async () => {
  const names = Array.from({ length: 100 }, (_, index) => `author-${index}`);
  const world = new World(85, undefined, { isLong: true });
  await world.startDirectory();
  for (const name of names) await world.addPeer(name);
  const reader = await world.addPeer('reader', { follow: names });
  for (const { peer } of world.peers) await world.settle(peer.whenListed());
  await world.clock.advance(timing.followInterval);
  // Longer than a push is repeated, shorter than a silence that is noticed by somebody else.
  for (const lost of [3, 97]) {
    const author = world.peers[lost] as VirtualPeer;
    world.network.cut(author.ip, reader.ip);
    author.peer.post('lost');
    await world.clock.advance(8 * SECOND);
    world.network.heal();
    await world.clock.advance(10 * SECOND);
    expect(bodiesOf(reader, author.peer.name)).toContain('lost');
  }
  await world.close();
});

test('a directory that is gone is shown so within 20 s, also to an author who follows nobody, and that it answers again within 15 s', async () => {
  const { world, alice, bob } = await meet(86);
  const both = () => [alice, bob].map(({ peer }) => peer.directory.status);
  world.stopDirectory();
  world.isDirectoryDown = true;
  await world.clock.advance(20 * SECOND);
  expect(both()).toEqual(['unreachable', 'unreachable']);
  await world.restartDirectory({ isEmptied: false });
  world.isDirectoryDown = false;
  await world.clock.advance(15 * SECOND);
  expect(both()).toEqual(['connected', 'connected']);
  await world.close();
});

test.each([71, 72, 73])(
  'who is not listed any more by a directory that was emptied says so, and is listed again, within 15 s (seed %i)',
  async (seed) => {
    const { world, alice, bob } = await meet(seed);
    const relisted: string[] = [];
    for (const { peer } of [alice, bob]) peer.on('peer.listed', () => relisted.push(peer.name));
    world.stopDirectory();
    await world.restartDirectory({ isEmptied: true });
    await world.clock.advance(15 * SECOND);
    expect(relisted.sort()).toEqual(['alice', 'bob']);
    expect(alice.peer.directory).toMatchObject({ status: 'connected', failure: null });
    await world.close();
  },
);

test('whose own UDP is lost while HTTPS works says so within 25 s, and nothing else until it works again', async () => {
  const { world, alice, bob } = await meet(74);
  const said: string[] = [];
  alice.peer.on('directory.unreachable', ({ failure }) => said.push(failure.message));
  alice.peer.on('peer.listed', () => said.push('listed'));
  for (const ip of [bob.ip, world.directoryAddress.ip]) world.network.cut(alice.ip, ip);
  await world.clock.advance(25 * SECOND);
  const seen = new Set<string>();
  for (let second = 0; second < 180; second++) {
    seen.add(JSON.stringify({ ...alice.peer.directory, answeredMs: 0 }));
    await world.clock.advance(SECOND);
  }
  const oneSentence = expect.stringContaining('nothing comes back over UDP');
  expect([...seen].map((text) => JSON.parse(text))).toEqual([
    { status: 'unlisted', listed: [], answeredMs: 0, failure: { code: 'peer-unreachable', message: oneSentence } },
  ]);
  expect(said).toEqual([oneSentence]);
  world.network.heal();
  await world.clock.advance(15 * SECOND);
  expect(said).toEqual([oneSentence, 'listed']);
  expect(alice.peer.directory).toMatchObject({ status: 'connected', failure: null });
  await world.close();
});

test('a reader that does not get what is pushed is named to the author within 20 s, and is not once it is back', async () => {
  const { world, alice, bob } = await meet(75);
  const named = () => [alice.peer.unreachedReaders, alice.peer.status().readers];
  expect(named()).toEqual([[], [{ peer: 'bob', state: 'idle' }]]);
  world.kill(bob);
  alice.peer.post('two');
  await world.clock.advance(20 * SECOND);
  expect(named()).toEqual([['bob'], [{ peer: 'bob', state: 'silent' }]]);
  const { store, host } = bob;
  await world.settle(world.addPeer('bob', { store, host }));
  await world.clock.advance(10 * SECOND);
  expect(named()).toEqual([[], [{ peer: 'bob', state: 'idle' }]]);
  await world.close();
});

test('a sync that fails over an established session ends within twelve seconds, with its own figures', async () => {
  const { world, alice, bob } = await meet(87);
  world.kill(alice);
  const first = await world.settle(bob.peer.sync('alice'));
  expect(first).toMatchObject({ status: 'failed', error: { code: 'peer-unreachable' } });
  expect(first.durationMs).toBeLessThanOrEqual(12 * SECOND);
  await world.clock.advance(3 * SECOND);
  // Hello at once, after two seconds and after six; those that look for her are not of this sync.
  const second = await world.settle(bob.peer.sync('alice'));
  expect(second).toMatchObject({ status: 'failed', datagramsSent: 3 });
  await world.close();
});
