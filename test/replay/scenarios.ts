/** The courses of events that the journals in this folder hold: whose journal, and what happens. Deterministic, so that recording anew changes only what the machines changed. */
import { SECOND } from '../../machines/timing.ts';
import { runFrontEnd } from '../../src/cli/front-end/run-front-end.ts';
import type { Weather } from '../../src/simulation/virtual-network.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../src/wire/node.ts';
import { Publisher } from '../support/publisher.ts';
import { cancel, press, scripted } from '../support/scripted-dialogue.ts';
import { Stranger } from '../support/stranger.ts';
import { journalOf, recording, type VirtualPeer, World } from '../support/world.ts';

export interface Scenario {
  /** Whose journal it is: a peer's name, or "directory". */
  readonly of: string;
  readonly about: string;
  run(): Promise<World>;
}

type PeerOptions = Parameters<World['addPeer']>[1];

const HOUR = 3_600 * SECOND;
const bad: Weather = { loss: 0.2, duplication: 0.05, minDelayMs: 5, maxDelayMs: 120 };

async function begin(
  names: readonly string[],
  weather?: Weather,
  options: PeerOptions = {},
): Promise<{ world: World; peers: VirtualPeer[] }> {
  const world = new World(2022, weather);
  await world.startDirectory();
  const peers: VirtualPeer[] = [];
  for (const name of names) peers.push(await world.addPeer(name, options));
  for (const { peer } of peers) await world.settle(peer.whenListed());
  return { world, peers };
}

async function write(world: World, { peer }: VirtualPeer, messages: number): Promise<void> {
  for (let i = 1; i <= messages; i++) {
    peer.post(`message ${i} of ${peer.name}`);
    await world.clock.advance(SECOND);
  }
}

/** Alice has written, bob has read. */
async function synced(
  weather?: Weather,
  options?: PeerOptions,
): Promise<{ world: World; alice: VirtualPeer; bob: VirtualPeer }> {
  const { world, peers } = await begin(['alice', 'bob'], weather, options);
  const [alice, bob] = peers as [VirtualPeer, VirtualPeer];
  await write(world, alice, 40);
  await world.settle(bob.peer.sync('alice'));
  return { world, alice, bob };
}

async function pushed(): Promise<World> {
  const { world, alice, bob } = await synced();
  bob.peer.follow('alice');
  await world.clock.advance(10 * SECOND);
  await write(world, alice, 1);
  await world.clock.advance(10 * SECOND);
  return world;
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'first-sync': {
    of: 'bob',
    about: 'bob registers, and downloads what alice wrote',
    run: async () => (await synced()).world,
  },
  'incremental-sync': {
    of: 'bob',
    about: 'alice writes one more, and bob downloads that alone',
    async run() {
      const { world, alice, bob } = await synced();
      await write(world, alice, 1);
      await world.settle(bob.peer.sync('alice'));
      return world;
    },
  },
  push: {
    of: 'bob',
    about: 'bob follows alice, and her next message comes by itself',
    run: pushed,
  },
  'push-author': {
    of: 'alice',
    about: 'the other side of that: alice writes, tells bob, and answers',
    run: pushed,
  },
  loss: {
    of: 'bob',
    about: 'a first sync, node by node, while a fifth of the datagrams is lost',
    run: async () => (await synced(bad, { bulk: false })).world,
  },
  'peer-restart': {
    of: 'bob',
    about: 'alice restarts at another port, without memory of sessions; bob finds her again',
    async run() {
      const { world, alice, bob } = await synced();
      await alice.peer.close();
      const again = await world.addPeer('alice', { store: alice.store, keyPair: alice.keyPair });
      await world.settle(again.peer.whenListed());
      again.peer.post('back again');
      await world.settle(bob.peer.sync('alice'));
      await world.settle(bob.peer.sync('alice'));
      return world;
    },
  },
  'session-expiry': {
    of: 'bob',
    about: 'nobody asks for more than an hour, then bob does',
    async run() {
      const { world, alice, bob } = await synced();
      await world.clock.advance(1.2 * HOUR);
      await write(world, alice, 1);
      await world.settle(bob.peer.sync('alice'));
      return world;
    },
  },
  'key-change': {
    of: 'bob',
    about: 'the directory names another key for alice: bob takes nothing from it',
    async run() {
      const { world, alice, bob } = await synced();
      await alice.peer.close();
      await world.clock.advance(2.5 * HOUR);
      const thief = await Stranger.join(world, 'thief', '10.0.9.2');
      world.giveAway('alice', thief);
      await world.settle(bob.peer.sync('alice'));
      return world;
    },
  },
  'hostile-tree': {
    of: 'bob',
    about: 'a feed with an internal node that has the right hash and is not valid',
    async run() {
      const { world, peers } = await begin(['bob']);
      const good = encodeMessage({ date: 1, inReplyTo: null, body: 'good' });
      const notValid = Uint8Array.of(1, 1, 2, 3);
      const root = encodeInternal([hashOf(good), hashOf(notValid)]);
      await Publisher.join(world, 'mallory', [good, notValid], root);
      await world.settle((peers[0] as VirtualPeer).peer.sync('mallory'));
      return world;
    },
  },
  'directory-restart': {
    of: 'bob',
    about: 'the directory is down for a while; bob goes on trying, and is listed again',
    async run() {
      const { world } = await begin(['bob']);
      world.isDirectoryDown = true;
      world.stopDirectory();
      await world.clock.advance(1.5 * HOUR);
      world.isDirectoryDown = false;
      await world.startDirectory();
      await world.clock.advance(HOUR);
      return world;
    },
  },
  nat: {
    of: 'bob',
    about: 'alice is behind a NAT; the directory has her open it for bob',
    async run() {
      const { world, peers } = await begin(['alice', 'bob']);
      const [alice, bob] = peers as [VirtualPeer, VirtualPeer];
      world.network.putBehindNat(alice.ip);
      await write(world, alice, 2);
      await world.settle(bob.peer.sync('alice'));
      return world;
    },
  },
  'two-peers-at-once': {
    of: 'bob',
    about: 'bob downloads from alice and carol at the same time, while dave downloads from bob',
    async run() {
      const { world, peers } = await begin(['alice', 'bob', 'carol', 'dave']);
      for (const peer of peers) await write(world, peer, 10);
      const [, bob, , dave] = peers as [VirtualPeer, VirtualPeer, VirtualPeer, VirtualPeer];
      const all = [bob.peer.sync('alice'), bob.peer.sync('carol'), dave.peer.sync('bob')];
      await world.settle(Promise.all(all));
      return world;
    },
  },
  serving: {
    of: 'alice',
    about: 'the other side of a first sync, node by node: alice proves an address, and answers',
    run: async () => (await synced(bad, { bulk: false })).world,
  },
  'front-end-dialogue': {
    of: 'front-end',
    about: 'a person follows alice, reads what she wrote, answers, and leaves',
    async run() {
      const { world, alice, bob } = await synced();
      alice.peer.post('Is anybody there?');
      await world.clock.advance(SECOND);
      const dialogue = scripted(world, [
        press('f'),
        'alice',
        press('s'),
        press('enter', 'Is anybody there?'),
        press('r', 'Is anybody there?'),
        'I am.',
        cancel,
        false,
        press('escape'),
        press('q'),
      ]);
      const journal = journalOf('front-end');
      const paint = (_format: unknown, text: string) => text;
      await world.settle(runFrontEnd({ ...bob, dialogue, paint, journal, clock: world.clock, id: 'bob' }));
      return world;
    },
  },
  directory: {
    of: 'directory',
    about: 'a directory proves two addresses, and forwards a request to open a NAT',
    run: () => (scenarios.nat as Scenario).run(),
  },
};

/** The lines of a scenario's journal, recorded now. */
export async function record({ of, run }: Scenario): Promise<string[]> {
  let lines: string[] | undefined;
  const open = (name: string) => {
    // Of one that restarts the first run counts.
    if (name !== of || lines !== undefined) return undefined;
    const own: string[] = [];
    lines = own;
    return { write: (line: string) => void own.push(line), close: () => {} };
  };
  await recording(open, async () => (await run()).close());
  return lines ?? [];
}
