/** Protocol §6: when a session sends what is wanted of nodes, as others see it. */
import { beforeEach, expect, test } from 'vitest';
import { limits, timing } from '../../machines/timing.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { at, SeenSession } from './seen-session.ts';

let seen: SeenSession;
const values = Array.from({ length: 1_000 }, (_, i) => Uint8Array.of(2, i >> 8, i & 0xff));
const hashes = values.map(hashOf);

beforeEach(async () => {
  seen = new SeenSession();
  await seen.establish();
});

const asked = () =>
  seen.outside.sentOf('GetDatum').flatMap(({ datagram }) => (datagram.type === 'GetDatum' ? [datagram.hash] : []));

function answer(hash: Hash): void {
  const request = seen.outside
    .sentOf('GetDatum')
    .findLast(({ datagram }) => datagram.type === 'GetDatum' && datagram.hash === hash);
  const value = values[hashes.indexOf(hash)] as Uint8Array;
  seen.outside.receive(at(1), { type: 'Datum', id: request?.datagram.id as number, hash, value });
}

test('somebody who has answered nothing yet is asked for two nodes, whatever is wanted; the others follow in order', async () => {
  seen.wantNodes(...hashes);
  await seen.outside.clock.advance(400);
  expect(asked()).toEqual(hashes.slice(0, limits.firstWindow));
  answer(hashes[0] as Hash);
  answer(hashes[1] as Hash);
  await seen.outside.clock.advance(300);
  expect(asked().length).toBeGreaterThan(limits.firstWindow + 2);
  expect(asked()).toEqual(hashes.slice(0, asked().length));
});

test('what later answers overtake is sent again under its id, long before its timeout', async () => {
  seen.wantNodes(...hashes);
  let answered = 0;
  while (answered < 100) {
    await seen.outside.clock.advance(20);
    const batch = asked().slice(answered);
    for (const hash of batch) answer(hash);
    answered += batch.length;
  }
  await seen.outside.clock.advance(20);
  const [lost, ...later] = asked().slice(answered);
  expect(later.length).toBeGreaterThanOrEqual(3);
  for (const hash of later) answer(hash);
  await seen.outside.clock.advance(timing.minimumTimeout - 50);
  const sends = seen.outside.sentOf('GetDatum').filter(({ datagram }) => 'hash' in datagram && datagram.hash === lost);
  expect(sends).toHaveLength(2);
  expect(new Set(sends.map(({ datagram }) => datagram.id)).size).toBe(1);
});

test('what still waits when the path falls silent for good is told to have failed, each node once', async () => {
  seen.wantNodes(...hashes);
  await seen.outside.clock.advance(100_000);
  seen.locate(at(1));
  await seen.outside.clock.advance(100_000);
  const told = seen.outside.events.flatMap(({ event }) =>
    event.type === 'nodes.failed' ? (event.hashes as Hash[]) : [],
  );
  expect(told.toSorted()).toEqual(hashes.toSorted());
});
