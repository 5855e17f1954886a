/** What a journal may say: bounds for what comes from strangers, and sentences for what is refused. */
import { describe, expect, test } from 'vitest';
import { InvalidJournalError, parseJournal } from '../../../src/journal/format.ts';
import { Recorder } from '../../../src/journal/recorder.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { ElapsedTime } from '../../../src/runtime/elapsed-time.ts';
import { VirtualClock } from '../../../src/simulation/virtual-clock.ts';

const DAY = 24 * 3_600_000;
const header = {
  murmure: 'journal',
  v: 2,
  version: '0.1.0',
  machines: {},
  root: 'peer',
  seed: '0'.repeat(64),
  startedAtMs: 1_800_000_000_000,
  input: { name: 'bob', binds: [] },
};
const entry = {
  seq: 1,
  atMs: header.startedAtMs,
  to: 'peer',
  in: 'running',
  sent: '0:00000000',
  event: { type: 'sweep' },
};

const parse = (...values: readonly unknown[]) =>
  parseJournal(
    'j.jsonl',
    values.map((value) => JSON.stringify(value)),
  );

function whyRefused(...values: readonly unknown[]): string {
  try {
    parse(...values);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidJournalError);
    return (error as Error).message;
  }
  return 'accepted';
}

function nested(levels: number): unknown {
  let value: unknown = 'core';
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

describe('a journal of another version of the format', () => {
  test('before effects were named is refused, and says what replays it', () => {
    expect(whyRefused({ ...header, v: 1, version: '0.0.9' })).toBe(
      'j.jsonl is not a journal that can be replayed: its format is version 1, which did not say which effect an answer belongs to; replay it with murmure 0.0.9, which recorded it',
    );
  });

  test('that is newer is refused, and says what replays it', () => {
    expect(whyRefused({ ...header, v: 3, version: '9.0.0' })).toMatch(
      /newer than this program; replay it with murmure 9\.0\.0,/,
    );
    expect(whyRefused({ ...header, v: 3, version: '\u001b[31m' })).toBe(
      'j.jsonl is not a journal that can be replayed: its first line is not the header of one',
    );
  });
});

describe('what a journal says is refused', () => {
  test.each([
    ['a start at no date', { startedAtMs: 1e300 }],
    ['a start before time began', { startedAtMs: -1 }],
    [
      'more sockets than anybody opens',
      { input: { binds: Array.from({ length: 65 }, () => ({ ip: '::1', port: 0 })) } },
    ],
    ['a bind that is no address', { input: { binds: ['::1'] } }],
    ['more names than anybody follows', { input: { following: Array.from({ length: 100_001 }, () => 'x') } }],
    ['an input nested too deeply', { input: { odd: nested(5_000) } }],
    ['an input with an actor, before there is any', { input: { odd: { $actor: 'peer' } } }],
  ])('in its header: %s', (_, wrong) => {
    expect(whyRefused({ ...header, ...wrong })).toMatch(/j\.jsonl is not a journal/);
  });

  test.each([
    ['an instant without end', { atMs: 1e300 }],
    ['an instant before the one before', { atMs: header.startedAtMs - 1 }],
    ['an instant years after the last', { atMs: header.startedAtMs + 3_651 * DAY }],
    ['an effect without a number', { effect: 'lookUp' }],
    ['an effect’s run number nought', { effect: 'lookUp#0' }],
  ])('in an entry: %s', (_, wrong) => {
    expect(whyRefused(header, entry, { ...entry, seq: 2, ...wrong }, { ...entry, seq: 3 })).toMatch(
      /line 3 is not an entry/,
    );
    expect(parse(header, entry, { ...entry, seq: 2, effect: 'lookUp#1' }, { ...entry, seq: 3 }).entries).toHaveLength(
      3,
    );
  });
});

test('the time of entries goes on while somebody sets the wall clock back and forth', async () => {
  const world = new VirtualClock();
  let wallOffsetMs = 0;
  const clock: Clock = {
    now: () => world.now() + wallOffsetMs,
    monotonicNow: world.monotonicNow.bind(world),
    setTimeout: world.setTimeout,
    clearTimeout: world.clearTimeout,
  };
  for (const provided of [clock, new ElapsedTime(clock)]) {
    const lines: string[] = [];
    const sink = { write: (line: string) => void lines.push(line), close: () => {} };
    const startedAtMs = provided.now();
    const recorder = new Recorder({
      sink,
      clock: provided,
      version: '0',
      root: 'peer',
      seed: new Uint8Array(32),
      input: {},
    });
    for (const jump of [0, -DAY, 2 * DAY, -DAY]) {
      wallOffsetMs += jump;
      await world.advance(1_000);
      recorder.firing(1);
    }
    const times = lines.slice(1).map((line) => JSON.parse(line).atMs - startedAtMs);
    expect(times).toEqual([1_000, 2_000, 3_000, 4_000]);
  }
});
