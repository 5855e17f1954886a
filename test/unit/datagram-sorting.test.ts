/** Protocol §4: whom a datagram is for. */
import { describe, expect, test } from 'vitest';
import { type Routing, sortArrivals } from '../../machines/datagram-sorting.ts';
import { strangerBudget } from '../../machines/stranger-budget.ts';
import { emptyTable, withEntry } from '../../src/merkle/hash-table.ts';
import { type Datagram, encodeDatagram } from '../../src/wire/datagram.ts';
import { ZERO_HASH } from '../../src/wire/hash.ts';
import { formatAddress, type SocketAddress } from '../../src/wire/socket-address.ts';
import { nobody } from '../machines/walk-machine.ts';

const owner = nobody('owner');
const socket = nobody('socket');
const request = nobody('request');
const session = nobody('session');
const peer = { ip: '192.0.2.1', port: 1 };
const stranger = { ip: '192.0.2.2', port: 1 };
/** Whoever has opened the requests 7 and 8. */
const asker = nobody('asker');
const route = { address: peer, to: request, owner: asker };
const routing: Routing = {
  owner,
  routes: withEntry(withEntry(emptyTable(), 7, route), 8, route),
  sources: withEntry(emptyTable(), formatAddress(peer), { to: session, isProven: true }),
  strangers: strangerBudget({ perSecond: 1, atOnce: 8, ofHost: 1 / 2 }),
  unasked: strangerBudget({ perSecond: 1, atOnce: 8, ofHost: 1 / 2 }),
};

const hello = { type: 'Hello', id: 1, flags: 0, name: 'alice' } as const;
const root = (id: number) => ({ type: 'Root', id, hash: ZERO_HASH }) as const;
const ask = (id: number) => ({ type: 'GetDatum', id, hash: ZERO_HASH }) as const;
const absent = (id: number) => ({ type: 'NoDatum', id, hash: ZERO_HASH }) as const;
const unknown = (id: number, code: number) => ({ type: 'Unknown', id, code, body: new Uint8Array(0) }) as const;

/** "RECEIVER: EVENT" for each event; and what was dropped. */
function sorted(from: SocketAddress, ...datagrams: Datagram[]) {
  const arrivals = datagrams.map((datagram) => ({ bytes: encodeDatagram(datagram), from }));
  const { deliveries, malformed, unexpected } = sortArrivals(arrivals, 1, socket, routing);
  return { to: deliveries.map(({ to, event }) => `${to.id}: ${event.type}`), malformed, unexpected };
}

describe('answers', () => {
  test('go by id and source to whoever waits for them', () => {
    expect(sorted(peer, root(7)).to).toEqual(['request: answer.received']);
  });

  test('from another source, or under another id, are dropped and counted', () => {
    expect(sorted(stranger, absent(7))).toEqual({ to: [], malformed: 0, unexpected: 1 });
    expect(sorted(peer, root(9), absent(9))).toEqual({ to: [], malformed: 0, unexpected: 2 });
    expect(sorted(peer, unknown(0, 200))).toEqual({ to: [], malformed: 0, unexpected: 1 });
  });

  test('that are nodes go one by one, and whoever asked for them hears once that all were handed over', () => {
    const { to } = sorted(peer, absent(7), root(7), absent(8));
    expect(to).toEqual([...new Array(3).fill('request: answer.received'), 'asker: answers.delivered']);
  });

  test('that are no nodes are followed by nothing', () => {
    expect(sorted(peer, root(7), { type: 'Error', id: 8, text: 'no' }).to).toEqual(
      new Array(2).fill('request: answer.received'),
    );
  });

  test('of nodes are followed by one word to each session', () => {
    const other = { ...route, owner: nobody('another') };
    const routes = withEntry(routing.routes, 9, other);
    const arrivals = [absent(7), absent(9), absent(8)].map((node) => ({ bytes: encodeDatagram(node), from: peer }));
    const { deliveries } = sortArrivals(arrivals, 1, socket, { ...routing, routes });
    expect(deliveries.slice(3).map(({ to, event }) => `${to.id}: ${event.type}`)).toEqual([
      'asker: answers.delivered',
      'another: answers.delivered',
    ]);
  });
});

describe('requests', () => {
  test('go by source to their session', () => {
    expect(sorted(peer, { type: 'RootRequest', id: 7 }, hello, unknown(3, 77)).to).toEqual(
      new Array(3).fill('session: request.received'),
    );
  });

  test('for nodes go together, with the bytes that they took', () => {
    const arrivals = [ask(1), ask(2)].map((datagram) => ({ bytes: encodeDatagram(datagram), from: peer }));
    const { deliveries } = sortArrivals(arrivals, 1, socket, routing);
    expect(deliveries).toEqual([
      { to: session, event: { type: 'nodes.requested', requests: [ask(1), ask(2)], size: 78, atMs: 1 } },
    ]);
  });

  test('of strangers go to the owner of the socket', () => {
    expect(sorted(stranger, ask(1), hello).to).toEqual(new Array(2).fill('owner: stranger.asked'));
  });
});

test('what may come unasked goes to the owner of the socket', () => {
  const reply = { type: 'HelloReply', id: 0, flags: 0, name: '' } as const;
  const traversal = (type: 'NatTraversalClient' | 'NatTraversalServer') =>
    ({ type, id: 4, address: stranger }) as const;
  const error = { type: 'Error', id: 5, text: 'no' } as const;
  const unasked = [root(0), reply, traversal('NatTraversalClient'), traversal('NatTraversalServer'), error];
  expect(sorted(peer, ...unasked).to).toEqual(new Array(5).fill('owner: datagram.unsolicited'));
});

test('malformed datagrams are dropped and counted, and the others go on', () => {
  const arrivals = [Uint8Array.of(1, 2), encodeDatagram(hello)].map((bytes) => ({ bytes, from: peer }));
  expect(sortArrivals(arrivals, 1, socket, routing)).toMatchObject({ malformed: 1, unexpected: 0, deliveries: [{}] });
});

describe('strangers', () => {
  const from = (index: number) => ({ ip: `192.0.2.${index}`, port: 1 });
  const flood = (count: number, routed: Partial<Routing> = {}) =>
    sortArrivals(
      Array.from({ length: count }, (_, i) => ({ bytes: encodeDatagram(hello), from: from(100 + i) })),
      1,
      socket,
      { ...routing, ...routed },
    );

  test('are handed on as long as there is something left for them; little is left a moment later, and something two seconds later', () => {
    const first = flood(20);
    // Of eight, what those may use whose host was handed nothing on before; the other classes keep half of theirs.
    expect(first).toMatchObject({ crowd: 14 });
    expect(first.deliveries).toHaveLength(6);
    // One of those hosts again.
    expect(flood(20, first)).toMatchObject({ crowd: 19 });
    const again = sortArrivals([{ bytes: encodeDatagram(hello), from: stranger }], 2_001, socket, {
      ...routing,
      ...first,
    });
    expect(again).toMatchObject({ crowd: 0, deliveries: [{}] });
  });

  test('of what nobody asked for no more is handed on either', () => {
    const unasked = Array.from({ length: 12 }, () => root(0));
    expect(sorted(stranger, ...unasked).to).toHaveLength(4);
    expect(sorted(peer, ...unasked).to).toHaveLength(12);
    expect(sorted(stranger, ...unasked, hello).to).toHaveLength(5);
  });

  test('of one host use up one half', () => {
    const arrivals = Array.from({ length: 20 }, (_, i) => ({
      bytes: encodeDatagram(hello),
      from: { ...stranger, port: i },
    }));
    expect(sortArrivals(arrivals, 1, socket, routing)).toMatchObject({ crowd: 16 });
  });

  test('take nothing from whoever has proven to be there, in a session or otherwise', () => {
    const { strangers } = flood(20);
    const proven = new Map([[formatAddress(stranger), undefined]]);
    const arrivals = [peer, stranger].map((from) => ({ bytes: encodeDatagram(hello), from }));
    expect(sortArrivals(arrivals, 1, socket, { ...routing, strangers, proven })).toMatchObject({
      crowd: 0,
      deliveries: [{}, {}],
    });
  });

  test('pay for each Hello in a session that is not proven, and for nothing else in it', () => {
    const { strangers } = flood(20);
    const sources: Routing['sources'] = withEntry(emptyTable(), formatAddress(peer), { to: session, isProven: false });
    const arrivals = [hello, { type: 'RootRequest', id: 2 } as const].map((datagram) => ({
      bytes: encodeDatagram(datagram),
      from: peer,
    }));
    expect(sortArrivals(arrivals, 1, socket, { ...routing, strangers, sources })).toMatchObject({
      crowd: 1,
      deliveries: [{}],
    });
  });
});
