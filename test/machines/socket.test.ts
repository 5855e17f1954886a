import { expect, test } from 'vitest';
import { type SocketContext, socketMachine } from '../../machines/socket.machine.ts';
import { sizeOf } from '../../src/merkle/hash-table.ts';
import { encodeDatagram } from '../../src/wire/datagram.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { inert, nobody, unwalked, walkMachine } from './walk-machine.ts';

const from = { ip: '192.0.2.1', port: 1 };
const request = nobody('request');
const session = nobody('session');
const received = (bytes: Uint8Array) => ({ type: 'datagram.received', bytes, from, atMs: 1 });

test('every transition of a socket is walked', async () => {
  for (const actor of [request, session]) actor.start();
  const result = await walkMachine({
    machine: socketMachine.provide({ actions: inert('openSocket', 'closeSocket', 'transmit') }),
    input: { index: 0, bind: from, owner: nobody('peer') },
    key: ({ routes, sources }: SocketContext) => [sizeOf(routes), sizeOf(sources)],
    events: [
      { type: 'socket.opened', address: from },
      { type: 'socket.failed', why: 'in use' },
      { type: 'xstate.after.reopenPause.socket.broken' },
      received(Uint8Array.of(1, 2, 3)),
      received(encodeDatagram({ type: 'NoDatum', id: 7, hash: ZERO_HASH })),
      received(encodeDatagram({ type: 'RootRequest', id: 7 })),
      received(encodeDatagram({ type: 'Unknown', id: 7, code: 77, body: new Uint8Array(0) })),
      received(encodeDatagram({ type: 'Error', id: 0, text: 'no' })),
      received(encodeDatagram({ type: 'Root', id: 0, hash: ZERO_HASH })),
      received(encodeDatagram({ type: 'Unknown', id: 7, code: 200, body: new Uint8Array(0) })),
      { type: 'datagram.send', bytes: new Uint8Array(7), to: from },
      { type: 'datagram.send', bytes: new Uint8Array(7), to: from, route: { ids: [7], staleIds: [], to: request } },
      { type: 'datagram.dropped', why: 'answer does not fit its request' },
      { type: 'source.routed', source: from, to: session },
      { type: 'source.unrouted', source: from },
      { type: 'routes.dropped', ids: [7] },
    ] as never,
    depth: 4,
  });
  expect(unwalked(result)).toEqual([]);
});
