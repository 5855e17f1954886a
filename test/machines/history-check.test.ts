import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import type { HistoryCheck, OwnHistory } from '../../machines/events.ts';
import { type HistoryCheckContext, historyCheckMachine } from '../../machines/history-check.machine.ts';
import { limits } from '../../machines/timing.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { nobody, unwalked, walkMachine } from './walk-machine.ts';

const value = Uint8Array.of(1);
const leaf = hashOf(value);
const root = hashOf(Uint8Array.of(2));
const session = nobody('session');
const cost = { sends: 1, window: 10, isBulk: false, freed: 1, atMs: 2 };
const failure = { code: 'peer-unreachable', message: 'silence' };
const ready = { type: 'session.ready', session, window: 10, isBulk: false, atMs: 1 };
const noSession = { type: 'session.failed', failure };
const received = (...hashes: string[]) => ({
  type: 'nodes.received',
  nodes: hashes.map((hash) => ({ hash, value })),
  ...cost,
});
const absent = (...hashes: string[]) => ({ type: 'nodes.absent', hashes, ...cost });
const failed = (...hashes: string[]) => ({ type: 'nodes.failed', hashes, ticket: 0, failure, refused: false, ...cost });

const older = { root: hashOf(Uint8Array.of(3)), leaf: hashOf(Uint8Array.of(4)) };
const history = [{ root, leaf }, older];
const input = { name: 'alice', owner: nobody('peer'), history, atMs: 0 };

test('every transition of a history check is walked', () => {
  session.start();
  const hashes = history.flatMap((step) => [step.root, step.leaf]);
  const events = [ready, noSession, failed(root), ...hashes.flatMap((hash) => [received(hash), absent(hash)])] as never;
  const key = ({ awaited, found }: HistoryCheckContext) => [awaited, found];
  /** Answers come only to what was asked. */
  const isPossible = ({ awaited }: HistoryCheckContext, event: { type: string }) =>
    !event.type.startsWith('nodes.') || awaited.some((hash) => JSON.stringify(event).includes(hash));
  const result = walkMachine({ machine: historyCheckMachine, input, events, key, isPossible });
  expect(unwalked(result)).toEqual([]);
});

function outcomeOf(history: OwnHistory, events: readonly object[], isRepeated = false): HistoryCheck | undefined {
  session.start();
  const actor = createActor(historyCheckMachine, { input: { ...input, history, isRepeated } }).start();
  for (const event of events) {
    expect(actor.getSnapshot().status).toBe('active');
    actor.send(event as never);
  }
  const { output } = actor.getSnapshot();
  if (output === undefined) return undefined;
  const { history: _, atMs: __, ...check } = output;
  return check;
}

/** That it has a later tree is believed when it has said so twice. */
const twice = (...answers: readonly object[]) => [ready, ...answers, ...answers];

const single = [{ root, leaf }];
const full = [{ root: null, leaf }, older];

test.each([
  ['our newest message without our root: it has moved on', single, twice(received(leaf), absent(root)), 'later'],
  ['the same in the other order', single, twice(absent(root), received(leaf)), 'later'],
  ['both: it knows no later history', single, [ready, received(leaf), received(root)], 'same'],
  ['neither: it does not know us', single, [ready, absent(root, leaf)], 'unknown'],
  ['no session', single, [noSession], 'unreachable'],
  ['no answer', single, [ready, failed(root, leaf)], 'unreachable'],
  ['half an answer', single, [ready, failed(root), received(leaf)], 'unreachable'],
  ['our present root: nothing else is asked for', history, [ready, received(root), absent(leaf, older.leaf)], 'same'],
  ['none of our messages: nothing else is asked for', history, [ready, absent(root, leaf, older.leaf)], 'unknown'],
  [
    'a message from before and its tree: it has not heard of the latest changes',
    history,
    [ready, absent(root, leaf), received(older.leaf), received(older.root)],
    'same',
  ],
  [
    'a message from before, and no tree of ours that ends with it: it has moved on, though we have posted since',
    history,
    twice(absent(root, leaf), received(older.leaf), absent(older.root)),
    'later',
  ],
  [
    'a message from before, and a tree of ours only when it is asked again: it was just moving on to that',
    history,
    [ready, absent(root, leaf), received(older.leaf), absent(older.root), received(root), received(leaf, older.leaf)],
    'same',
  ],
  [
    'our newest message, and a tree of ours that does not end with it, but is that of another copy',
    history,
    [ready, absent(root), received(leaf, older.leaf), received(older.root)],
    'same',
  ],
  [
    'the newest message of a tree that stands in later ones',
    full,
    [ready, received(leaf), absent(older.leaf)],
    'unknown',
  ],
])('%s', (_, history, events, outcome) => {
  const rest = outcome === 'unreachable' ? { failure } : {};
  expect(outcomeOf(history, events)).toEqual({ peer: 'alice', outcome, ...rest });
});

test.each([[received(leaf)], [absent(leaf)]])('a tree of one message tells nothing', (answer) => {
  expect(outcomeOf([{ root: null, leaf }], [ready, answer])).toEqual({ peer: 'alice', outcome: 'unknown' });
});

test('whoever had our tree when it was asked before is asked for that alone, and for more only if it has it no more', () => {
  expect(outcomeOf(history, [ready, received(root)], true)).toEqual({ peer: 'alice', outcome: 'same' });
  const answers = [ready, absent(root), received(leaf, older.leaf), received(older.root)];
  expect(outcomeOf(history, answers, true)).toEqual({ peer: 'alice', outcome: 'same' });
});

test('a long history is asked for bit by bit, each node once, and once more before it is told that there is a later one', () => {
  const long = Array.from({ length: 64 }, (_, i) => ({
    root: hashOf(Uint8Array.of(1, i)),
    leaf: hashOf(Uint8Array.of(2, i)),
  }));
  session.start();
  const actor = createActor(historyCheckMachine, { input: { ...input, history: long } }).start();
  actor.send(ready as never);
  const asked: string[][] = [];
  while (actor.getSnapshot().status === 'active') {
    const { awaited } = actor.getSnapshot().context;
    asked.push([...awaited]);
    const last = long.at(-1)?.leaf ?? '';
    const found = awaited.includes(last) ? [received(last)] : [];
    for (const event of [...found, absent(...awaited.filter((hash) => hash !== last))]) actor.send(event as never);
  }
  expect(actor.getSnapshot().output?.outcome).toBe('later');
  expect(asked.flat()).toHaveLength(256);
  expect(new Set(asked.flat()).size).toBe(128);
  expect(Math.max(...asked.map(({ length }) => length))).toBe(limits.historyQuestions);
});
