/** Words for people who do not read the machines. */
import { expect, test } from 'vitest';
import type { AnyStateMachine, AnyStateNode } from 'xstate';
import { machines } from '../../../machines/index.ts';
import { eventName } from '../../../src/journal/trace.ts';
import { wordsKnown } from '../../../src/journal/words.ts';

/** What `why` speaks of. */
const EXPLAINED = ['outgoing-session', 'incoming-session', 'merkle-walk', 'request'] as const;

/** Events and guards that lead to another state. */
function namesIn(machine: AnyStateMachine): { events: string[]; guards: string[] } {
  const states: AnyStateNode[] = [machine.root];
  for (const state of states) states.push(...Object.values(state.states));
  const leading = states.flatMap((state) =>
    [...state.transitions.values(), state.always ?? []].flat().filter(({ target }) => target !== undefined),
  );
  const events = leading.map(({ eventType }) => eventName(eventType)).filter((name) => name !== '');
  const guards = leading.flatMap(({ guard }) => (guard === undefined ? [] : [nameOf(guard)]));
  return { events, guards };
}

function nameOf(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { type, name } = guard as { type?: string; name?: string };
  return type ?? name ?? '';
}

test('whatever leads a session, a download or a request to another state has words, and no words are for nothing', () => {
  const found = EXPLAINED.map((kind) => namesIn(machines[kind]));
  const all = (names: readonly string[]) => [...new Set(names)].sort();
  expect(all(wordsKnown.events)).toEqual(all(found.flatMap(({ events }) => events)));
  expect(all(wordsKnown.guards)).toEqual(all(found.flatMap(({ guards }) => guards)));
});
