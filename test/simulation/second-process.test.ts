/** A `post` or a `follow` of another process on the home of a running peer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type VirtualPeer, World } from '../support/world.ts';

/** The peer’s own store, and the one that another process has on the same file. */
async function twoProcesses(): Promise<{ world: World; alice: VirtualPeer; other: Store }> {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-two-'));
  const file = join(folder, 'store.db');
  const [own, other] = [openSqliteStore(file), openSqliteStore(file)];
  onTestFinished(() => {
    own.close();
    other.close();
    rmSync(folder, { recursive: true });
  });
  const world = new World(4);
  await world.startDirectory();
  const alice = await world.addPeer('alice', { store: own });
  await world.settle(alice.peer.whenListed());
  return { world, alice, other };
}

test('what another process posts is published within a second', async () => {
  const { world, alice, other } = await twoProcesses();
  const draft = { date: 1, inReplyTo: null, body: 'from elsewhere' };
  const { root } = other.publish('alice', draft, world.clock.now());
  await world.clock.advance(1_000);
  expect(alice.facts).toContainEqual({ type: 'root.published', root });
  expect(alice.peer.root).toBe(root);
  await world.close();
});

test('whom another process follows is downloaded at once', async () => {
  const { world, alice, other } = await twoProcesses();
  const bob = await world.addPeer('bob');
  await world.settle(bob.peer.whenListed());
  bob.peer.post('hello alice');
  other.setFollowing('bob', true, world.clock.now());
  await world.clock.advance(5_000);
  expect(alice.store.messages({ authors: ['bob'] }).map(({ body }) => body)).toEqual(['hello alice']);
  await world.close();
});
