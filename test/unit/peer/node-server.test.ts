import { beforeEach, describe, expect, test } from 'vitest';
import type { BulkRequest } from '../../../machines/events.ts';
import { limits } from '../../../machines/timing.ts';
import { NodeServer } from '../../../src/peer/node-server.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';
import { decodeDatagram } from '../../../src/wire/datagram.ts';
import { hashOf } from '../../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../../src/wire/node.ts';

const leaves = Array.from({ length: 32 }, (_, date) => encodeMessage({ date, inReplyTo: null, body: 'm'.repeat(900) }));
const parent = encodeInternal(leaves.map(hashOf));
const nodes = new Map([...leaves, parent].map((node) => [hashOf(node), node]));

/** One message a datagram. */
const request = (id: number, grant: number, gap = 0): BulkRequest => ({
  type: 'GetNodes',
  id,
  proof: 1,
  gap,
  grant,
  entries: Array.from({ length: 8 }, () => ({ kind: 'children', parent: hashOf(parent), mask: 0xffffffff })),
});

let clock: VirtualClock;
let reads: number;
let server: NodeServer;
/** Datagrams by the turn in which they were sent. */
let turns: { readonly to: string; readonly sequences: number[] }[][];

beforeEach(() => {
  clock = new VirtualClock();
  reads = 0;
  turns = [];
  const read = (hash: string) => nodes.get(hash);
  const source = {
    named: (hash: string) => {
      reads += 1;
      return read(hash);
    },
    children: (hashes: readonly string[]) => {
      reads += 1;
      return hashes.map(read);
    },
  };
  // A turn of the event loop is a callback of the clock.
  const inTurns = {
    now: () => clock.now(),
    monotonicNow: () => clock.monotonicNow(),
    clearTimeout: (timer: unknown) => clock.clearTimeout(timer),
    setTimeout: (callback: () => void, ms: number) =>
      clock.setTimeout(() => {
        turns.push([]);
        callback();
      }, ms),
  };
  server = new NodeServer(source, inTurns);
});

function serve(to: string, ...requests: BulkRequest[]): void {
  server.serve(to, requests, (datagrams) => {
    const sequences = datagrams.map((bytes) => {
      const decoded = decodeDatagram(bytes);
      return decoded.ok && decoded.value.datagram.type === 'Nodes' ? decoded.value.datagram.sequence : -1;
    });
    turns.at(-1)?.push({ to, sequences });
  });
}

const sentTo = (turn: (typeof turns)[number], to: string) =>
  turn.filter((sent) => sent.to === to).flatMap(({ sequences }) => sequences).length;

describe('a node server', () => {
  test('sends at most 16 datagrams to one address back to back, and to all at most 64 in one turn', async () => {
    const readers = Array.from({ length: 10 }, (_, i) => `reader ${i}`);
    for (const to of readers) serve(to, request(1, 100));
    await clock.advance(1_000);
    for (const turn of turns) {
      for (const to of readers) expect(sentTo(turn, to)).toBeLessThanOrEqual(limits.burst);
      expect(turn.flatMap(({ sequences }) => sequences).length).toBeLessThanOrEqual(64);
    }
    for (const to of readers) expect(turns.reduce((sum, turn) => sum + sentTo(turn, to), 0)).toBe(100);
  });

  test('serves all in turn: nobody waits until another has everything', async () => {
    for (const to of ['alice', 'bob']) serve(to, request(1, 200));
    await clock.advance(1_000);
    const firstHalf = turns.slice(0, Math.ceil(turns.length / 2));
    const [alice, bob] = ['alice', 'bob'].map((to) => firstHalf.reduce((sum, turn) => sum + sentTo(turn, to), 0));
    expect(Math.abs((alice ?? 0) - (bob ?? 0))).toBeLessThanOrEqual(limits.burst);
  });

  test('reads no more than what it sends: a request is no work before its datagrams are due', async () => {
    serve('reader', request(1, 200, 65_535));
    await clock.advance(1_000);
    expect(reads).toBeLessThanOrEqual(3);
  });

  test('reads the children of a node together, and the node once for all entries in a row that ask for children of it', async () => {
    serve('reader', request(1, 200));
    await clock.advance(1_000);
    expect(reads).toBe(8);
  });

  test('makes up for timers that are late with one burst, and no more', async () => {
    serve('reader', request(1, 200, 1_000));
    await clock.advance(2);
    const before = turns.reduce((sum, turn) => sum + sentTo(turn, 'reader'), 0);
    expect(before).toBeLessThanOrEqual(4);
  });

  test('a disk that cannot be read is no absence: that answer ends, and others go on', async () => {
    const broken = new NodeServer(
      {
        named: () => {
          throw new Error('disk');
        },
        children: () => [],
      },
      clock,
    );
    const sent: number[] = [];
    broken.serve('reader', [request(1, 10), request(2, 10)], (datagrams) => sent.push(datagrams.length));
    await clock.advance(1_000);
    expect(sent).toEqual([]);
  });
});
