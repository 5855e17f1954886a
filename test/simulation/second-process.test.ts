/** A `post` or a `follow` of another process on the home of a running peer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type VirtualPeer, World } from '../support/world.ts';

/** The peer’s own store, and the one that another process has on the same file. */
async function twoProcesses(
  asRead: (own: Store, other: Store) => Store = (own) => own,
): Promise<{ world: World; alice: VirtualPeer; other: Store }> {
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
  const alice = await world.addPeer('alice', { store: asRead(own, other) });
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

/** The other process writes while a peer starts, after its root and whom it follows were read. */
const writingMeanwhile =
  (write: (other: Store) => void) =>
  (own: Store, other: Store): Store =>
    new Proxy(own, {
      get: (store, key) => {
        const value = Reflect.get(store, key);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const result = value.apply(store, args);
          if (key === 'readersSince') write(other);
          return result;
        };
      },
    });

test('what another process posts while the peer starts is published', async () => {
  let root = '';
  const draft = { date: 1, inReplyTo: null, body: 'from elsewhere' };
  const { world, alice } = await twoProcesses(
    writingMeanwhile((other) => {
      root = other.publish('alice', draft, 0).root;
    }),
  );
  await world.clock.advance(1_000);
  expect(alice.facts).toContainEqual({ type: 'root.published', root });
  expect(alice.peer.root).toBe(root);
  await world.close();
});

test('whom another process follows while the peer starts is downloaded', async () => {
  const { world, alice } = await twoProcesses(writingMeanwhile((other) => other.setFollowing('bob', true, 0)));
  const bob = await world.addPeer('bob');
  await world.settle(bob.peer.whenListed());
  bob.peer.post('hello alice');
  await world.clock.advance(65_000);
  expect(alice.store.messages({ authors: ['bob'] }).map(({ body }) => body)).toEqual(['hello alice']);
  await world.close();
});
