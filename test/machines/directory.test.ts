import { expect, test } from 'vitest';
import { directoryMachine } from '../../machines/directory.machine.ts';
import type { DirectoryContext } from '../../machines/directory-context.ts';
import type { Datagram } from '../../src/wire/datagram.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { seededRandom } from '../support/seeded-random.ts';
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
const checked = (status: string) => ({ type: 'hello.checked', hello: delivery(hello), status, key: 'key' });
const proof = (proven: boolean) => ({
  type: 'xstate.done.actor.address-proof.192.0.2.1:1',
  actorId: 'address-proof.192.0.2.1:1',
  output: { proven, address: alice, name: 'alice', key: 'key', atMs: 2 },
});

const events = [
  { type: 'socket.ready', index: 0, address: alice, socket },
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
  { type: 'sweep', atMs: 5 },
  proof(true),
  proof(false),
  { type: 'xstate.error.actor.socket.0', actorId: 'socket.0', error: new Error('broken') },
  { type: 'directory.stop' },
] as never;

const key = (context: DirectoryContext) => [
  context.sessions.size,
  context.proving.size,
  context.sockets.ipv4 === undefined,
];

test('every transition of a directory is walked', async () => {
  const machine = directoryMachine.provide({
    actors: { socket: inertMachine, addressProof: inertMachine } as never,
    actions: inert('checkHello', 'checkTraversal', 'listAddress', 'forgetExpired', 'sendSigned'),
  });
  const input = { binds: [alice], random: seededRandom(1) };
  const result = await walkMachine({ machine, input, events, key, depth: 4 });
  expect(unwalked(result)).toEqual([]);
});
