/** docs/adr/0016: whoever publishes asks others first whether they know a later history. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { Failure, HistoryCheck } from '../../../machines/events.ts';
import { askable, guardHistory, ownHistory } from '../../../src/peer/history-guard.ts';
import { openSqliteStore } from '../../../src/store/sqlite-store.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

type Outcome = HistoryCheck['outcome'];

let clock: VirtualClock;
/** Who is asked, who must not learn the root yet, and why nothing is published. */
let seen: string[];
let reached: Set<string>;
let stopped: Failure | undefined;
/** The question under way. */
let answer: (outcomes: Record<string, Outcome>) => Promise<void>;
let listed: () => void;
let sessionOpened: () => void;
let listeners: number;
let end: () => void;

function guard(...names: string[]): void {
  clock = new VirtualClock();
  seen = [];
  reached = new Set();
  stopped = undefined;
  listeners = 0;
  let tell: (check: HistoryCheck) => void = () => {};
  const listening =
    <T>(keep: (listener: T) => void) =>
    (listener: T) => {
      keep(listener);
      listeners += 1;
      return () => {
        listeners -= 1;
      };
    };
  end = guardHistory({
    clock,
    names,
    ask: (whom) => {
      seen.push(`ask ${whom.join(', ')}`);
      return new Promise((resolve) => {
        answer = async (outcomes) => {
          const checks = whom.map((peer) => ({ peer, outcome: outcomes[peer] ?? 'unreachable' }) as HistoryCheck);
          for (const check of checks) tell(check);
          resolve(checks);
          await clock.advance(0);
        };
      });
    },
    onCheck: listening((listener: typeof tell) => {
      tell = listener;
    }),
    onSession: listening((listener: () => void) => {
      sessionOpened = listener;
    }),
    onListed: listening((listener: () => void) => {
      listed = listener;
    }),
    isReached: (name) => reached.has(name),
    begin: (unasked) => seen.push(`begin without ${unasked.join(', ') || 'nobody'}`),
    stop: (failure) => {
      stopped = failure;
    },
  });
}

beforeEach(() => guard('alice', 'bob'));

describe('others are asked', () => {
  test('once we are listed, and only once', () => {
    expect(seen).toEqual([]);
    listed();
    listed();
    expect(seen).toEqual(['ask alice, bob']);
  });

  test('after five seconds where nobody lists us', async () => {
    await clock.advance(4_999);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['ask alice, bob']);
  });

  test('not at all once that has ended', async () => {
    end();
    listed();
    await clock.advance(60_000);
    expect([seen, listeners, clock.pending]).toEqual([[], 0, 0]);
  });
});

describe('publishing begins', () => {
  test('when all have answered', async () => {
    listed();
    await answer({ alice: 'same', bob: 'unknown' });
    expect(seen.slice(1)).toEqual(['begin without nobody']);
    expect([listeners, clock.pending]).toEqual([0, 0]);
  });

  test('after three seconds, for all but those who have not answered yet', async () => {
    listed();
    await clock.advance(2_999);
    expect(seen).toHaveLength(1);
    await clock.advance(1);
    expect(seen.slice(1)).toEqual(['begin without alice, bob']);
    await answer({ alice: 'same' });
    expect(seen.slice(2)).toEqual(['begin without bob', 'begin without bob']);
  });

  test('without those who cannot be reached; they are asked once they have a session', async () => {
    listed();
    await answer({ alice: 'same' });
    expect(seen.slice(1)).toEqual(['begin without bob']);
    sessionOpened();
    expect(seen).toHaveLength(2);
    reached.add('bob');
    sessionOpened();
    sessionOpened();
    expect(seen.slice(2)).toEqual(['ask bob']);
    await answer({ bob: 'same' });
    expect(seen.at(-1)).toBe('begin without nobody');
    expect(stopped).toBeUndefined();
  });

  test('for whoever has a session and gives no answer as well: it must not wait for ever', async () => {
    reached.add('bob');
    listed();
    await answer({ alice: 'same' });
    expect(seen.slice(1)).toEqual(['begin without nobody']);
  });

  test('nobody is asked again before the first question was put', () => {
    reached.add('bob');
    sessionOpened();
    expect(seen).toEqual([]);
  });

  test('never, if somebody knows a later history', async () => {
    listed();
    await answer({ alice: 'later', bob: 'same' });
    await clock.advance(60_000);
    expect(seen).toEqual(['ask alice, bob']);
    expect(stopped).toMatchObject({ code: 'invalid-data', message: expect.stringContaining('"alice" has messages') });
    expect([listeners, clock.pending]).toEqual([0, 0]);
  });
});

test('those whom we follow are asked, and thirty-two of those who have read from us, each once', () => {
  const readers = Array.from({ length: 40 }, (_, i) => `reader${i}`);
  expect(askable(['alice', 'reader0'], readers)).toEqual(['alice', 'reader0', ...readers.slice(1, 32)]);
});

test('our history is the newest message, and at most sixteen earlier roots', () => {
  using store = openSqliteStore(':memory:');
  expect(ownHistory(store)).toBeUndefined();
  const published = Array.from({ length: 20 }, (_, i) =>
    store.publish('me', { date: i, inReplyTo: null, body: `message ${i}` }, i),
  );
  const history = ownHistory(store);
  expect(history?.leaf).toBe(published.at(-1)?.hash);
  expect(history?.roots[0]).toBe(store.ownFeed().root);
  expect(new Set(history?.roots).size).toBe(history?.roots.length);
  expect(history?.roots.length).toBeGreaterThan(15);
  expect(history?.roots.length).toBeLessThanOrEqual(17);
});
