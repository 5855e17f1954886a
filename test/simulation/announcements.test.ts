/** Announced roots are looked into at a limited rate: signed ones can be replayed, and new ones made without end. */
import { expect, test } from 'vitest';
import { limits } from '../../machines/timing.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeMessage } from '../../src/wire/node.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';
import { Publisher } from '../support/publisher.ts';
import { bodiesOf } from '../support/scenarios.ts';
import { World } from '../support/world.ts';

const message = (body: string) => encodeMessage({ date: 1, inReplyTo: null, body });

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
