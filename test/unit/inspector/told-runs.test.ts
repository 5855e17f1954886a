/** What a page is told of a run, and makes of it, is what happened: states and contexts at every instant. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AnyActorRef } from 'xstate';
import type { Line } from '../../../src/inspector/lines.ts';
import { Watcher } from '../../../src/inspector/watcher.ts';
import { parseJournal } from '../../../src/journal/format.ts';
import { replay } from '../../../src/journal/replay.ts';
import { encodeValue } from '../../../src/journal/values.ts';
import { actorsFrom, pathOf, stateOf } from '../../../src/runtime/actor-tree.ts';
import { type Actor, Run } from '../../../src/web/run.ts';

const journalOf = (name: string) => {
  const file = new URL(`../../replay/${name}.jsonl`, import.meta.url);
  return parseJournal(name, readFileSync(file, 'utf8').trimEnd().split('\n'));
};

/** The lines as they reach a page. */
async function told(name: string, after?: (run: Run, root: AnyActorRef) => void): Promise<Run> {
  const run = new Run();
  const take = (line: Line) => run.take(JSON.parse(JSON.stringify(line)) as Line);
  const watcher = new Watcher(take);
  await replay(journalOf(name), { inspect: watcher.inspect, after: (_entry, root) => after?.(run, root) });
  return run;
}

/** A context as the journal would write it down. */
function written(context: unknown): unknown {
  return JSON.parse(JSON.stringify(encodeValue(context)), (_key, value) => linkIn(value) ?? value);
}

/** An ActorLink is a plain object to the journal. */
function linkIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const { link, ...others } = value as { link?: unknown };
  return typeof link === 'string' && Object.keys(others).length === 0 ? { $actor: link } : undefined;
}

test.each(['first-sync', 'loss', 'incremental-sync', 'front-end-dialogue', 'directory'])(
  'of %s, each actor has the state and the context that it had, after every entry',
  async (name) => {
    let compared = 0;
    await told(name, (run, root) => {
      const now = run.moments.length - 1;
      for (const actor of actorsFrom(root)) {
        const known = run.actorAt(pathOf(actor));
        const last = known && run.lastStep(known, now);
        expect(last?.step?.to).toBe(stateOf(actor));
        compared += 1;
      }
      // A directory's tables are changed in place, also while it takes no step.
      if (name === 'directory') return;
      const { context } = root.getSnapshot() as { context: unknown };
      const seen = run.actors[0] && run.lastStep(run.actors[0], now);
      expect(written(seen?.context)).toEqual(JSON.parse(JSON.stringify(encodeValue(context))));
    });
    expect(compared).toBeGreaterThan(20);
  },
);

test('contexts share what has not changed', async () => {
  const run = await told('first-sync');
  const contexts = run.moments
    .filter(({ actor }) => actor.kind === 'peer')
    .map(({ context }) => context as { binds: unknown });
  expect(new Set(contexts).size).toBeGreaterThan(5);
  expect(new Set(contexts.map(({ binds }) => binds)).size).toBe(1);
});

test('a message names the step of its sender that sent it, and the step that it led to', async () => {
  const run = await told('first-sync');
  const asked = run.moments.find(({ message }) => message?.type === 'request.open');
  const sender = run.moments[asked?.message?.sentAfter ?? -1];
  expect(asked?.actor.kind).toBe('request');
  expect(asked?.step).toMatchObject({ from: 'idle', to: 'open.signing' });
  expect(sender?.actor).toBe(asked?.message?.from);
});

test('a page that keeps no more moments still knows every state, and what led to it', async () => {
  const run = await told('loss');
  const all = run.moments.length;
  const standing = (actor: Actor) => {
    const { step, reason } = run.lastStep(actor, run.moments.length - 1) ?? {};
    return { state: step?.to, reason };
  };
  const before = run.actors.map(standing);
  expect(before.filter(({ reason }) => reason !== undefined).length).toBeGreaterThan(5);
  for (const { state, reason } of before) if (reason !== undefined) expect(reason.to).toBe(state);
  expect(run.forget(100)).toBe(all - 90);
  expect(run.moments).toHaveLength(90);
  expect(run.actors.map(standing)).toEqual(before);
  expect(run.forgotten).toBe(all - 90);
});
