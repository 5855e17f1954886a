/** The JSON of a machine is its whole chart: what a tool reads there is what the machine does and what its diagram shows. */
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { eventText, type StateModel, statesOf } from '../../../diagrams/draw/model.ts';
import { readMachines } from '../../../diagrams/draw/write-diagrams.ts';
import { isEffect } from '../../../machines/effects.ts';
import { machines } from '../../../machines/index.ts';

/** What JSON leaves of a machine's configuration. */
interface State {
  readonly id?: string;
  readonly initial?: string;
  readonly entry?: OneOrMore<Named>;
  readonly exit?: OneOrMore<Named>;
  readonly invoke?: OneOrMore<{ readonly id: string; readonly src: string; readonly onDone?: OneOrMore<Transition> }>;
  readonly on?: Readonly<Record<string, OneOrMore<Transition>>>;
  readonly after?: Readonly<Record<string, OneOrMore<Transition>>>;
  readonly always?: OneOrMore<Transition>;
  readonly states?: Readonly<Record<string, State>>;
}
type OneOrMore<T> = T | readonly T[];
type Named = string | { readonly type: string };
type Transition =
  | string
  | {
      readonly target?: string;
      readonly guard?: Named;
      readonly actions?: OneOrMore<Named>;
      readonly reenter?: boolean;
    };

interface Read {
  readonly path: string;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  readonly invokes: readonly string[];
  /** "event [guard] → target / actions" */
  readonly transitions: readonly string[];
  readonly names: { readonly guards: string[]; readonly delays: string[]; readonly actions: string[] };
}

function list<T>(value: OneOrMore<T> | undefined): readonly T[] {
  return value === undefined ? [] : ([value].flat() as readonly T[]);
}

function nameOf(named: Named): string {
  return typeof named === 'string' ? named : named.type;
}

function read(machineId: string, state: State, path: readonly string[] = []): Read[] {
  const names: Read['names'] = { guards: [], delays: [], actions: [] };
  const resolve = (target: string): string => {
    if (target.startsWith('#')) return target.slice(1).split('.').slice(1).join('.');
    if (target.startsWith('.')) return [...path, target.slice(1)].join('.');
    return [...path.slice(0, -1), target].join('.');
  };
  const readActions = (actions: OneOrMore<Named> | undefined): string[] => {
    const found = list(actions).map(nameOf);
    names.actions.push(...found);
    return found;
  };
  const readTransitions = (event: string, transitions: OneOrMore<Transition> | undefined): string[] => {
    let isGuarded = false;
    return list(transitions).map((transition) => {
      const { target, guard, actions } = typeof transition === 'string' ? { target: transition } : transition;
      if (guard !== undefined) names.guards.push(nameOf(guard));
      const condition = guard === undefined ? isGuarded && 'else' : nameOf(guard);
      isGuarded ||= guard !== undefined;
      return told(event, condition || undefined, target && resolve(target), readActions(actions));
    });
  };
  const invokes = list(state.invoke);
  names.delays.push(...Object.keys(state.after ?? {}));
  const transitions = [
    ...Object.entries(state.on ?? {}).flatMap(([event, found]) => readTransitions(eventText(event), found)),
    ...invokes.flatMap(({ id, onDone }) => readTransitions(`${id} is done`, onDone)),
    ...Object.entries(state.after ?? {}).flatMap(([delay, found]) => readTransitions(`after ${delay}`, found)),
    ...readTransitions('always', state.always),
  ];
  const own: Read = {
    path: path.join('.'),
    entry: readActions(state.entry),
    exit: readActions(state.exit),
    invokes: invokes.map(({ src }) => src),
    transitions: transitions.sort(),
    names,
  };
  const below = Object.entries(state.states ?? {});
  return [own, ...below.flatMap(([key, child]) => read(machineId, child, [...path, key]))];
}

function told(
  event: string,
  guard: string | undefined,
  target: string | undefined,
  actions: readonly string[],
): string {
  return `${event} [${guard ?? ''}] → ${target ?? ''} / ${actions.join(', ')}`;
}

function drawn({ path, entry, exit, transitions }: StateModel) {
  const texts = transitions.map(({ trigger, guard, target, actions }) =>
    told(trigger.replace(/^(after \S+) \(.*\)$/, '$1'), guard, target, actions),
  );
  return { path, entry, exit, transitions: texts.sort() };
}

/** Places of functions within a configuration, in which nothing is to be read by its name. */
function functionsIn(value: unknown, place: string): string[] {
  if (typeof value === 'function') return [place];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => functionsIn(inner, `${place}.${key}`));
}

/** They compute values of the machine's own, and decide nothing. */
const VALUES = /^machine\.(context|output)$|\.(params|input)$/;

describe.for(Object.entries<AnyStateMachine>(machines))('%s', ([name, machine]) => {
  const config = JSON.parse(JSON.stringify(machine.config)) as State;
  const states = read(name, config);
  const implementations = machine.implementations as unknown as Record<string, Record<string, unknown>>;
  const named = (kind: keyof Read['names']) => new Set(states.flatMap(({ names }) => names[kind]));

  test('has no function in its configuration but for values', () => {
    expect(functionsIn(machine.config, 'machine').filter((place) => !VALUES.test(place))).toEqual([]);
  });

  test('names nothing that it does not have', () => {
    for (const kind of ['actions', 'guards', 'delays'] as const) {
      expect(Object.keys(implementations[kind] ?? {})).toEqual(expect.arrayContaining([...named(kind)]));
    }
    expect(Object.keys(implementations.actors ?? {})).toEqual(
      expect.arrayContaining(states.flatMap(({ invokes }) => invokes)),
    );
  });

  test('names every guard, delay and action that it has; an effect may be called for by an action', () => {
    expect([...named('guards')].sort()).toEqual(Object.keys(implementations.guards ?? {}).sort());
    expect([...named('delays')].sort()).toEqual(Object.keys(implementations.delays ?? {}).sort());
    const own = Object.entries(implementations.actions ?? {}).filter(([, action]) => !isEffect(action));
    expect([...named('actions')]).toEqual(expect.arrayContaining(own.map(([key]) => key)));
  });

  test('says in JSON what its diagram shows', () => {
    const model = readMachines().find((other) => other.name === name);
    const shown = statesOf(model?.root as StateModel).map(drawn);
    expect(states.map(({ path, entry, exit, transitions }) => ({ path, entry, exit, transitions }))).toEqual(shown);
    expect(shown.flatMap(({ transitions }) => transitions).length).toBeGreaterThan(0);
  });
});

test('every kind of child that the peer spawns may fail without taking the peer down', () => {
  const kinds = readMachines().find(({ name }) => name === 'peer')?.children;
  const [, running] = read('peer', JSON.parse(JSON.stringify(machines.peer.config)));
  for (const kind of kinds ?? []) {
    expect(running?.transitions.some((text) => text.includes(`${kind} failed`))).toBe(true);
  }
});
