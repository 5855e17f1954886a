import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { type SocketContext, socketMachine } from '../../machines/socket.machine.ts';
import { STRANGERS_OF_PEER } from '../../machines/stranger-budget.ts';
import { entriesOf } from '../../src/merkle/hash-table.ts';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const from = { ip: '192.0.2.1', port: 1 };
const request = nobody('request');
const session = nobody('session');
const received = (bytes: Uint8Array) => ({ type: 'datagrams.received', arrivals: [{ bytes, from }], atMs: 1 });

test('every transition of a socket is walked', () => {
  for (const actor of [request, session]) actor.start();
  const result = walkMachine({
    machine: socketMachine.provide({ actions: inert('openSocket', 'closeSocket', 'transmit') }),
    input: { index: 0, bind: from, owner: nobody('peer'), strangers: STRANGERS_OF_PEER },
    key: ({ routes, sources }: SocketContext) => [routes.size, sources.size],
    events: [
      { type: 'socket.opened', address: from },
      { type: 'socket.failed', why: 'in use' },
      { type: 'xstate.after.reopenPause.socket.broken' },
      received(Uint8Array.of(1, 2, 3)),
      received(encodeDatagram({ type: 'NoDatum', id: 7, hash: ZERO_HASH })),
      { type: 'datagrams.send', datagrams: [new Uint8Array(7)], to: from },
      {
        type: 'datagrams.send',
        datagrams: [new Uint8Array(7)],
        to: from,
        route: { ids: [7], formerIds: [], to: request, owner: session },
      },
      { type: 'checks.send', checks: [{ id: 8, bytes: new Uint8Array(5), to: from }], by: request },
      { type: 'datagrams.refused', to: from, why: 'nobody listens there' },
      { type: 'datagrams.dropped', why: 'answer does not fit its request', count: 2 },
      { type: 'source.routed', source: from, to: session, isProven: false },
      { type: 'source.unrouted', source: from, isCutOff: true },
      { type: 'routes.dropped', ids: [7] },
    ] as never,
    depth: 4,
  });
  expect(unwalked(result)).toEqual([]);
});

test('whoever is stopped while asking leaves no route behind; one that ends by itself takes nobody else’s answers', () => {
  const socket = createActor(socketMachine.provide({ actions: inert('openSocket', 'closeSocket', 'transmit') }), {
    input: { index: 0, bind: from, owner: nobody('peer'), strangers: STRANGERS_OF_PEER },
  }).start();
  const elsewhere = { ip: '192.0.2.2', port: 1 };
  socket.send({ type: 'socket.opened', address: from });
  for (const [id, to] of [from, from, elsewhere].entries()) {
    socket.send({
      type: 'datagrams.send',
      datagrams: [],
      to,
      route: { ids: [id + 1], formerIds: [], to: request, owner: session },
    });
  }
  const waiting = () => [...entriesOf(socket.getSnapshot().context.routes)].map(([id]) => id);
  socket.send({ type: 'source.unrouted', source: from, isCutOff: false });
  expect(waiting()).toHaveLength(3);
  socket.send({ type: 'source.unrouted', source: from, isCutOff: true });
  expect(waiting()).toEqual([3]);
});
