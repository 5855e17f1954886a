/** Computed delays move within the bounds that the diagrams tell, and reach both. */
import { describe, expect, test } from 'vitest';
import { type AnyActorLogic, type AnyStateMachine, createActor, type EventObject } from 'xstate';
import { computedDelays } from '../../../diagrams/draw/delays.ts';
import { directoryClientMachine } from '../../../machines/directory-client.machine.ts';
import { machines } from '../../../machines/index.ts';
import { requestMachine } from '../../../machines/request.machine.ts';
import { timing } from '../../../machines/timing.ts';
import { ZERO_HASH } from '../../../src/wire/hash.ts';
import { inert, nobody } from '../../machines/walk-machine.ts';

/** Starts a machine, sends it `first`, and then `each` after every timer that fires. Returns what those timers were set to that were not cleared. */
function timersOf(logic: AnyActorLogic, input: unknown, first: readonly EventObject[], each: readonly EventObject[]) {
  const timers: { readonly fire: () => void; readonly ms: number; isCleared: boolean }[] = [];
  const clock = {
    setTimeout: (fire: () => void, ms: number) => timers.push({ fire, ms, isCleared: false }),
    clearTimeout: (number: number) => {
      const timer = timers[number - 1];
      if (timer !== undefined) timer.isCleared = true;
    },
  };
  const actor = createActor(logic, { input, clock });
  actor.start();
  for (const event of first) actor.send(event as never);
  for (let index = 0, fired = 0; fired < 9 && index < timers.length; index++) {
    if (timers[index]?.isCleared) continue;
    fired += 1;
    timers[index]?.fire();
    for (const event of each) actor.send(event as never);
  }
  const lasting = timers.filter(({ isCleared }) => !isCleared);
  actor.stop();
  return lasting.map(({ ms }) => ms);
}

const failure = { code: 'directory-unreachable', message: 'down' };
const failed = { type: 'directory.failed', failure, atMs: 0 };
const unlisted = { type: 'listing.checked', addresses: [], atMs: 0 };
const client = directoryClientMachine.provide({ actions: inert('findDirectory', 'register', 'checkListing') });
const clientInput = { owner: nobody('owner'), register: true, ports: [], ips: [] };

const socket = nobody('socket');
const order = { to: { ip: '10.0.0.1', port: 1 }, socket, firstTimeoutMs: timing.minimumTimeout, maxSends: 20 };
const random = { uint32: () => 0x80000000, fraction: () => 0.5 };
const slotInput = { slot: 0, owner: nobody('owner'), random };

/** Of a GetNodes that is answered in part: on a quick path, of which something later has come, and on a slow one. */
function bulkTimers(): number[] {
  const wanted = [{ parent: undefined, children: [ZERO_HASH], mask: 1, depth: 0 }];
  const question = { type: 'GetNodes', proof: 1, gap: 0, grant: 9, wanted };
  const timersFor = (firstTimeoutMs: number, roundTripMs: number | undefined, sequence: number) => {
    const open = { type: 'request.open', order: { ...order, question, firstTimeoutMs, roundTripMs }, atMs: 0 };
    const answers = [{ type: 'Nodes', id: 1, sequence, isLast: false, items: [] }];
    const received = { type: 'answers.received', answers, atMs: 1 };
    return timersOf(requestMachine, slotInput, [open, received], []);
  };
  return [...timersFor(timing.overtakenPatience, 1, 1), ...timersFor(timing.maximumTimeout, undefined, 0)];
}

const timers: Readonly<Record<string, () => number[]>> = {
  'request.retransmissionTimeout': () => {
    const open = { type: 'request.open', order: { ...order, question: { type: 'RootRequest' } }, atMs: 0 };
    const signed = { type: 'datagram.signed', id: random.uint32(), signature: new Uint8Array(64) };
    return timersOf(requestMachine.provide({ actions: inert('sign') }), slotInput, [open, signed], []);
  },
  'request.nodesPatience': () => bulkTimers(),
  'request.latePatience': () => bulkTimers(),
  'directory-client.retryPause': () => timersOf(client, clientInput, [failed], [failed]),
  'directory-client.pollPause': () => {
    const found = { type: 'directory.found', addresses: [], key: undefined, atMs: 0 };
    const accepted = { type: 'registration.accepted', atMs: 0 };
    return timersOf(client, clientInput, [found, accepted, unlisted], [unlisted]);
  },
};

describe('delays', () => {
  test('that are computed are in the table, and no others', () => {
    const computed = Object.entries<AnyStateMachine>(machines).flatMap(([name, { implementations }]) =>
      Object.entries((implementations.delays ?? {}) as Record<string, unknown>).flatMap(([delay, value]) =>
        typeof value === 'function' ? [`${name}.${delay}`] : [],
      ),
    );
    expect(Object.keys(computedDelays).sort()).toEqual(computed.sort());
  });

  test.for(Object.entries(computedDelays))('%s', ([name, { fromMs, toMs, how }]) => {
    const seen = [...new Set(timers[name]?.() ?? [])].filter((delayMs) => delayMs <= toMs);
    expect(Math.min(...seen)).toBeCloseTo(fromMs, 0);
    expect(Math.max(...seen)).toBeCloseTo(toMs, 0);
    if (how.startsWith('doubling')) expect(seen[1]).toBeCloseTo(2 * fromMs, 0);
  });
});
