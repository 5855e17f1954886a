/** Protocol §5: what others see of how an address is proven. */
import { beforeEach, describe, expect, test } from 'vitest';
import { createActor } from 'xstate';
import { addressProofMachine } from '../../machines/address-proof.machine.ts';
import { limits, timing } from '../../machines/timing.ts';
import { seededRandom } from '../../src/simulation/seeded-random.ts';
import { Outside, type Signed } from './outside.ts';

const address = { ip: '192.0.2.1', port: 1 };
const elsewhere = { ip: '192.0.2.2', port: 1 };

let outside: Outside;
let output: () => unknown;

function begin(maxSends: number = limits.helloSends): void {
  const machine = addressProofMachine.provide({ actors: { request: outside.request } });
  const actor = createActor(machine, {
    clock: outside.clock,
    input: {
      address,
      name: 'alice',
      key: 'key',
      ownName: 'bob',
      socket: outside.socket,
      random: seededRandom(1),
      flags: 3,
      maxSends,
      atMs: outside.nowMs,
    },
  });
  output = () => actor.getSnapshot().output;
  actor.start();
}

/** Pauses vary, so that peers do not repeat at the same time. */
const withMostJitter = (ms: number) => ms * (1 + timing.timeoutJitter);
const hellos = () => outside.sentOf('Hello');
const reply = (from = address, signed: Signed = 'signed', name = 'alice') =>
  outside.receive(from, { type: 'HelloReply', id: hellos().at(-1)?.datagram.id as number, flags: 0, name }, signed);

beforeEach(() => {
  outside = new Outside();
});

test('a Hello of ours goes to that address alone, four times in 30 s, and the address stays unproven', async () => {
  begin();
  await outside.clock.advance(60_000);
  expect(hellos().map(({ to }) => to)).toEqual(new Array(limits.helloSends).fill(address));
  expect(hellos()[1]?.atMs).toBeLessThan(withMostJitter(timing.helloTimeout));
  expect(hellos()[0]).toMatchObject({ isSigned: true, datagram: { flags: 3, name: 'bob' } });
  expect(output()).toEqual({
    proven: false,
    address,
    name: 'alice',
    key: 'key',
    provenBy: [],
    isBare: false,
    flags: 0,
    atMs: expect.any(Number),
  });
});

test('a single Hello has longer to be answered', async () => {
  begin(1);
  await outside.clock.advance(withMostJitter(timing.helloTimeout));
  expect(output()).toBeUndefined();
  await outside.clock.advance(withMostJitter(timing.lonelyHelloTimeout));
  expect(hellos()).toHaveLength(1);
  expect(output()).toMatchObject({ proven: false });
});

test('its answer proves the address, and says by which ids, when, and after how long', async () => {
  begin();
  await outside.clock.advance(700);
  reply();
  const [id] = hellos().map(({ datagram }) => datagram.id);
  expect(output()).toEqual({
    proven: true,
    address,
    name: 'alice',
    key: 'key',
    provenBy: [id],
    isBare: false,
    flags: 0,
    atMs: outside.nowMs,
    roundTripMs: 700,
  });
});

describe('nothing is proven by', () => {
  test.each([
    ['an answer from elsewhere', () => reply(elsewhere)],
    ['one that is forged', () => reply(address, 'forged')],
    ['one that is not signed', () => reply(address, 'unsigned')],
    ['one under another name', () => reply(address, 'signed', 'mallory')],
  ])('%s', async (_, answer) => {
    begin();
    answer();
    expect(output()).toBeUndefined();
    await outside.clock.advance(60_000);
    expect(output()).toMatchObject({ proven: false });
  });

  test('a refusal, which ends it', () => {
    begin();
    outside.receive(address, { type: 'Error', id: hellos()[0]?.datagram.id as number, text: 'no' });
    expect(output()).toMatchObject({ proven: false });
  });
});
