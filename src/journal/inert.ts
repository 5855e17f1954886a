/** Machines whose effects do nothing but tell that they were called for, all the way down the tree. */
import type { AnyActorRef, AnyStateMachine } from 'xstate';
import { isEffect } from '../../machines/effects.ts';

export type OnEffect = (name: string, actor: AnyActorRef, params: unknown) => void;

interface Implementations {
  readonly actions: Readonly<Record<string, unknown>>;
  readonly actors: Readonly<Record<string, unknown>>;
}

export function inertMachine(machine: AnyStateMachine, onEffect: OnEffect): AnyStateMachine {
  const { actions, actors } = machine.implementations as unknown as Implementations;
  return machine.provide({
    actions: mapValues(actions, (action, name) => {
      if (!isEffect(action)) return action;
      return ({ self }: { self: AnyActorRef }, params: unknown) => onEffect(name, self, params);
    }),
    actors: mapValues(actors, (child) => inertMachine(child as AnyStateMachine, onEffect)),
  } as never) as AnyStateMachine;
}

function mapValues<T>(values: Readonly<Record<string, T>>, map: (value: T, key: string) => unknown): object {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value, key)]));
}
