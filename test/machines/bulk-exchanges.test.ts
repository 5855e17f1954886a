/** Protocol §10.1, against the vectors: what a responder sends for a GetNodes, and what a requester makes of what comes. */
import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import type { Wanted } from '../../machines/bulk-answer.ts';
import type { BulkRequest, ReceivedNode } from '../../machines/events.ts';
import type { RequestEnded, RequestProgressed } from '../../machines/request-context.ts';
import { childrenOf } from '../../machines/tree-nodes.ts';
import { NodeServer } from '../../src/peer/node-server.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';
import { decodeDatagram } from '../../src/wire/datagram.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { type BulkExchange, type BulkVectors, fromHex, loadVectors } from '../support/vectors.ts';
import { Outside } from './outside.ts';

const { exchanges } = loadVectors<BulkVectors>('bulk');
const to = { ip: '192.0.2.1', port: 1 };

const heldBy = ({ held }: BulkExchange) => new Map(held.map(fromHex).map((value) => [hashOf(value), value]));

function requestIn({ request }: BulkExchange): BulkRequest {
  const decoded = decodeDatagram(fromHex(request));
  if (!decoded.ok || decoded.value.datagram.type !== 'GetNodes') throw new Error('the vector has no GetNodes');
  return decoded.value.datagram;
}

test.each(exchanges)('the responder: $name', async (exchange) => {
  const held = heldBy(exchange);
  const clock = new VirtualClock();
  const read = (hash: string) => held.get(hash);
  const sent: string[] = [];
  new NodeServer({ named: read, children: (hashes) => hashes.map(read) }, clock).serve(
    'somebody',
    [requestIn(exchange)],
    (datagrams) => sent.push(...datagrams.map((bytes) => Buffer.from(bytes).toString('hex'))),
  );
  await clock.advance(1_000);
  expect(sent).toEqual(exchange.answer);
});

/** Children are known of nodes that the request does not ask for as well. */
function wantedIn(exchange: BulkExchange): Wanted[] {
  const held = heldBy(exchange);
  const { entries } = requestIn(exchange);
  const isAsked = (hash: string) => entries.some((entry) => entry.kind === 'node' && entry.hash === hash);
  return entries.map((entry) => {
    if (entry.kind === 'node') return { parent: undefined, children: [entry.hash], mask: 1, depth: 0 };
    const { parent, mask } = entry;
    const value = held.get(parent) ?? fromHex(exchange.known ?? '');
    return { parent, children: isAsked(parent) ? undefined : childrenOf(value), mask, depth: 1 };
  });
}

test.each(exchanges)('the requester: $name', async (exchange) => {
  const outside = new Outside();
  const slot = createActor(outside.request, {
    id: 'request.0',
    clock: outside.clock,
    input: { slot: 0, owner: outside.nobody('session'), random: seededRandom(1) },
  });
  slot.start();
  const { proof, gap, grant } = requestIn(exchange);
  const question = { type: 'GetNodes', proof, gap, grant, wanted: wantedIn(exchange) } as const;
  slot.send({
    type: 'request.open',
    order: {
      question,
      to,
      socket: outside.socket,
      answerKey: 'key',
      answerName: undefined,
      firstTimeoutMs: 200,
      roundTripMs: 50,
      maxSends: 5,
      zeroEndingIds: false,
      requester: undefined,
      ticket: 0,
      sentBefore: 0,
      heard: 0,
    },
    atMs: outside.nowMs,
  });
  const id = outside.sent[0]?.datagram.id ?? 0;
  const arrives = exchange.arrives ?? exchange.answer.keys().toArray();
  for (const came of arrives) {
    const decoded = decodeDatagram(fromHex(typeof came === 'number' ? (exchange.answer[came] as string) : came));
    if (decoded.ok) outside.receive(to, { ...decoded.value.datagram, id });
  }
  const told = () => outside.events.map(({ event }) => event as unknown as RequestEnded | RequestProgressed);
  const ended = () => told().find((event): event is RequestEnded => event.type === 'request.ended');
  expect(ended() !== undefined).toBe(exchange.isWhole || exchange.showsLoss);
  await outside.clock.advance(10_000);
  const outcome = ended()?.outcome;
  if (outcome?.kind !== 'served') throw new Error(`the request ended as ${outcome?.kind}`);
  expect(outcome.isCut).toBe(!exchange.isWhole);
  const harvests = [
    ...told().flatMap((event) => (event.type === 'request.progressed' ? [event.harvest] : [])),
    outcome.harvest,
  ];
  const nodes = harvests.flatMap((harvest): readonly ReceivedNode[] => harvest.nodes);
  for (const { hash, value } of nodes) expect(hashOf(value)).toBe(hash);
  expect(nodes.map(({ hash }) => hash).sort()).toEqual(exchange.nodes.toSorted());
  expect(harvests.flatMap(({ absent }) => absent)).toEqual(exchange.absent);
  expect(harvests.flatMap(({ single }) => single)).toEqual(exchange.single);
  expect(outcome.unserved.map(({ parent, mask }) => ({ parent, mask }))).toEqual(exchange.unserved);
  const dropped = outside.socket.getSnapshot().context.dropped['answer does not fit its request'] ?? 0;
  expect(dropped).toBe(exchange.unfit);
  const freed = told().reduce((sum, event) => sum + ('freed' in event ? event.freed : 0), 0);
  expect(freed).toBe(grant);
});
