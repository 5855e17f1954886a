/** What the user believes of a peer: a changed key (protocol §7), and Roots without a signature (§4). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import { fingerprint } from '../../src/identity/fingerprint.ts';
import type { PublicKey } from '../../src/identity/public-key.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { knownPeers } from '../support/known-peers/habits.ts';
import { KnownPeer } from '../support/known-peers/known-peer.ts';
import { bodiesOf, listedPeers } from '../support/scenarios.ts';
import { cancel, press, scripted } from '../support/scripted-dialogue.ts';
import type { VirtualPeer, World } from '../support/world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** One home, opened twice: as a running peer has it, and as a command does. */
function openTwice(): readonly [Store, Store] {
  const folder = mkdtempSync(join(tmpdir(), 'murmure-test-'));
  const stores = [openSqliteStore(join(folder, 'store.db')), openSqliteStore(join(folder, 'store.db'))] as const;
  onTestFinished(() => {
    for (const store of stores) store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return stores;
}

const keyOf = (world: World, name: string) => {
  const key = world.registry.lookup(name, world.clock.now())?.key;
  if (key === undefined) throw new Error(`the directory lists no key of ${name}`);
  return key;
};

describe('C, which signs no roots', () => {
  async function meetC(follow: readonly string[] = []) {
    const world = await listedPeers(11, []);
    const [store, other] = openTwice();
    const ours = await world.settle(world.addPeer('ours', { store, follow }));
    await world.settle(ours.peer.whenListed());
    const theirs = new KnownPeer(world, 'theirs', knownPeers.C, world.network.addHost(['203.0.113.1']));
    theirs.post('one');
    await world.settle(theirs.start());
    await world.clock.advance(MINUTE);
    return { world, ours, theirs, other };
  }

  test('is listed, refused with the command that helps, and read after trust --unsigned, not authenticated', async () => {
    const { world, ours, theirs, other } = await meetC();
    expect(world.registry.peers(world.clock.now())).toContain('theirs');
    expect(await world.settle(ours.peer.sync('theirs'), HOUR)).toMatchObject({
      status: 'failed',
      error: { code: 'authentication', message: expect.stringContaining('"murmure trust theirs --unsigned"') },
    });
    expect(bodiesOf(ours, 'theirs')).toEqual([]);
    // Another process accepts it; the running peer asks anew.
    other.setTrustUnsigned('theirs', keyOf(world, 'theirs'), true);
    await world.clock.advance(1_000);
    expect(await world.settle(ours.peer.sync('theirs'), HOUR)).toMatchObject({ status: 'updated', newMessages: 1 });
    expect(ours.store.messages({ authors: ['theirs'] })).toMatchObject([{ body: 'one', authenticated: false }]);
    await world.close();
    theirs.stop();
  });

  test('is read as soon as it is trusted, if it is followed', async () => {
    const { world, ours, theirs, other } = await meetC(['theirs']);
    expect(bodiesOf(ours, 'theirs')).toEqual([]);
    other.setTrustUnsigned('theirs', keyOf(world, 'theirs'), true);
    await world.until(() => bodiesOf(ours, 'theirs').length > 0, MINUTE);
    expect(ours.facts).toContainEqual({ type: 'trust.changed', name: 'theirs' });
    await world.close();
    theirs.stop();
  });

  test('is read over a session that it opened itself', async () => {
    const { world, ours, theirs, other } = await meetC();
    other.repinKey('theirs', keyOf(world, 'theirs'), 0);
    other.setTrustUnsigned('theirs', keyOf(world, 'theirs'), true);
    ours.peer.post('ours');
    const [address] = ours.peer.addresses;
    if (address !== undefined) await world.settle(theirs.read(address), HOUR);
    expect(await world.settle(ours.peer.sync('theirs'), HOUR)).toMatchObject({ status: 'updated' });
    await world.close();
    theirs.stop();
  });

  test('is not believed under a further key', async () => {
    const { world, ours, theirs, other } = await meetC();
    other.setTrustUnsigned('theirs', ours.peer.publicKey, true);
    expect(await world.settle(ours.peer.sync('theirs'), HOUR)).toMatchObject({ status: 'failed' });
    await world.close();
    theirs.stop();
  });
});

describe('a peer that has a new key', () => {
  const UDP = ['10.0.1.9:4000'];

  /** Bob follows alice, who comes back under another key, at the address that she had. The directory has forgotten her first one. */
  async function withNewKey() {
    const world = await listedPeers(21, []);
    const alice = await world.settle(world.addPeer('alice', { udp: UDP }));
    await world.settle(alice.peer.whenListed());
    const [store, other] = openTwice();
    const bob = await world.settle(world.addPeer('bob', { store, follow: ['alice'] }));
    alice.peer.follow('bob');
    alice.peer.post('before');
    bob.peer.post('from bob');
    await world.until(() => bodiesOf(bob, 'alice').length > 0 && bodiesOf(alice, 'bob').length > 0, MINUTE);
    await alice.peer.close();
    await world.restartDirectory({ isEmptied: true });
    const { keyPair, sign } = await world.identity('alice anew');
    const anew = await world.settle(
      world.addPeer('alice', { keyPair, udp: UDP, follow: ['bob'], environment: { sign } }),
    );
    await world.settle(anew.peer.whenListed());
    anew.peer.post('after');
    await world.clock.advance(2 * MINUTE);
    return { world, bob, anew, other };
  }

  const wasRefused = ({ facts }: VirtualPeer) =>
    facts.some((fact) => fact.type === 'sync.finished' && fact.report.error?.code === 'authentication');

  test('is refused in both directions, with the command that helps; nothing of it is shown', async () => {
    const { world, bob, anew } = await withNewKey();
    expect(bob.facts).toContainEqual({ type: 'key.changed', name: 'alice' });
    expect(wasRefused(bob)).toBe(true);
    expect(await world.settle(bob.peer.sync('alice'), HOUR)).toMatchObject({
      error: { code: 'authentication', message: expect.stringContaining('"murmure trust alice"') },
    });
    expect(bodiesOf(bob, 'alice')).toEqual(['before']);
    expect(bodiesOf(anew, 'bob')).toEqual([]);
    await world.close();
  });

  test.each([
    ['by another process', (_: VirtualPeer, other: Store, key: string) => void other.repinKey('alice', key, 0)],
    ['by this one', (bob: VirtualPeer, _: Store, key: string) => bob.peer.trust('alice', key)],
  ])('is read, and reads us, once it is trusted %s', async (_, accept) => {
    const { world, bob, anew, other } = await withNewKey();
    accept(bob, other, keyOf(world, 'alice'));
    await world.until(() => bodiesOf(bob, 'alice').includes('after'), MINUTE);
    expect(bob.store.messages({ authors: ['alice'] })).toMatchObject([{ body: 'after', authenticated: true }]);
    await world.until(() => bodiesOf(anew, 'bob').includes('from bob'), 2 * MINUTE);
    await world.close();
  });

  test('is offered by the front end, which shows both fingerprints, asks, and goes on', async () => {
    const { world, bob, anew } = await withNewKey();
    const pinned = bob.store.peer('alice')?.key as PublicKey;
    const person = scripted(world, [
      press('w'),
      press('enter', 'alice'),
      press('a'),
      false,
      press('a'),
      true,
      press('s'),
      press('escape'),
      press('escape'),
      cancel,
      cancel,
    ]);
    const running = runFrontEnd({
      ...bob,
      dialogue: person,
      paint: (_: unknown, text: string) => text,
      clock: world.clock,
    });
    // It is asked for once a minute, and refused each time.
    await world.settle(running, HOUR);
    const [, peers, page, keys, question, stillChanged, , , accepted] = person.seen;
    expect(peers).toContain('key changed');
    expect(page).toContain('press a to compare both');
    expect(keys).toContain(fingerprint(pinned));
    expect(keys).toContain(fingerprint(keyOf(world, 'alice') as PublicKey));
    expect(question).toBe('Accept the new key?');
    expect(stillChanged).toContain('press a to compare both');
    expect(accepted).toContain('The new key of alice is accepted.');
    expect(bodiesOf(bob, 'alice')).toContain('after');
    await world.until(() => bodiesOf(anew, 'bob').includes('from bob'), 2 * MINUTE);
    await world.close();
  });

  test('and that still uses the former session is dropped from it at once', async () => {
    const world = await listedPeers(22, ['alice', 'bob']);
    const [alice, bob] = world.peers as [VirtualPeer, VirtualPeer];
    alice.peer.post('one');
    await world.settle(bob.peer.sync('alice'));
    await world.settle(alice.peer.sync('bob'));
    expect(bob.peer.sessions).toMatchObject({ incoming: 2 });
    const { keyPair } = await world.identity('alice anew');
    bob.peer.trust('alice', keyPair.publicKey);
    await world.clock.advance(100);
    expect(bob.peer.sessions).toMatchObject({ incoming: 1 });
    expect(await world.settle(bob.peer.sync('alice'), HOUR)).toMatchObject({ error: { code: 'authentication' } });
    await world.close();
  });
});
