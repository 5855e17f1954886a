/** Protocol §11: programs that others wrote, each with its habits, among ours. */
import { describe, expect, test } from 'vitest';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { type Habits, knownPeers } from '../support/known-peers/habits.ts';
import { KnownPeer } from '../support/known-peers/known-peer.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Meeting {
  readonly world: World;
  readonly ours: VirtualPeer;
  readonly theirs: KnownPeer;
}

async function meet(habits: Habits): Promise<Meeting> {
  const world = new World(11);
  await world.startDirectory();
  const ours = await world.addPeer('ours');
  await world.settle(ours.peer.whenListed());
  const theirs = new KnownPeer(world, 'theirs', habits, world.network.addHost(['203.0.113.1']));
  for (const body of ['one', 'two', 'three']) theirs.post(body);
  await world.settle(theirs.start());
  // The directory proves its address meanwhile.
  await world.clock.advance(MINUTE);
  return { world, ours, theirs };
}

const isListed = ({ world, theirs }: Meeting) => world.registry.peers(world.clock.now()).includes(theirs.name);

/** What ours has of it. One that posts all the time is never read to its end: a walk takes longer than a post. */
async function read({ world, ours, theirs }: Meeting): Promise<string[]> {
  const sync = () => world.settle(ours.peer.sync(theirs.name), 2 * HOUR);
  let report = await sync();
  // One that takes seconds for an answer may be busy with others for longer than we wait.
  for (let tries = 0; tries < 3 && report.status === 'failed'; tries += 1) {
    await world.clock.advance(MINUTE);
    report = await sync();
  }
  expect(report).toMatchObject({ status: 'updated' });
  return bodiesOf(ours, theirs.name);
}

describe.each(Object.entries(knownPeers))('%s', (_, habits) => {
  test('is listed, and again after a restart', async () => {
    const meeting = await meet(habits);
    const { world, theirs } = meeting;
    expect(isListed(meeting)).toBe(true);
    for (const pause of [MINUTE, 0]) {
      theirs.stop();
      await world.clock.advance(pause);
      await world.settle(theirs.start());
      await world.clock.advance(MINUTE);
      expect(isListed(meeting)).toBe(true);
    }
    await world.close();
  });

  test('reads us, before and after a restart', async () => {
    const { world, ours, theirs } = await meet(habits);
    const posted = Array.from({ length: 40 }, (_, i) => `ours ${i}`);
    for (const text of posted) ours.peer.post(text);
    const address = ours.peer.addresses[0] as SocketAddress;
    expect(await world.settle(theirs.read(address), HOUR)).toEqual(posted);
    await world.settle(theirs.restart());
    await world.clock.advance(MINUTE);
    expect(await world.settle(theirs.read(address), HOUR)).toEqual(posted);
    expect(theirs.hasPanicked).toBe(false);
    await world.close();
  });
});

/** C signs too little to be believed without its user's word for it. */
const { C, ...believed } = knownPeers;

describe.each(Object.entries(believed))('%s', (kind, habits) => {
  test('is read by us; without a key, what it writes is shown as not authenticated', async () => {
    const meeting = await meet(habits);
    expect((await read(meeting)).slice(0, 3)).toEqual(['one', 'two', 'three']);
    for (const message of meeting.ours.store.messages({ authors: [meeting.theirs.name], limit: 3 })) {
      expect(message).toMatchObject({ authenticated: kind !== 'B' });
    }
    await meeting.world.close();
  });

  test('is read on after a restart', async () => {
    const meeting = await meet(habits);
    const { world, theirs } = meeting;
    await read(meeting);
    theirs.stop();
    await world.clock.advance(MINUTE);
    theirs.post('back again');
    await world.settle(theirs.start());
    await world.clock.advance(MINUTE);
    expect(await read(meeting)).toContain('back again');
    await world.close();
  });

  test('is read under a new name', async () => {
    const meeting = await meet(habits);
    const { world, theirs } = meeting;
    await read(meeting);
    await world.settle(theirs.restart('renamed'));
    await world.clock.advance(MINUTE);
    expect(isListed(meeting)).toBe(true);
    expect((await read(meeting)).slice(0, 3)).toEqual(['one', 'two', 'three']);
    await world.close();
  });
});

test('C, which signs no roots, is not believed, and nothing of it is shown', async () => {
  const meeting = await meet(C);
  const { world, ours, theirs } = meeting;
  expect(await world.settle(ours.peer.sync(theirs.name), HOUR)).toMatchObject({ status: 'failed' });
  expect(bodiesOf(ours, theirs.name)).toEqual([]);
  await world.close();
});

test('a program without a key that gives way to another on its port: nothing of that is shown under its name', async () => {
  const world = new World(13);
  await world.startDirectory();
  const ours = await world.addPeer('ours', { follow: ['theirs'] });
  await world.settle(ours.peer.whenListed());
  const host = world.network.addHost(['203.0.113.1']);
  const habits: Habits = { ...knownPeers.reference, signs: [], port: 'always the same' };
  const theirs = new KnownPeer(world, 'theirs', habits, host);
  theirs.post('theirs');
  await world.settle(theirs.start());
  await world.until(() => bodiesOf(ours, 'theirs').length > 0, 2 * MINUTE);
  theirs.stop();
  const another = new KnownPeer(world, 'another', habits, host);
  another.post('another’s');
  await world.settle(another.start());
  await world.clock.advance(3 * MINUTE);
  expect(bodiesOf(ours, 'theirs')).toEqual(['theirs']);
  expect(await world.settle(ours.peer.sync('another'), HOUR)).toMatchObject({ status: 'updated' });
  expect(bodiesOf(ours, 'another')).toEqual(['another’s']);
  await world.close();
});
