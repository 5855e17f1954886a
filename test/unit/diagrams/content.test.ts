/** Nothing of a machine is left out of its diagrams. What there is, is read from the machine here, without the generator. */
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { generateDiagrams } from '../../../diagrams/draw/write-diagrams.ts';
import { machines } from '../../../machines/index.ts';
import { timing } from '../../../machines/timing.ts';
import { arrowsOf, assertWellFormed, mermaidLinesOf, textsOf } from './pictures.ts';

const files = await generateDiagrams();

interface Transition extends AnyTransitionDefinition {
  readonly delay?: string;
}

function statesOf(state: AnyStateNode): AnyStateNode[] {
  return [state, ...Object.values<AnyStateNode>(state.states).flatMap(statesOf)];
}

function transitionsOf(state: AnyStateNode): Transition[] {
  return [...[...state.transitions.values()].flat(), ...(state.always ?? [])];
}

function namesOf(actions: unknown): string[] {
  return [actions ?? []].flat().map((action: unknown) => {
    const { name, type } = action as { readonly name?: string; readonly type?: string };
    return (typeof action === 'string' ? action : typeof action === 'function' ? name : type) as string;
  });
}

/** Where arrows to a state end: for one that has states itself, at the dot from which an arrow leads to the first of them. */
function entranceOf({ type, path }: AnyStateNode): string {
  return `${type === 'compound' ? 'first of ' : ''}${path.join('.')}`;
}

const SECOND = 1_000;

/** The time that each delay takes, as its diagrams have to tell it. */
const delays: Readonly<Record<string, string>> = {
  reopenPause: `${timing.socketReopen / SECOND} s`,
  attemptDelay: `${timing.connectionAttemptDelay} ms`,
  locatingPatience: `${timing.locatingPatience / SECOND} s`,
  traversalDelay: `${timing.traversalDelay / SECOND} s`,
  secondTraversalDelay: `${timing.secondTraversalDelay / SECOND} s`,
  greetingPatience: `${timing.greetingPatience / SECOND} s`,
  checkPause: `${timing.directoryCheck / SECOND} s`,
  rejectionPause: `${timing.rejectionPause / 60_000} min`,
  searchPatience: `${timing.searchPatience / SECOND} s`,
  checkPatience: `${timing.directoryPatience / SECOND} s`,
  pathCheckPatience: `${timing.pathCheckPatience / SECOND} s`,
  retryPause: `${timing.directoryRetry / SECOND} s to ${timing.directoryRetryMaximum / SECOND} s`,
  pollPause: `${timing.listingPoll} ms to ${timing.listingPollMaximum / SECOND} s`,
  nodesPatience: `${timing.overtakenPatience} ms to ${timing.maximumTimeout / SECOND} s`,
  latePatience: `${timing.overtakenPatience} ms to ${(2 * timing.maximumTimeout) / SECOND} s`,
  retransmissionTimeout: `${timing.minimumTimeout} ms to ${timing.maximumTimeout / SECOND} s`,
};

describe.for(Object.entries<AnyStateMachine>(machines))('%s', ([name, machine]) => {
  const svg = files.get(`${name}.svg`) as string;
  const texts = textsOf(svg);
  const lines = mermaidLinesOf(files.get(`${name}.mmd`) as string);
  const words = texts.join(' ').split(/[ ,]+/);
  const states = statesOf(machine.root);
  const transitions = states.flatMap(transitionsOf);
  /** Found in both: as a piece of its own in the picture, in a line of the text. */
  const expectBoth = (piece: string) => {
    expect(texts).toContain(piece);
    expect(lines.some((line) => line.includes(piece))).toBe(true);
  };

  test('is well-formed, and says what it is to whoever cannot see it', () => {
    assertWellFormed(svg);
    expect(svg).toMatch(/^<svg [^>]*role="img"[^>]* aria-label="State chart of /);
  });

  test('has every state, with its description', () => {
    for (const state of states) {
      expectBoth(state === machine.root ? name : state.key);
      expect(state.description).toBeTruthy();
      const description = state.description as string;
      expect(texts.join(' ')).toContain(description);
      expect(lines.some((line) => line.includes(description))).toBe(true);
    }
  });

  test('has every event and every guard', () => {
    const events = transitions.map(({ eventType }) => eventType).filter((event) => event !== '');
    for (const event of events.filter((type) => !type.startsWith('xstate.'))) expectBoth(event);
    expect(events.filter((type) => /^xstate\.(?!after|done\.actor|error\.actor)/.test(type))).toEqual([]);
    for (const event of events.filter((type) => type.startsWith('xstate.done.actor.'))) {
      const child = event.slice('xstate.done.actor.'.length);
      const [kind, isPattern] = [child.replace(/\.?\*$/, '') || 'child', child.endsWith('*')];
      expectBoth(`${isPattern ? (/^[aeiou]/.test(kind) ? 'an ' : 'a ') : ''}${kind} is done`);
    }
    for (const { guard } of transitions) if (guard !== undefined) expectBoth(`[${guard as string}]`);
    expect(texts.includes('always')).toBe(states.some(({ always }) => always !== undefined));
  });

  test('has every delay, with its value', () => {
    for (const { delay } of transitions) {
      if (delay === undefined) continue;
      const told = `after ${delay} (${delays[delay]}`;
      expect(texts.join(' ')).toContain(told);
      expect(lines.some((line) => line.includes(told))).toBe(true);
    }
  });

  test('has an arrow for every transition to another state, and one to the first state', () => {
    const arrows = arrowsOf(svg);
    for (const { source, target } of transitions) {
      const [to] = target ?? [];
      if (to === undefined || to === source) continue;
      const from =
        Object.keys(source.states).length === 0 ? source.path.join('.') : `every state of ${source.path.join('.')}`;
      expect(arrows).toContain(`${from}->${entranceOf(to)}`);
    }
    for (const state of states.filter(({ type }) => type === 'compound')) {
      const [first] = state.initial.target ?? [];
      expect(arrows).toContain(`${entranceOf(state)}->${entranceOf(first as AnyStateNode)}`);
    }
    expect(arrows.length).toBe(new Set(arrows).size);
  });

  test('has every action, with the event that causes it', () => {
    for (const { config } of states) {
      for (const [label, actions] of [
        ['entry', config.entry],
        ['exit', config.exit],
      ] as const) {
        const names = namesOf(actions);
        if (names.length > 0) expect(lines.join('\n')).toMatch(new RegExp(`${label} / ${names.join(', ')}$`, 'm'));
        for (const action of names) expect(words).toContain(action);
      }
    }
    for (const { eventType, actions } of transitions) {
      const names = namesOf(actions);
      for (const action of names) expect(words).toContain(action);
      const event = eventType.startsWith('xstate.') ? '' : eventType;
      const isTold = (line: string) => line.includes(event) && line.endsWith(`/ ${names.join(', ')}`);
      if (names.length > 0) expect(lines.some((line) => isTold(line.replace(/ ↻.*/, '')))).toBe(true);
    }
  });

  test('has the children', () => {
    const logics = Object.values((machine.implementations.actors ?? {}) as Record<string, unknown>);
    const children = Object.entries<unknown>(machines).flatMap(([child, logic]) =>
      logics.includes(logic) ? [child] : [],
    );
    expect(children.length).toBe(logics.length);
    const told = lines.find((line) => line.includes('children: '))?.split('children: ')[1];
    expect((told?.split(', ') ?? []).sort()).toEqual(children.sort());
    for (const child of children) expect(words).toContain(child);
  });
});
