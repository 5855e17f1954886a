/** Somebody who is blocked: what they see of us from outside, and what we still see of them. */
import { expect, test } from 'vitest';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import type { VirtualPeer } from '../support/world.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Everybody follows everybody, and has what they wrote. */
async function threeFriends() {
  const world = await listedPeers(31, ['alice', 'mallory', 'carol'], undefined, { signatures: 'seals' });
  const [alice, mallory, carol] = world.peers as [VirtualPeer, VirtualPeer, VirtualPeer];
  for (const { peer } of world.peers) {
    for (const name of ['alice', 'mallory', 'carol']) if (name !== peer.name) peer.follow(name);
    peer.post(`by ${peer.name}`);
  }
  const has = (peer: VirtualPeer) => peer.peer.timeline().length;
  await world.until(() => [alice, mallory, carol].every((peer) => has(peer) === 3), 60 * SECOND);
  const block = (blocked: boolean) => alice.peer.ask({ type: 'block.wanted', name: 'mallory', blocked, ticket: 'b' });
  return { world, alice, mallory, carol, block };
}

const opened = (peer: VirtualPeer, name: string) =>
  peer.facts.filter((fact) => fact.type === 'session.opened' && fact.name === name).length;

test('they get nothing new from us, and an Error for every Hello; others get all', async () => {
  const { world, alice, mallory, carol, block } = await threeFriends();
  block(true);
  await world.clock.advance(SECOND);
  alice.peer.post('not for everybody');
  const report = await world.settle(mallory.peer.sync('alice'), HOUR);
  expect(report.status).toBe('failed');
  await world.clock.advance(20 * 60 * SECOND);
  expect(bodiesOf(mallory, 'alice')).toEqual(['by alice']);
  expect(bodiesOf(carol, 'alice')).toEqual(['by alice', 'not for everybody']);
  const texts = mallory.facts.flatMap((fact) => (fact.type === 'error.received' ? [fact.text] : []));
  expect(texts).toContain('refused');
  await world.close();
});

test('we neither greet nor see them, though they publish, move and start anew', async () => {
  const { world, alice, mallory, block } = await threeFriends();
  block(true);
  await world.clock.advance(SECOND);
  const before = opened(alice, 'mallory');
  mallory.peer.post('look at me');
  await world.restart(mallory);
  await world.clock.advance(20 * 60 * SECOND);
  expect(opened(alice, 'mallory')).toBe(before);
  expect(alice.peer.timeline().map(({ body }) => body)).toEqual(['by alice', 'by carol']);
  expect(alice.store.messages({ authors: ['mallory'] })).toEqual([]);
  const report = await world.settle(alice.peer.sync('mallory'), HOUR);
  expect(report.error).toEqual({ code: 'usage', message: expect.stringContaining('murmure unblock mallory') });
  await world.close();
});

test('it holds after a restart, and ends when they are unblocked', async () => {
  const { world, alice, mallory, block } = await threeFriends();
  block(true);
  await world.clock.advance(SECOND);
  await world.restart(alice);
  await world.clock.advance(600 * SECOND);
  alice.peer.post('for everybody again');
  await world.clock.advance(10 * SECOND);
  expect(bodiesOf(mallory, 'alice')).toEqual(['by alice']);
  block(false);
  alice.peer.follow('mallory');
  mallory.peer.post('thank you');
  await world.until(
    () => bodiesOf(mallory, 'alice').length === 2 && bodiesOf(alice, 'mallory').length === 2,
    600 * SECOND,
  );
  await world.close();
});

test('a download from them that is under way ends', async () => {
  const { world, alice, mallory, block } = await threeFriends();
  for (let i = 0; i < 300; i++) mallory.peer.post(`more ${i}`);
  const sync = alice.peer.sync('mallory');
  block(true);
  expect((await world.settle(sync, HOUR)).status).not.toBe('updated');
  expect(alice.peer.contactWith('mallory').status).toBe('none');
  await world.close();
});
