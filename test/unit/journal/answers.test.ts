/** Which call a recorded answer belongs to: a replay gives it to that one, and says so where nobody calls for it. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { parseJournal } from '../../../src/journal/format.ts';
import { type ReplayOptions, replay } from '../../../src/journal/replay.ts';
import { pathOf } from '../../../src/runtime/actor-tree.ts';
import { record, type Scenario, scenarios } from '../../replay/scenarios.ts';

interface Line {
  readonly seq: number;
  readonly to: string;
  readonly effect?: string;
  readonly by?: string;
  readonly nested?: true;
  readonly event: { readonly type: string };
}

let lines: readonly string[];

beforeAll(async () => {
  lines = await record(scenarios.serving as Scenario);
});

function entries(): Line[] {
  return lines.slice(1).map((line) => JSON.parse(line));
}

function entryOf(type: string, nth = 0): Line {
  const found = entries().filter(({ event }) => event?.type === type)[nth];
  if (found === undefined) throw new Error(`the journal has no ${type} number ${nth}`);
  return found;
}

function replayed(edit: (line: Line) => object, options?: ReplayOptions) {
  const edited = entries().map((line) => JSON.stringify(edit(line)));
  return replay(parseJournal('x', [lines[0] ?? '', ...edited]), options);
}

test('each answer names what it answers: the actor’s effect, or another actor’s; datagrams, timers and calls name none', () => {
  expect(entryOf('nodes.read')).toMatchObject({ effect: 'readNodes#1', nested: true });
  expect(entryOf('hello.verified')).toMatchObject({ effect: 'verifyHello#1' });
  expect(entryOf('hello.verified')).not.toHaveProperty('nested');
  const sent = entryOf('datagrams.send');
  expect(sent).toMatchObject({ to: 'peer/socket.0', effect: expect.stringMatching(/^sendSigned#\d+$/) });
  expect(sent.by).toMatch(/^peer\//);
  for (const type of ['datagrams.received', 'sweep', 'root.published'])
    expect(entryOf(type)).not.toHaveProperty('effect');
  const runs = entries().flatMap(({ effect, by, to }) => (effect === undefined ? [] : [`${effect} of ${by ?? to}`]));
  expect(runs.filter((run) => run.includes('readNodes'))).toEqual(
    [...new Set(runs)].filter((run) => run.includes('readNodes')),
  );
});

describe('a replay', () => {
  test('says which call is missing if an answer that came at once belongs to another one', async () => {
    const { seq } = entryOf('nodes.read');
    const { firstDifference } = await replayed((line) =>
      line.seq === seq ? { ...line, effect: 'sendSigned#1' } : line,
    );
    expect(firstDifference).toMatchObject({
      seq,
      expected: expect.stringMatching(/^sendSigned#1 of peer\/incoming-session\.\S+ is called for$/),
      got: 'something else, or nothing',
    });
  });

  test('says so if nobody has called for what was answered later', async () => {
    const { seq, to } = entryOf('hello.verified');
    const { firstDifference } = await replayed((line) =>
      line.seq === seq ? { ...line, effect: 'verifyHello#9' } : line,
    );
    expect(firstDifference).toMatchObject({
      seq,
      expected: `an answer to verifyHello#9 of ${to}`,
      got: 'nobody called for it',
    });
  });

  test('of an answer that was recorded as if nobody had called for it gives it all the same', async () => {
    const { seq } = entryOf('hello.verified');
    const result = await replayed((line) => (line.seq === seq ? { ...line, effect: undefined } : line));
    expect(result.identical).toBe(true);
  });

  test('without an event leaves out what answers the calls that it led to, and gives the others theirs', async () => {
    const { seq: first, to } = entryOf('key.found');
    const heard: string[] = [];
    const options: ReplayOptions = {
      drop: new Set([first]),
      inspect: ({ type, ...inspected }) => {
        if (type === '@xstate.event' && 'event' in inspected)
          heard.push(`${inspected.event.type} → ${pathOf(inspected.actorRef as AnyActorRef)}`);
      },
    };
    const result = await replayed((line) => line, options);
    expect(result.firstDifference).toBeUndefined();
    const ofSession = entries().filter((line) => line.to === to && line.effect !== undefined);
    expect(ofSession.map(({ event }) => event.type)).toContain('hello.verified');
    expect(heard).not.toContain(`hello.verified → ${to}`);
    expect(heard).toContain('registration.accepted → peer/directory-client');
  });

  test('lets the event loop turn, and ends when it is told to', async () => {
    const stop = new AbortController();
    const why = new Error('stopped');
    setImmediate(() => stop.abort(why));
    await expect(replay(parseJournal('x', lines), { signal: stop.signal })).rejects.toBe(why);
  });
});
