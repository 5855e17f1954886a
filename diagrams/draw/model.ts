/**
 * What a diagram shows of a machine, read from the machine itself (`machine.root`) into plain data. What cannot be shown
 * truthfully – an action or a guard without a name, a parallel state – throws instead of being left out.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { isEffect } from '../../machines/effects.ts';
import { nameOfGuard, namesOfActions } from './action-names.ts';
import { type DelayRanges, delayText } from './delays.ts';

export interface MachineModel {
  /** Its name in the list of all machines. */
  readonly name: string;
  readonly root: StateModel;
  /** Kinds of children that it spawns or invokes, by their names in the list. */
  readonly children: readonly string[];
  /** Actions that are carried out outside of the machine. */
  readonly effects: readonly string[];
}

export interface StateModel {
  /** Path from the root: "live.proving"; '' is the root. */
  readonly path: string;
  readonly name: string;
  readonly kind: 'atomic' | 'compound' | 'final' | 'history';
  readonly description: string | undefined;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
  /** Children that run as long as the state is active. */
  readonly invokes: readonly string[];
  /** In the order in which they are tried. */
  readonly transitions: readonly TransitionModel[];
  /** Path of the state entered first. */
  readonly initial: string | undefined;
  readonly states: readonly StateModel[];
}

export interface TransitionModel {
  readonly source: string;
  /** Path; undefined: the state stays as it is. */
  readonly target: string | undefined;
  readonly trigger: string;
  /** "else" where earlier transitions of the same trigger have guards and this one has none. */
  readonly guard: string | undefined;
  readonly actions: readonly string[];
  readonly reenter: boolean;
}

export interface Known {
  /** All machines by name: a child's kind is found by identity. */
  readonly machines: Readonly<Record<string, AnyStateMachine>>;
  readonly delays: DelayRanges;
}

export function readMachine(name: string, machine: AnyStateMachine, known: Known): MachineModel {
  const { actors = {}, actions = {} } = machine.implementations as {
    actors?: Record<string, unknown>;
    actions?: Record<string, unknown>;
  };
  const kindOf = (src: unknown) => {
    const logic = typeof src === 'string' ? actors[src] : src;
    const kind = Object.keys(known.machines).find((key) => known.machines[key] === logic);
    if (kind === undefined) throw new Error(`${name} has a child "${String(src)}" that is not in the list of machines`);
    return kind;
  };

  const whereIs = (state: AnyStateNode) => [name, ...state.path].join('.');

  const readTransitions = (state: AnyStateNode): TransitionModel[] => {
    const groups: [string, readonly AnyTransitionDefinition[]][] = [...state.transitions];
    if (state.always !== undefined) groups.push(['', state.always]);
    return groups.flatMap(([descriptor, transitions]) =>
      transitions.map((transition, i) => ({
        source: pathOf(state),
        target: targetOf(transition, whereIs(state)),
        trigger: triggerText(descriptor, transition),
        guard: guardText(transition, transitions.slice(0, i), whereIs(state)),
        actions: namesOfActions(transition.actions, whereIs(state)),
        reenter: transition.reenter === true,
      })),
    );
  };

  const triggerText = (descriptor: string, { delay }: AnyTransitionDefinition & { delay?: unknown }): string => {
    if (descriptor === '') return 'always';
    if (delay !== undefined) return `after ${delayText(machine, name, delay as string | number, known.delays)}`;
    return eventText(descriptor);
  };

  const readState = (state: AnyStateNode): StateModel => ({
    path: pathOf(state),
    name: state.parent === undefined ? name : state.key,
    kind: kindOfState(state, whereIs(state)),
    description: state.description,
    entry: namesOfActions(state.config.entry, whereIs(state)),
    exit: namesOfActions(state.config.exit, whereIs(state)),
    invokes: state.invoke.map(({ src }) => kindOf(src)),
    transitions: readTransitions(state),
    initial: state.type === 'compound' ? targetOf(state.initial, whereIs(state)) : undefined,
    states: Object.values<AnyStateNode>(state.states).map(readState),
  });

  return {
    name,
    root: readState(machine.root),
    children: Object.keys(actors).map(kindOf),
    effects: Object.keys(actions).filter((key) => isEffect(actions[key])),
  };
}

/** The state and all below it, outer ones first. */
export function statesOf(state: StateModel): StateModel[] {
  return [state, ...state.states.flatMap(statesOf)];
}

/** Transitions that do not leave their state. */
export function stayingIn({ transitions }: StateModel): TransitionModel[] {
  return transitions.filter(({ source, target }) => target === undefined || target === source);
}

export function leaving({ transitions }: StateModel): (TransitionModel & { readonly target: string })[] {
  return transitions.flatMap((it) =>
    it.target === undefined || it.target === it.source ? [] : { ...it, target: it.target },
  );
}

/** What neither arrow nor actions tell. */
export function remarkOn({ target, source, trigger, actions, reenter }: TransitionModel): string | undefined {
  if (target === undefined && actions.length === 0) return trigger === 'always' ? '(stays)' : '(ignored)';
  return target === source && reenter ? '↻ enters again' : undefined;
}

/** XState's own events in a person's words. */
export function eventText(descriptor: string): string {
  const [, outcome, id] = /^xstate\.(done|error)\.(?:actor|state)\.(.+)$/.exec(descriptor) ?? [];
  if (id === undefined) return descriptor;
  const kind = id.endsWith('.*') ? id.slice(0, -2) : undefined;
  const who = id === '*' ? 'a child' : kind === undefined ? id : `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
  return outcome === 'done' ? `${who} is done` : `${who} failed`;
}

function pathOf(state: AnyStateNode): string {
  return state.path.join('.');
}

function kindOfState({ type }: AnyStateNode, where: string): StateModel['kind'] {
  if (type === 'parallel') throw new Error(`${where} is parallel, which diagrams do not show`);
  return type;
}

function targetOf({ target = [] }: { target: readonly AnyStateNode[] | undefined }, where: string): string | undefined {
  if (target.length > 1) throw new Error(`a transition of ${where} has several targets, which diagrams do not show`);
  return target[0] && pathOf(target[0]);
}

function guardText(
  { guard }: AnyTransitionDefinition,
  earlier: readonly AnyTransitionDefinition[],
  where: string,
): string | undefined {
  if (guard !== undefined) return nameOfGuard(guard, where);
  return earlier.some((transition) => transition.guard !== undefined) ? 'else' : undefined;
}
