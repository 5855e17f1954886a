import { expect, test } from 'vitest';
import { createActor } from 'xstate';
import { type HistoryCheckContext, historyCheckMachine } from '../../machines/history-check.machine.ts';
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
const received = (hash: string) => ({ type: 'nodes.received', nodes: [{ hash, value }], ...cost });
const absent = (...hashes: string[]) => ({ type: 'nodes.absent', hashes, ...cost });
const failed = (...hashes: string[]) => ({ type: 'nodes.failed', hashes, ticket: 0, failure, refused: false, ...cost });

const input = { name: 'alice', owner: nobody('peer'), roots: [root], leaf, atMs: 0 };

test('every transition of a history check is walked', async () => {
  session.start();
  const events = [ready, noSession, received(leaf), received(root), absent(root), absent(leaf), failed(root)] as never;
  const key = ({ awaited, found }: HistoryCheckContext) => [awaited, found];
  /** Answers come only to what was asked. */
  const isPossible = ({ awaited }: HistoryCheckContext, event: { type: string }) =>
    !event.type.startsWith('nodes.') || awaited.some((hash) => JSON.stringify(event).includes(hash));
  const result = await walkMachine({ machine: historyCheckMachine, input, events, key, isPossible });
  expect(unwalked(result)).toEqual([]);
});

test.each([
  ['our newest message without our root: it has moved on', [ready, received(leaf), absent(root)], 'later'],
  ['the same in the other order', [ready, absent(root), received(leaf)], 'later'],
  ['both: it knows no later history', [ready, received(leaf), received(root)], 'same'],
  ['neither: it does not know us', [ready, absent(root, leaf)], 'unknown'],
  ['our root alone tells nothing', [ready, received(root), absent(leaf)], 'unknown'],
  ['no session', [noSession], 'unreachable'],
  ['no answer', [ready, failed(root, leaf)], 'unreachable'],
  ['half an answer', [ready, failed(root), received(leaf)], 'unreachable'],
])('%s', (_, events, outcome) => {
  session.start();
  const actor = createActor(historyCheckMachine, { input }).start();
  for (const event of events) {
    expect(actor.getSnapshot().status).toBe('active');
    actor.send(event as never);
  }
  const rest = outcome === 'unreachable' ? { failure } : {};
  expect(actor.getSnapshot().output).toEqual({ peer: 'alice', outcome, ...rest });
});

test.each([[received(leaf)], [absent(leaf)]])(
  'a tree of one message tells nothing, and is asked for once',
  (answer) => {
    session.start();
    const actor = createActor(historyCheckMachine, { input: { ...input, roots: [leaf] } }).start();
    for (const event of [ready, answer]) actor.send(event as never);
    expect(actor.getSnapshot().output).toEqual({ peer: 'alice', outcome: 'unknown' });
  },
);
