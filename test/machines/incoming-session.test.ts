import { expect, test } from 'vitest';
import { incomingSessionMachine } from '../../machines/incoming-session.machine.ts';
import type { IncomingSessionContext } from '../../machines/incoming-session-context.ts';
import { timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { BULK_FLAG } from '../../src/wire/bulk.ts';
import type { Datagram } from '../../src/wire/datagram.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { inert, inertMachine, nobody, unwalked, walkMachine } from './walk-machine.ts';

const address = { ip: '192.0.2.1', port: 1 };
const socket = nobody('socket');
const signature = new Uint8Array(64).fill(1);

const delivery = (datagram: Datagram, signed = true) => ({
  received: { datagram, signed: new Uint8Array(7), ...(signed ? { signature } : {}) },
  from: address,
  size: 400,
  atMs: 1,
  socket,
});
const asked = (datagram: Datagram) => ({ type: 'request.received', ...delivery(datagram) });
const hello = { type: 'Hello', id: 7, flags: BULK_FLAG, name: 'alice' } as const;
const getNodes = { type: 'GetNodes', id: 9, proof: 7, gap: 0, grant: 1, entries: [{ kind: 'node', hash: ZERO_HASH }] };
const proof = (proven: boolean) => ({
  type: 'xstate.done.actor.address-proof',
  output: { proven, address, name: 'alice', key: 'key', provenBy: proven ? [7] : [], atMs: 3 },
});

const events = [
  asked(hello),
  { ...asked(hello), atMs: timing.identifyingPatience + 10 },
  asked({ ...hello, name: 'bob' }),
  asked({ type: 'RootRequest', id: 8 }),
  { type: 'nodes.requested', requests: [{ type: 'GetDatum', id: 9, hash: ZERO_HASH }], size: 400, atMs: 1 },
  { type: 'bulk.requested', requests: [getNodes], size: 400, atMs: 1 },
  asked({ type: 'Unknown', id: 10, code: 16, body: new Uint8Array(0) }),
  asked({ type: 'Unknown', id: 10, code: 77, body: new Uint8Array(0) }),
  { type: 'key.found', key: undefined, trusted: false },
  { type: 'key.found', key: undefined, trusted: true },
  { type: 'key.found', key: 'key', trusted: true },
  { type: 'hello.verified', id: 7, valid: true },
  { type: 'hello.verified', id: 7, valid: false },
  { type: 'nodes.read', nodes: [{ id: 9, hash: ZERO_HASH, value: undefined }] },
  { type: 'root.changed', root: ZERO_HASH },
  { type: 'flags.changed', flags: 1 },
  { type: 'session.proven', name: 'alice', provenBy: [7] },
  proof(true),
  proof(false),
  { type: 'sweep', atMs: 2 },
  { type: 'sweep', atMs: timing.sessionLifetime + 10 },
  { type: 'sweep', atMs: timing.sessionLifetime + timing.expiredSessionMemory + 10 },
] as never;

/** The answer is too large for an address that is not proven. */
const askedTwice = [
  { type: 'nodes.requested', requests: [{ type: 'GetDatum', id: 9, hash: ZERO_HASH }], size: 400, atMs: 1 },
  { type: 'nodes.read', nodes: [{ id: 9, hash: ZERO_HASH, value: new Uint8Array(60_000) }] },
];

const input = (proven: boolean, signed: boolean) => ({
  address,
  ownName: 'bob',
  ownRoot: ZERO_HASH,
  owner: nobody('peer'),
  socket,
  random: seededRandom(1),
  flags: BULK_FLAG,
  hello: delivery(hello, signed),
  proven,
  isGreetingFree: true,
  provenBy: [],
});
const key = (context: IncomingSessionContext) => [
  context.key,
  context.proven,
  context.hello !== undefined,
  context.name,
];

test('every transition of an incoming session is walked', () => {
  const machine = incomingSessionMachine.provide({
    actors: { addressProof: inertMachine as never },
    actions: inert('findKey', 'verifyHello', 'sendSigned', 'readNodes', 'serveNodes'),
  });
  const stranger = walkMachine({ machine, input: input(false, true), events, key, depth: 6 });
  const unsigned = walkMachine({ machine, input: input(false, false), events, key, depth: 2 });
  const proven = walkMachine({ machine, input: input(true, true), events, key, depth: 3 });
  const without = walkMachine({ machine, input: { ...input(true, true), flags: 0 }, events, key, depth: 3 });
  const few = { ...input(false, false), hello: { ...delivery(hello, false), size: 13 } };
  const again = { ...asked(hello), size: 13 };
  const keyless = { type: 'key.found', key: undefined, trusted: true };
  const poor = walkMachine({
    machine,
    input: few,
    events: [keyless, proof(false), again] as never,
    key,
    depth: 4,
  });
  const waiting = walkMachine({
    machine,
    input: { ...input(false, false), ownRoot: undefined },
    events: [keyless, asked({ type: 'RootRequest', id: 8 }), ...askedTwice] as never,
    key: (context: IncomingSessionContext) => [...key(context), context.held.length],
    depth: 4,
  });
  const unpaid = { ...few, isGreetingFree: false };
  const ignored = walkMachine({ machine, input: unpaid, events: [keyless] as never, key, depth: 1 });
  const walked = ignored.walked
    .union(stranger.walked)
    .union(unsigned.walked)
    .union(proven.walked)
    .union(poor.walked)
    .union(waiting.walked)
    .union(without.walked);
  expect(unwalked({ ...stranger, walked })).toEqual([]);
});
