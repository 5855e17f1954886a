/** What the overviews tell of actors is what happens: peers and a directory run, and all that they tell each other is noted. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { AnyActorRef, AnyStateMachine, AnyStateNode, InspectionEvent } from 'xstate';
import { children } from '../../../diagrams/draw/actors.ts';
import { readMachines } from '../../../diagrams/draw/write-diagrams.ts';
import { actorId } from '../../../machines/actor-ids.ts';
import { machines } from '../../../machines/index.ts';
import { messageTable } from '../../../machines/messages.ts';
import type { Dialogue } from '../../../src/cli/front-end/dialogue.ts';
import { runFrontEnd } from '../../../src/cli/front-end/run-front-end.ts';
import type { AskedPeer } from '../../../src/cli/front-end/sources.ts';
import type { Network } from '../../../src/runtime/network.ts';
import { encodeDatagram } from '../../../src/wire/datagram.ts';
import { hashOf, ZERO_HASH } from '../../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../../src/wire/node.ts';
import { formatAddress, type SocketAddress } from '../../../src/wire/socket-address.ts';
import { Publisher } from '../../support/publisher.ts';
import { type Answer, cancel, LATER, press, scripted } from '../../support/scripted-dialogue.ts';
import { Stranger } from '../../support/stranger.ts';
import { type VirtualPeer, World } from '../../support/world.ts';

const noted = vi.hoisted(() => ({ messages: new Set<string>(), spawns: new Set<string>() }));

/** Every root actor is inspected, whoever creates it. */
vi.mock('xstate', async (importOriginal) => {
  const xstate = await importOriginal<typeof import('xstate')>();
  const kindOf = (actor: AnyActorRef | undefined) => actor?.id.split('.')[0];
  const inspect = (event: InspectionEvent) => {
    const { actorRef } = event;
    if (event.type === '@xstate.actor') {
      const parent = kindOf((actorRef as { _parent?: AnyActorRef })._parent);
      if (parent !== undefined) noted.spawns.add(`${parent} > ${kindOf(actorRef as AnyActorRef)}`);
    }
    if (event.type !== '@xstate.event' || event.event.type.startsWith('xstate.')) return;
    const from = kindOf(event.sourceRef as AnyActorRef | undefined) ?? 'outside';
    noted.messages.add(`${from} > ${kindOf(actorRef as AnyActorRef)}: ${event.event.type}`);
  };
  const createActor = (logic: never, options: object) => xstate.createActor(logic, { ...options, inspect } as never);
  return { ...xstate, createActor };
});

const DIRECTORY = { ip: '10.0.0.1', port: 1194 };
const HOUR = 3_600_000;

const message = (body: string) => encodeMessage({ date: 1, inReplyTo: null, body });

/** Everything that actors have to say to each other is said here at least once. */
async function runEverything(): Promise<void> {
  const world = new World(7);
  await world.startDirectory();
  const alice = await world.addPeer('alice');
  const bob = await world.addPeer('bob', { follow: ['alice'] });
  for (const { peer } of [alice, bob]) await world.settle(peer.whenListed());
  const addressOf = ({ peer }: typeof alice) => peer.addresses[0] as SocketAddress;

  // A sync, a push, and the sync that follows; enough nodes for a report of progress.
  for (let i = 0; i < 300; i++) alice.peer.post(`message ${i}`);
  await world.settle(bob.peer.sync('alice'));
  alice.peer.post('one more');
  await world.clock.advance(10_000);

  // The same where datagrams are lost, in bulk and one by one.
  const { weather } = world.network;
  world.network.weather = { ...weather, loss: 0.1 };
  for (const [name, bulk] of [
    ['bulky', true],
    ['plain', false],
  ] as const) {
    const reader = await world.addPeer(name, { bulk, register: false });
    await world.settle(reader.peer.sync('alice'), 600_000);
  }
  world.network.weather = weather;

  // A peer that does not have its own node, then does not answer, then answers what was not asked.
  const [one, two] = [message('one'), message('two')];
  const odd = await Publisher.join(world, 'odd', [one], encodeInternal([one, two].map(hashOf)));
  const sendRoot = (hash: string, id: number) => odd.stranger.send(addressOf(bob), { type: 'Root', id, hash });
  for (const tamper of [() => false, () => true, (hash: string, id: number) => sendRoot(hash, id) === undefined]) {
    odd.tamper = tamper;
    await world.settle(bob.peer.sync('odd'));
  }
  odd.stranger.answer = ({ datagram: { type, id }, from }) => {
    if (type === 'RootRequest') odd.stranger.send(from, { type: 'Error', id, text: 'not now' });
    if (type === 'Hello') void odd.stranger.sendSigned(from, { type: 'HelloReply', id, flags: 0, name: odd.name });
  };
  await world.settle(bob.peer.sync('odd'));
  await world.settle(bob.peer.sync('nobody'));
  for (const name of ['alice', 'odd', 'nobody']) bob.peer.ask({ type: 'ping.wanted', name });
  await world.clock.advance(5_000);

  // Our history is in doubt: somebody has our message but not our root, somebody knows none of both, and some do not answer.
  for (const text of ['mine', 'mine too']) bob.peer.post(text);
  const newest = bob.store.ownLeaves()[1] as Uint8Array;
  await Publisher.join(world, 'reader', [], newest, '10.0.9.2');
  const mute = await Publisher.join(world, 'mute', [], newest, '10.0.9.3');
  mute.tamper = () => true;
  const gone = (await world.identity('gone')).keyPair.publicKey;
  world.registry.register('gone', gone, world.clock.now());
  world.registry.prove('gone', gone, { ip: '10.0.9.7', port: 9 }, world.clock.now());
  for (const name of ['reader', 'mute', 'gone']) bob.peer.follow(name);
  await world.settle(bob.peer.checkHistory());

  // A key that is accepted while there is a session; a peer that looks for a copy of itself.
  bob.peer.trust('alice', alice.peer.publicKey);
  // Something to be published in a second.
  bob.peer.ask({ type: 'schedule.wanted', text: 'later', inReplyTo: null, dueMs: world.clock.now() + 1, ticket: 'l' });
  const { keyPair } = await world.identity('gwen');
  world.registry.register('gwen', keyPair.publicKey, world.clock.now());
  world.registry.prove('gwen', keyPair.publicKey, { ip: '10.0.9.8', port: 9 }, world.clock.now());
  const gwen = await world.addPeer('gwen', { guarded: true });
  await world.settle(gwen.peer.whenListed());
  await world.clock.advance(1_000);

  // A copy of that one; and then somebody has a later tree, which neither of them has.
  for (const text of ['hers', 'hers too']) gwen.peer.post(text);
  await world.addPeer('gwen', { guarded: true });
  await world.clock.advance(20_000);
  await Publisher.join(world, 'ahead', [], gwen.store.ownLeaves()[1] as Uint8Array, '10.0.9.11');
  gwen.peer.follow('ahead');
  await world.clock.advance(30_000);

  // Strangers: without a session, with a question that nobody knows, with Hello on both sides at once.
  const stranger = await Stranger.join(world, 'stranger', '10.0.9.9');
  stranger.send(DIRECTORY, { type: 'RootRequest', id: 1 });
  stranger.send(addressOf(bob), { type: 'Hello', id: 2, flags: 0, name: 'stranger' });
  await world.clock.advance(1_000);
  stranger.sendBytes(addressOf(bob), Uint8Array.of(0, 0, 0, 3, 77, 0, 0));
  stranger.answer = ({ datagram: { type, id }, from }) => {
    if (type === 'Hello') stranger.send(from, { type: 'NoDatum', id, hash: ZERO_HASH });
  };
  bob.peer.hello(stranger.address);
  await world.clock.advance(1_000);

  // A peer that falls silent in the middle of a sync, and is found elsewhere.
  const former = await Publisher.join(world, 'mover', [one], message('moving'), '10.0.9.4');
  former.tamper = () => true;
  const moving = bob.peer.sync('mover');
  await world.clock.advance(1_000);
  former.stranger.answer = () => {};
  await Publisher.join(world, 'mover', [one], message('moving'), '10.0.9.5');
  await world.settle(moving);

  // Somebody who pays for more than one Hello of ours, and answers none.
  const padded = new Uint8Array(1_000);
  padded.set(encodeDatagram({ type: 'Hello', id: 3, flags: 0, name: 'silent' }));
  const silent = await Stranger.join(world, 'silent', '10.0.9.6');
  silent.sendBytes(addressOf(bob), padded);
  await world.clock.advance(20_000);

  // Somebody who does not answer ours, and asks again what waits for that, and pays for it.
  const deaf = await Stranger.join(world, 'deaf', '10.0.9.10');
  deaf.send(addressOf(bob), { type: 'Hello', id: 4, flags: 0, name: 'deaf' });
  await world.clock.advance(1_000);
  deaf.send(addressOf(bob), { type: 'RootRequest', id: 5 });
  await world.clock.advance(1_000);
  const again = new Uint8Array(200);
  again.set(encodeDatagram({ type: 'RootRequest', id: 5 }));
  deaf.sendBytes(addressOf(bob), again);
  await world.clock.advance(20_000);

  // A NAT, opened with the directory's help.
  const carol = await world.addPeer('carol');
  world.network.putBehindNat(carol.ip);
  await world.settle(carol.peer.whenListed());
  await world.settle(alice.peer.sync('carol'));

  // A person at a front end, who does everything that concerns the peer.
  await runDialogue(world, bob, formatAddress(addressOf(alice)));

  // Sockets: the second opens late, the last not at all.
  let opened = 0;
  const localIps = ['10.0.5.1'];
  const closed = { ip: '10.0.5.2', port: 9 };
  const network: Network = {
    localIps: () => [...localIps],
    open: async (bind, onArrivals, onError) => {
      opened += 1;
      if (opened === 2) await new Promise<void>((resolve) => world.clock.setTimeout(resolve, 5_000));
      const socket = await world.network.open(bind, onArrivals);
      const send: typeof socket.send = (bytes, to) => {
        if (to.ip !== closed.ip) socket.send(bytes, to);
        else world.clock.setTimeout(() => onError('nobody listens there', to), 1);
      };
      return { ...socket, send };
    },
  };
  const binds = ['10.0.5.1:0', '10.0.5.1:0'];
  const dora = await world.settle(world.addPeer('dora', { udp: binds, environment: { network } }));
  await world.settle(dora.peer.whenListed());
  dora.peer.hello(closed);
  await world.settle(dora.peer.sync('alice'));
  // The machine gets another address.
  localIps.push('10.0.5.3');
  await world.clock.advance(10_000);
  const taken = `${addressOf(bob).ip}:${addressOf(bob).port}`;
  await expect(world.settle(world.addPeer('erin', { udp: [taken] }))).rejects.toThrow('in use');

  // A copy of a peer that runs.
  for (const _ of [1, 2]) {
    const gina = await world.settle(world.addPeer('gina', { guarded: true }));
    await world.settle(gina.peer.whenListed());
  }
  await world.clock.advance(60_000);

  // Those who have nothing more to say leave.
  for (const { peer } of world.peers) if (![alice, carol].some((one) => one.peer === peer)) await peer.close();
  carol.peer.follow('alice');

  // A followed peer that does not answer for a while, and for longer.
  for (const ms of [15_000, 50_000]) {
    await world.clock.advance(10_000);
    world.network.cut(alice.ip, carol.ip);
    await world.clock.advance(ms);
    world.network.heal();
  }
  await world.clock.advance(10_000);

  // Out of the directory's reach, once over UDP alone and once altogether.
  world.network.cut(carol.ip, DIRECTORY.ip);
  await world.clock.advance(60_000);
  world.isDirectoryDown = true;
  await world.addPeer('fred');
  await world.clock.advance(60_000);

  // Sessions expire while the machines sleep, and are forgotten after a second sleep. Two waking hours would cost eight seconds.
  for (let i = 0; i < 2; i++) {
    for (const { host } of [alice, carol]) host.sleep();
    await world.clock.advance(HOUR);
    for (const { host } of [alice, carol]) host.wake();
    await world.clock.advance(30_000);
  }
  await world.close();

  // A directory whose address is taken.
  const crowded = new World(8);
  await Stranger.join(crowded, 'squatter', DIRECTORY.ip, DIRECTORY.port);
  await expect(crowded.settle(crowded.startDirectory())).rejects.toThrow('in use');
  await crowded.close();
}

async function runDialogue(world: World, { peer, store }: VirtualPeer, address: string): Promise<void> {
  const { name, publicKey, addresses, sessions, directory, silent, unlisted, unreachedReaders } = peer;
  const asked: AskedPeer = {
    ...{ name, publicKey, addresses, sessions, directory, silent, unlisted, unreachedReaders },
    ask: (wish) => {
      noted.messages.add(`front-end > peer: ${wish.type}`);
      peer.ask(wish);
    },
    on: (type, listener) => peer.on(type, listener),
    directoryPeers: (signal) => peer.directoryPeers(signal),
    explain: (of) => peer.explain(of),
  };
  world.clock.setTimeout(() => world.peers[0]?.peer.post('Hello @bob.'), 1_000);
  const answers: Answer[] = [press('p'), 'x'.repeat(986), press('p'), 'Hello.', press('x', 'Hello.'), true];
  answers.push(
    press('f'),
    'carol',
    press('u'),
    'carol',
    press('b'),
    press('m'),
    press('s'),
    press('w'),
    press('a', 'alice'),
    true,
    press('m', 'alice'),
  );
  answers.push(press('X', 'carol'), press('Z'), press('p'), `Not yet.${LATER}`, press('Z'), cancel);
  answers.push(press('i'), press('3'), address, press('3'), cancel, cancel, cancel);
  // Another key than alice's.
  store.repinKey('alice', publicKey, world.clock.now());
  const paint = (_format: unknown, text: string) => text;
  const dialogue = scripted(world, answers);
  const { screen } = dialogue;
  // Whoever looks at a screen sees what is on it.
  const seeing: Dialogue = {
    ...dialogue,
    screen: (shown) => {
      for (const { id } of shown.items()) shown.visited?.(id);
      return screen(shown);
    },
  };
  await world.settle(runFrontEnd({ peer: asked, store, dialogue: seeing, paint, clock: world.clock }));
}

/** What a front end hears comes in from outside, as the peer may be in another process: its facts are no prompts' answers. */
function withHeard(messagesNoted: Iterable<string>): string[] {
  const heard = new Set(messageTable.peer?.['front-end']);
  return [...messagesNoted].map((text) => {
    const [, type = ''] = text.split('outside > front-end: ');
    return heard.has(type) ? `peer > front-end: ${type}` : text;
  });
}

function said(table: typeof messageTable): string[] {
  return Object.entries(table)
    .flatMap(([from, receivers]) =>
      Object.entries(receivers).flatMap(([to, events]) => events.map((event) => `${from} > ${to}: ${event}`)),
    )
    .sort();
}

describe('the overviews', () => {
  beforeAll(runEverything);

  test('show the messages that actors send, and no others', () => {
    const isBetweenActors = (text: string) => !text.startsWith('outside');
    expect(withHeard(noted.messages).filter(isBetweenActors).sort()).toEqual(
      said(messageTable).filter(isBetweenActors),
    );
  });

  test('show everything that came from outside', () => {
    const known = said(messageTable);
    expect(withHeard(noted.messages).filter((text) => !known.includes(text))).toEqual([]);
  });

  test('show who spawned whom', () => {
    const drawn = readMachines().flatMap(({ name, children: kinds }) => kinds.map((kind) => `${name} > ${kind}`));
    expect([...noted.spawns].sort()).toEqual(drawn.sort());
  });
});

/** Of all its events, those included about which there is nothing to do. */
function descriptorsOf(state: AnyStateNode): string[] {
  return [...state.transitions.keys(), ...Object.values<AnyStateNode>(state.states).flatMap(descriptorsOf)];
}

test('every event that a machine handles is in the table, and the other way round', () => {
  for (const [name, machine] of Object.entries<AnyStateMachine>(machines)) {
    const handled = new Set(
      descriptorsOf(machine.root).filter((event) => event !== '' && !event.startsWith('xstate.')),
    );
    const sent = new Set(Object.values(messageTable).flatMap((receivers) => receivers[name] ?? []));
    expect([...sent].sort(), name).toEqual([...handled].sort());
  }
});

test('children are named as the machines name them', () => {
  const address = { ip: '10.0.0.1', port: 1 };
  const ids = [
    actorId.socket(0),
    actorId.directoryClient,
    actorId.outgoingSession('alice'),
    actorId.incomingSession(address),
    actorId.merkleWalk('alice'),
    actorId.historyCheck('alice'),
    actorId.ping('alice'),
    actorId.pathChecks,
    actorId.request(0),
    actorId.addressProof(0),
  ];
  const pattern = (id: string) => id.replace(/\..*/, '');
  expect(Object.values(children).map(({ id }) => pattern(id))).toEqual(ids.map(pattern));
  expect(Object.keys(children)).toEqual(ids.map(pattern));
});
