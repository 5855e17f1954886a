/** Protocol §4: what others see of a socket. */
import { beforeEach, describe, expect, test } from 'vitest';
import { type Actor, createActor } from 'xstate';
import { socketMachine } from '../../machines/socket.machine.ts';
import { STRANGERS_OF_PEER } from '../../machines/stranger-budget.ts';
import { timing } from '../../machines/timing.ts';
import { type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { Outside } from './outside.ts';

const bind = { ip: '0.0.0.0', port: 0 };
const bound = { ip: '0.0.0.0', port: 4_000 };
const [alice, bob] = [
  { ip: '192.0.2.1', port: 1 },
  { ip: '192.0.2.2', port: 1 },
];
const bytes = Uint8Array.of(1, 2, 3);
const absent = (id: number) => ({ type: 'NoDatum', id, hash: ZERO_HASH }) as const;

let outside: Outside;
let socket: Actor<typeof socketMachine>;
/** What was done with the operating system's socket. */
let done: string[];

beforeEach(() => {
  outside = new Outside();
  done = [];
  const machine = socketMachine.provide({
    actions: {
      openSocket: (_, params) => done.push(`open ${params.bind.port}`),
      closeSocket: () => done.push('close'),
      transmit: (_, { datagrams, to }) => done.push(`send ${datagrams.length} to ${to.ip}`),
    },
  });
  const input = { index: 2, bind, owner: outside.nobody('owner'), strangers: STRANGERS_OF_PEER };
  socket = createActor(machine, { id: 'socket.2', input, clock: outside.clock }).start();
  outside.told.length = 0;
});

const open = () => socket.send({ type: 'socket.opened', address: bound });
const hear = (from: typeof alice, ...datagrams: Datagram[]) =>
  socket.send({
    type: 'datagrams.received',
    arrivals: datagrams.map((datagram) => ({ bytes: encodeDatagram(datagram), from })),
    atMs: 5,
  });
/** Somebody sends, and waits for answers under these ids. */
const ask = (who: string, to: typeof alice, ids: number[], formerIds: number[] = []) =>
  socket.send({
    type: 'datagrams.send',
    datagrams: [bytes],
    to,
    route: { ids, formerIds, to: outside.nobody(who), owner: outside.nobody('asker') },
  });
function toldBy(work: () => void): string[] {
  outside.told.length = 0;
  work();
  return [...outside.told];
}
const dropped = () => socket.getSnapshot().context.dropped;

describe('a local address', () => {
  test('is bound at once, and the owner hears which it is', () => {
    expect(done).toEqual(['open 0']);
    expect(toldBy(open)).toEqual(['owner: socket.ready']);
    expect(outside.last('socket.ready')).toMatchObject({ index: 2, address: bound, socket });
  });

  test('that cannot be bound is tried again a second later', async () => {
    expect(toldBy(() => socket.send({ type: 'socket.failed', why: 'in use' }))).toEqual(['owner: socket.lost']);
    expect(outside.last('socket.lost')).toMatchObject({ index: 2, why: 'in use' });
    await outside.clock.advance(timing.socketReopen - 1);
    expect(done).toEqual(['open 0']);
    await outside.clock.advance(1);
    expect(done).toEqual(['open 0', 'open 0']);
  });

  test('that breaks is closed, and bound again at the port that it had', async () => {
    open();
    expect(toldBy(() => socket.send({ type: 'socket.failed', why: 'gone' }))).toEqual(['owner: socket.lost']);
    await outside.clock.advance(timing.socketReopen);
    expect(done).toEqual(['open 0', 'close', 'open 4000']);
    expect(toldBy(open)).toEqual(['owner: socket.ready']);
  });

  test('sends while it is open, and loses what is sent before', () => {
    ask('request', alice, [7]);
    open();
    socket.send({ type: 'datagrams.send', datagrams: [bytes, bytes], to: bob });
    expect(done).toEqual(['open 0', 'send 2 to 192.0.2.2']);
  });
});

describe('answers', () => {
  beforeEach(open);

  test('go to whoever asked, and from nowhere else', () => {
    ask('request', alice, [7]);
    expect(toldBy(() => hear(bob, absent(7)))).toEqual([]);
    expect(toldBy(() => hear(alice, absent(7)))).toEqual(['request: answer.received', 'asker: answers.delivered']);
  });

  test('under an id that was replaced, or whose route was dropped, go to nobody', () => {
    ask('request', alice, [7]);
    ask('request', alice, [8], [7]);
    expect(toldBy(() => hear(alice, absent(7)))).toEqual([]);
    expect(toldBy(() => hear(alice, absent(8)))).toHaveLength(2);
    socket.send({ type: 'routes.dropped', ids: [8] });
    expect(toldBy(() => hear(alice, absent(8)))).toEqual([]);
    expect(dropped()).toEqual({ 'answer to no request': 2 });
  });

  test('of somebody who was cut off go to nobody, and those of others still arrive', () => {
    ask('request', alice, [7]);
    ask('another', bob, [8]);
    socket.send({ type: 'source.unrouted', source: alice, isCutOff: false });
    expect(toldBy(() => hear(alice, absent(7)))).toHaveLength(2);
    socket.send({ type: 'source.unrouted', source: alice, isCutOff: true });
    expect(toldBy(() => hear(alice, absent(7)))).toEqual([]);
    expect(toldBy(() => hear(bob, absent(8)))).toHaveLength(2);
  });

  test('that will never come are told at once to whoever waits for them, once each', () => {
    ask('request', alice, [7, 8]);
    ask('another', bob, [9]);
    const refuse = () => socket.send({ type: 'datagrams.refused', to: alice, why: 'nobody listens there' });
    expect(new Set(toldBy(refuse))).toEqual(new Set(['request: send.failed']));
    expect(outside.last('send.failed')).toMatchObject({ why: 'nobody listens there' });
    expect(dropped()).toEqual({ 'could not be sent': 1 });
  });
});

describe('requests', () => {
  beforeEach(open);
  const hello = { type: 'Hello', id: 1, flags: 0, name: 'alice' } as const;

  test('go to the session of their source, while there is one, and else to the owner', () => {
    expect(toldBy(() => hear(alice, hello))).toEqual(['owner: stranger.asked']);
    socket.send({ type: 'source.routed', source: alice, to: outside.nobody('session'), isProven: true });
    expect(toldBy(() => hear(alice, hello))).toEqual(['session: request.received']);
    expect(toldBy(() => hear(bob, hello))).toEqual(['owner: stranger.asked']);
    socket.send({ type: 'source.unrouted', source: alice, isCutOff: false });
    expect(toldBy(() => hear(alice, hello))).toEqual(['owner: stranger.asked']);
  });
});

test('what is dropped is counted by why', () => {
  open();
  socket.send({ type: 'datagrams.received', arrivals: [{ bytes, from: alice }], atMs: 5 });
  socket.send({ type: 'datagrams.dropped', why: 'answer does not fit its request', count: 2 });
  socket.send({ type: 'datagrams.dropped', why: 'answer does not fit its request', count: 3 });
  hear(alice, absent(9));
  expect(dropped()).toEqual({ malformed: 1, 'answer does not fit its request': 5, 'answer to no request': 1 });
});
