/** What fails outside the machines – disk, signature, look-up – ends what waits for it, and nothing else; and everything settles at close. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import { Stranger } from '../support/stranger.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const MINUTE = 60_000;

/** A store some of whose calls fail, from when a test says so. */
function failingStore(): { readonly store: Store; readonly broken: Set<keyof Store> } {
  const broken = new Set<keyof Store>();
  const store = openSqliteStore(':memory:');
  const proxy = new Proxy(store, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (broken.has(property as keyof Store)) throw new Error('disk I/O error');
        return value.apply(target, args);
      };
    },
  });
  return { store: proxy, broken };
}

const uncaught: unknown[] = [];
const note = (error: unknown) => void uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
});
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  expect(uncaught).toEqual([]);
});

async function meet(seed: number) {
  const world = await listedPeers(seed, ['alice']);
  const [alice] = world.peers as [VirtualPeer];
  const { store, broken } = failingStore();
  const bob = await world.settle(world.addPeer('bob', { store }));
  await world.settle(bob.peer.whenListed());
  for (const text of ['one', 'two', 'three']) alice.peer.post(text);
  return { world, alice, bob, broken };
}

describe('a disk that fails', () => {
  test.each(['isCurrent', 'beginWalk', 'statusOf', 'adopt'] as const)(
    'in %s ends the download with what is wrong, and the next one goes on',
    async (call) => {
      const { world, bob, broken } = await meet(61);
      broken.add(call);
      expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({
        status: 'failed',
        error: { code: 'unexpected', message: expect.stringContaining('disk I/O error') },
      });
      broken.clear();
      expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated', newMessages: 3 });
      expect(bob.facts.filter(({ type }) => type === 'peer.warning')).toEqual([]);
      await world.close();
    },
  );

  test('when nodes are to be kept: what was fetched is counted all the same', async () => {
    const { world, bob, broken } = await meet(62);
    broken.add('putNodes');
    const report = await world.settle(bob.peer.sync('alice'));
    expect(report).toMatchObject({ status: 'failed', error: { code: 'unexpected' } });
    expect(report.nodesFetched).toBeGreaterThan(0);
    expect(report.datagramsSent).toBeGreaterThan(0);
    await world.close();
  });

  test('while others read: they are served once it is well again', async () => {
    const { world, alice, bob, broken } = await meet(63);
    bob.peer.post('from bob');
    broken.add('getNode');
    const syncing = alice.peer.sync('bob');
    await world.clock.advance(1_500);
    broken.clear();
    expect(await world.settle(syncing)).toMatchObject({ status: 'updated', newMessages: 1 });
    await world.close();
  });

  test('when it is looked for changes of other commands: said once, and looked at again', async () => {
    const { world, bob, broken } = await meet(64);
    broken.add('foreignChanges');
    await world.clock.advance(10_000);
    const warnings = bob.facts.filter(({ type }) => type === 'peer.warning');
    expect(warnings).toEqual([{ type: 'peer.warning', message: expect.stringContaining('disk I/O error') }]);
    broken.clear();
    expect(await world.settle(bob.peer.sync('alice'))).toMatchObject({ status: 'updated' });
    await world.close();
  });

  test('when it is known whose key it is: the Hello is ignored, and the session ends', async () => {
    const { world, bob, broken } = await meet(65);
    const before = bob.peer.sessions.incoming;
    const stranger = await Stranger.join(world, 'carol');
    const [address] = bob.peer.addresses;
    if (address === undefined) throw new Error('bob listens nowhere');
    broken.add('peer');
    await stranger.sendSigned(address, { type: 'Hello', id: 7, flags: 0, name: 'carol' });
    await world.clock.advance(1_000);
    expect(bob.peer.sessions.incoming).toBe(before);
    broken.clear();
    await stranger.sendSigned(address, { type: 'Hello', id: 8, flags: 0, name: 'carol' });
    await world.clock.advance(1_000);
    expect(bob.peer.sessions.incoming).toBe(before + 1);
    await world.close();
  });
});

test('a signature that cannot be made: what waits for it is told so', async () => {
  const world = await listedPeers(66, ['alice']);
  let isBroken = false;
  const { keyPair, sign } = await world.identity('bob');
  const signing = async (message: Uint8Array) => {
    if (isBroken) throw new Error('no key');
    return sign(message);
  };
  const bob = await world.settle(world.addPeer('bob', { keyPair, environment: { sign: signing } }));
  await world.settle(bob.peer.whenListed());
  isBroken = true;
  bob.peer.post('not pushed');
  expect(await world.settle(bob.peer.sync('alice'), MINUTE)).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('no key') },
  });
  await world.close();
});

describe('at close', () => {
  const pending = ({ peer }: VirtualPeer) => [peer.sync('nobody'), peer.sync('alice'), peer.checkHistory()];

  async function closing(world: World, bob: VirtualPeer, whileOpen: () => void): Promise<string[]> {
    bob.peer.follow('alice');
    bob.peer.post('mine');
    const promises = pending(bob);
    await world.clock.advance(20);
    whileOpen();
    const closed = bob.peer.close();
    const settled = await Promise.allSettled(promises);
    await closed;
    return settled.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'done'));
  }

  test('everything that is under way settles', async () => {
    const { world, bob } = await meet(67);
    const codes = await closing(world, bob, () => {});
    expect(codes.filter((code) => code !== 'done' && code !== 'interrupted')).toEqual([]);
    expect(codes).toContain('interrupted');
    await world.close();
  });

  test('a full disk is no matter: it settles, and the sockets are free', async () => {
    const { world, bob, broken } = await meet(68);
    const codes = await closing(world, bob, () => {
      broken.add('putNodes');
    });
    expect(codes).toContain('interrupted');
    await expect(bob.peer.close()).resolves.toBeUndefined();
    await expect(bob.peer.sync('alice')).rejects.toMatchObject({ code: 'interrupted' });
    await world.close();
  });

  test('the peer can be closed in the middle of a download, and the next one goes on', async () => {
    const { world, alice, bob } = await meet(69);
    for (let i = 0; i < 200; i++) alice.peer.post(`more ${i}`);
    bob.peer.sync('alice').catch(() => {});
    await world.until(() => (bob.peer.syncUnderWay('alice')?.nodesFetched ?? 0) > 20, MINUTE);
    await world.restart(bob);
    await world.settle(bob.peer.sync('alice'));
    expect(bodiesOf(bob, 'alice')).toHaveLength(203);
    await world.close();
  });
});
