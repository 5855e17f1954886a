import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { directoryMachine } from '../../machines/directory.machine.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { Datagram } from '../../src/wire/datagram.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { inert, inertMachine, nobody, unwalked, walkMachine } from './walk-machine.ts';

const alice = { ip: '192.0.2.1', port: 1 };
const bob = { ip: '192.0.2.2', port: 1 };
const socket = nobody('socket');
const delivery = (datagram: Datagram) => ({
  received: { datagram, signed: new Uint8Array(7) },
  from: alice,
  size: 80,
  atMs: 1,
  socket,
});
const asked = (datagram: Datagram) => ({ type: 'stranger.asked', ...delivery(datagram) });
const hello = { type: 'Hello', id: 1, flags: 0, name: 'alice' } as const;
const checked = (status: string) => ({
  type: 'hello.checked',
  hello: delivery(hello),
  status,
  key: 'key',
  isListed: false,
});
const proof = (proven: boolean, { ip, port } = alice) => ({
  type: 'xstate.done.actor.address-proof.0',
  actorId: 'address-proof.0',
  output: { proven, address: { ip, port }, name: 'alice', key: 'key', atMs: 2 },
});

const bound = { type: 'socket.ready', index: 0, address: alice, socket };

const events = [
  bound,
  { type: 'socket.lost', index: 0, why: 'in use' },
  asked(hello),
  asked({ type: 'RootRequest', id: 2 }),
  asked({ type: 'GetDatum', id: 3, hash: ZERO_HASH }),
  asked({ type: 'Unknown', id: 4, code: 77, body: new Uint8Array(0) }),
  checked('registered'),
  checked('unregistered'),
  checked('forged'),
  { type: 'datagram.unsolicited', ...delivery({ type: 'NatTraversalClient', id: 0, address: bob }) },
  { type: 'traversal.checked', sender: alice, target: bob, isListed: true },
  { type: 'host.vouched', host: alice.ip, atMs: 3 },
  { type: 'address.listed', name: 'alice', key: 'key', address: alice, others: [bob], atMs: 3 },
  { type: 'addresses.undated', addresses: [{ name: 'alice', key: 'key', address: bob }], atMs: 3 },
  { type: 'sweep', atMs: 5 },
  proof(true),
  proof(false),
  proof(true, bob),
  proof(false, bob),
  { type: 'xstate.error.actor.socket.0', actorId: 'socket.0', error: new Error('broken') },
  { type: 'directory.stop' },
] as never;

const EFFECTS = [
  'lookUpSender',
  'lookUpTarget',
  'listAddress',
  'confirmAddress',
  'dropAddress',
  'forgetExpired',
  'sendSigned',
];

const paths = [
  [],
  [asked(hello), checked('registered')],
  [bound, { type: 'addresses.undated', addresses: [{ name: 'alice', key: 'key', address: bob }], atMs: 3 }],
];

test('every transition of a directory is walked', () => {
  const machine = directoryMachine.provide({
    actors: { socket: inertMachine, addressProof: inertMachine } as never,
    actions: inert(...EFFECTS),
  });
  const input = { binds: [alice], random: seededRandom(1) };
  const result = walkMachine({ machine, input, events, paths });
  expect(unwalked(result)).toEqual([]);
});

test('an address that is listed costs as much, however many others wait to be asked again', () => {
  const machine = directoryMachine.provide({
    actors: { socket: inertMachine, addressProof: inertMachine } as never,
    actions: inert(...EFFECTS),
  });
  const actor = createActor(machine, { input: { binds: [alice], random: seededRandom(1) } }).start();
  actor.send(bound as never);
  const list = (port: number) =>
    actor.send({
      type: 'address.listed',
      name: 'alice',
      key: 'key',
      address: { ip: '192.0.2.9', port },
      others: [],
      atMs: 3,
    } as never);
  for (let port = 1; port <= 1_000; port++) list(port);
  const { probes } = actor.getSnapshot().context;
  let looked = 0;
  for (const row of probes.values())
    Object.defineProperty(row, 'dueAtMs', {
      get() {
        looked += 1;
        return 60_003;
      },
    });
  list(2_000);
  expect(probes.size).toBe(1_001);
  expect(looked).toBeLessThan(10);
  actor.send({ type: 'sweep', atMs: 4 });
  expect(looked).toBeGreaterThanOrEqual(1_000);
  actor.stop();
});
