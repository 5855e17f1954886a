/**
 * Walks a machine: from its first state on, every event is tried in every state that the events reach, and each transition that
 * is taken is noted. A transition that no event reaches fails the test, by name.
 *
 * Snapshots do not change, so each is gone on from as often as there are events, without starting anew.
 */
import {
  type ActorScope,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  createActor,
  createMachine,
  type EventObject,
  type InspectionEvent,
} from 'xstate';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';

export interface MachineWalk {
  readonly machine: AnyStateMachine;
  readonly input: unknown;
  /** All that may come, with every variant that a guard tells apart. */
  readonly events: readonly EventObject[];
  /** What of a context tells states apart; the state's value always does. Default: nothing. */
  readonly key?: (context: never) => unknown;
  /** False for an event that cannot come in this state: a request that ends before one was opened. Default: all can. */
  readonly isPossible?: (context: never, event: EventObject) => boolean;
  /** The paths themselves, for a machine that changes its context in place: what leads on from a state is walked anew each time. */
  readonly paths?: readonly (readonly EventObject[])[];
  /** Longest path, in events. Default 12. */
  readonly depth?: number;
}

export interface WalkResult {
  readonly walked: ReadonlySet<string>;
  readonly all: readonly string[];
}

function statesOf(machine: AnyStateMachine): AnyStateNode[] {
  const states: AnyStateNode[] = [machine.root];
  for (const state of states) states.push(...Object.values<AnyStateNode>(state.states));
  return states;
}

/** "state: event [n]": the n-th transition that the state has for this event. */
function transitionsOf(machine: AnyStateMachine): Map<AnyTransitionDefinition, string> {
  const names = new Map<AnyTransitionDefinition, string>();
  for (const state of statesOf(machine)) {
    for (const [descriptor, transitions] of state.transitions) {
      transitions.forEach((transition, i) => {
        names.set(transition, `${state.id}: ${descriptor} [${i + 1}/${transitions.length}]`);
      });
    }
    state.always?.forEach((transition, i) => {
      names.set(transition, `${state.id}: always [${i + 1}/${state.always?.length}]`);
    });
  }
  return names;
}

export function walkMachine({
  isPossible = () => true,
  machine,
  input,
  events,
  key = () => '',
  paths,
  depth = 12,
}: MachineWalk): WalkResult {
  const names = transitionsOf(machine);
  const walked = new Set<string>();
  const canCome = ({ status, context }: AnyMachineSnapshot, event: EventObject) =>
    status === 'active' && isPossible(context as never, event);
  if (paths !== undefined) for (const path of paths) for (const event of events) run([...path, event]);
  else search();
  return { walked, all: [...names.values()] };

  function start() {
    return createActor(machine, { input, clock: new VirtualClock(), inspect: note });
  }

  function note(inspected: InspectionEvent): void {
    if (inspected.type !== '@xstate.microstep') return;
    for (const transition of inspected._transitions) {
      const name = names.get(transition);
      if (name !== undefined) walked.add(name);
    }
  }

  /** Breadth first: the way to each state is the shortest. */
  function search(): void {
    const scope = scopeOf(start());
    const first = machine.getInitialSnapshot(scope, input as never);
    const seen = new Set([keyOf(first)]);
    let reached = [first];
    for (let length = 1; length <= depth && reached.length > 0; length++) {
      const next: AnyMachineSnapshot[] = [];
      for (const snapshot of reached) {
        for (const event of events) {
          if (!canCome(snapshot, event)) continue;
          const after = machine.transition(snapshot, event, scope);
          const keyAfter = keyOf(after);
          if (seen.has(keyAfter)) continue;
          seen.add(keyAfter);
          next.push(after);
        }
      }
      reached = next;
    }
  }

  function keyOf({ value, context }: AnyMachineSnapshot): string {
    return JSON.stringify([value, key(context as never)]);
  }

  function run(steps: readonly EventObject[]): void {
    const actor = start();
    actor.start();
    for (const event of steps) {
      if (canCome(actor.getSnapshot(), event)) actor.send(event);
    }
    actor.stop();
  }
}

/** In which a machine changes its state, and nothing is done. */
function scopeOf(self: AnyActorRef): ActorScope<AnyMachineSnapshot, EventObject> {
  const nothing = () => {};
  return {
    self,
    id: self.id,
    sessionId: self.sessionId,
    system: self.system,
    logger: nothing,
    defer: nothing,
    emit: nothing,
    actionExecutor: nothing,
    stopChild: nothing,
  };
}

export function unwalked({ all, walked }: WalkResult): string[] {
  return all.filter((name) => !walked.has(name));
}

/** Stands in for a child: takes every event and does nothing. */
export const inertMachine = createMachine({});

/** An actor to refer to that is nobody. */
export function nobody(id: string) {
  return createActor(inertMachine, { id });
}

/** Effects that do nothing, one for each name. */
export function inert(...names: string[]): Record<string, () => void> {
  return Object.fromEntries(names.map((name) => [name, () => {}]));
}
