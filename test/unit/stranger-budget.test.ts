/** Protocol §9: what is handed on of strangers while somebody floods. */
import { beforeAll, describe, expect, test } from 'vitest';
import { decide, STRANGERS_OF_PEER, strangerBudget } from '../../machines/stranger-budget.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import type { SocketAddress } from '../../src/wire/socket-address.ts';

const PER_SECOND = 8_000;
const SECONDS = 12;
const NEWCOMERS = 20;

/** How many of twenty newcomers, one after another when the flood has lasted a second, are handed on within ten seconds; and of the flood. */
function joinDuring(
  seed: number,
  source: (random: () => number) => SocketAddress,
  fromHost = (i: number) => `10.0.${i}.1`,
) {
  const { fraction: next } = seededRandom(seed);
  const due: { readonly atMs: number; readonly newcomer: number }[] = [];
  for (let newcomer = 0; newcomer < NEWCOMERS; newcomer++) {
    let atMs = 1_000 + newcomer * 200;
    // As every program says Hello (protocol §6).
    for (const timeout of [2_000, 4_000, 8_000]) {
      due.push({ atMs, newcomer });
      atMs += timeout * (0.9 + 0.2 * next());
    }
  }
  due.sort((a, b) => b.atMs - a.atMs);
  let budget = strangerBudget(STRANGERS_OF_PEER);
  const isIn = new Set<number>();
  let ofFlood = 0;
  for (let i = 0; i < PER_SECOND * SECONDS; i++) {
    const atMs = (1_000 * i) / PER_SECOND;
    for (let hello = due.at(-1); hello !== undefined && hello.atMs <= atMs; hello = due.at(-1)) {
      due.pop();
      const { isAdmitted, left } = decide(budget, { ip: fromHost(hello.newcomer), port: 5_000 + hello.newcomer }, atMs);
      budget = left;
      if (isAdmitted) isIn.add(hello.newcomer);
    }
    const { isAdmitted, left } = decide(budget, source(next), atMs);
    budget = left;
    if (isAdmitted) ofFlood += 1;
  }
  return { isIn: isIn.size, ofFlood, budget };
}

const port = (random: () => number) => 1 + Math.floor(random() * 65_535);
const byte = (random: () => number) => Math.floor(random() * 256);
const floods = {
  'from one host': (random) => ({ ip: '10.9.9.9', port: port(random) }),
  'from 256 hosts': (random) => ({ ip: `10.9.${byte(random)}.9`, port: port(random) }),
  'from a source of its own each': (random) => ({
    ip: `${11 + (byte(random) >> 1)}.${byte(random)}.${byte(random)}.${byte(random)}`,
    port: port(random),
  }),
} satisfies Record<string, (random: () => number) => SocketAddress>;

describe.each(Object.entries(floods))('during 8,000 Hellos a second %s', (_, source) => {
  let joined: ReturnType<typeof joinDuring>;
  beforeAll(() => {
    joined = joinDuring(7, source);
  });

  test('19 of 20 newcomers get in within ten seconds', () => {
    expect(joined.isIn).toBeGreaterThanOrEqual(19);
  });

  test('no more is handed on than there is', () => {
    const { atOnce, perSecond } = STRANGERS_OF_PEER;
    expect(joined.ofFlood).toBeGreaterThan(0);
    expect(joined.ofFlood).toBeLessThanOrEqual(atOnce + perSecond * SECONDS);
  });

  test('no more hosts are remembered than were let in, and no more addresses that were dropped than have a place', () => {
    const { hosts, formerHosts, dropped } = joined.budget;
    expect(hosts.size + formerHosts.size).toBeLessThanOrEqual(joined.isIn + joined.ofFlood);
    expect(dropped.flat(2).length).toBeLessThanOrEqual(64 ** 3);
  });
});

test('twice 4,096 hosts at most are remembered, however many are let in', () => {
  let budget = strangerBudget({ perSecond: 1, atOnce: 100_000, ofHost: 1 });
  for (let i = 0; i < 8_200; i++) {
    const { isAdmitted, left } = decide(budget, { ip: `10.${i >> 8}.${i & 255}.1`, port: 1 }, 0);
    expect(isAdmitted).toBe(true);
    budget = left;
  }
  expect(budget.hosts.size).toBeLessThanOrEqual(4_096);
  expect(budget.formerHosts.size).toBe(4_096);
});

test('newcomers behind one address get in during a flood from many hosts', () => {
  const { isIn } = joinDuring(3, floods['from a source of its own each'], () => '10.0.0.1');
  expect(isIn).toBeGreaterThanOrEqual(19);
});
