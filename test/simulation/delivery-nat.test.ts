/** Protocol §5 and §8: behind a NAT that forgets after 30 s, or 120 s if it was answered. */
import { describe, expect, test } from 'vitest';
import { type NatKind, natKinds } from '../../src/simulation/nat.ts';
import { HOUR, MINUTE, postAndWait, SECOND } from '../support/delivery/arrivals.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { type VirtualPeer, World } from '../support/world.ts';

const NAT_TRAVERSAL_CLIENT = 132;

async function worldWith(): Promise<World> {
  const world = new World(43, undefined, { isLong: true });
  await world.startDirectory();
  return world;
}

function addBehindNat(world: World, name: string, kind: NatKind, follow: readonly string[]): Promise<VirtualPeer> {
  const nat = world.network.addNat({ ip: '203.0.113.200', kind });
  return world.addPeer(name, { follow, host: world.network.addHost([{ ip: '192.168.1.2', nat }]) });
}

async function whenAllListed(world: World): Promise<void> {
  for (const { peer } of world.peers) await world.settle(peer.whenListed());
  await world.clock.advance(2 * MINUTE);
}

const closed = Object.entries({
  'address-restricted': natKinds.addressRestricted,
  'port-restricted': natKinds.portRestricted,
});

describe.each(closed)('behind a %s NAT, after three hours of quiet', (_, kind) => {
  test('a peer is reached by somebody who never met it, and who then gets its posts pushed', async () => {
    const world = await worldWith();
    const hidden = await addBehindNat(world, 'hidden', kind, []);
    await whenAllListed(world);
    hidden.peer.post('from behind the NAT');
    await world.clock.advance(3 * HOUR);
    const stranger = await world.addPeer('stranger');
    await world.settle(stranger.peer.whenListed());
    stranger.peer.follow('hidden');
    await world.until(() => bodiesOf(stranger, 'hidden').length > 0, 15 * SECOND);
    expect(await postAndWait(world, hidden, stranger, 'another one')).toBeLessThanOrEqual(SECOND);
    await world.close();
  });

  test('what a public author posts arrives by its push', async () => {
    const world = await worldWith();
    const author = await world.addPeer('author');
    const hidden = await addBehindNat(world, 'hidden', kind, ['author']);
    await whenAllListed(world);
    await world.clock.advance(3 * HOUR);
    expect(await postAndWait(world, author, hidden, 'pushed')).toBeLessThanOrEqual(SECOND);
    await world.close();
  });
});

describe('a command that runs once and does not register', () => {
  test('behind a NAT reads a public peer', async () => {
    const world = await worldWith();
    const author = await world.addPeer('author');
    await whenAllListed(world);
    author.peer.post('read once');
    const once = await addOnce(world, natKinds.portRestricted);
    expect(await world.settle(once.peer.sync('author'))).toMatchObject({ status: 'updated', newMessages: 1 });
    await world.close();
  });

  test('asks for traversal, and so reads a peer behind a NAT, whether it is behind one itself or not', async () => {
    for (const kind of [undefined, natKinds.portRestricted]) {
      const world = await worldWith();
      world.network.isLogging = true;
      const hidden = await addBehindNat(world, 'hidden', natKinds.portRestricted, []);
      await whenAllListed(world);
      hidden.peer.post('read once');
      const once = await addOnce(world, kind);
      const report = await world.settle(once.peer.sync('hidden'));
      expect(report).toMatchObject({ status: 'updated', newMessages: 1 });
      expect(world.network.log.filter(({ bytes }) => bytes[4] === NAT_TRAVERSAL_CLIENT)).not.toEqual([]);
      await world.close();
    }
  });
});

/** On a host of its own, behind another NAT if a kind is given. */
function addOnce(world: World, kind: NatKind | undefined): Promise<VirtualPeer> {
  if (kind === undefined) return world.addPeer('once', { register: false });
  const nat = world.network.addNat({ ip: '203.0.113.201', kind });
  return world.addPeer('once', { register: false, host: world.network.addHost([{ ip: '192.168.2.2', nat }]) });
}
