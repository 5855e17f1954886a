/**
 * Walks a machine by its model: finds the shortest paths through all states that a set of events reaches, runs each on a real
 * actor, and notes every transition taken. A transition that no event reaches fails the test, by name.
 */
import {
  type AnyActorLogic,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type AnyTransitionDefinition,
  createActor,
  createMachine,
  type EventObject,
} from 'xstate';
import { TestModel } from 'xstate/graph';
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
  /** The paths themselves, for a machine that changes its context in place: the search for them goes back to earlier contexts. */
  readonly paths?: readonly (readonly EventObject[])[];
  /** Longest path, in events. Default 12. */
  readonly depth?: number;
}

export interface WalkResult {
  readonly walked: ReadonlySet<string>;
  readonly all: readonly string[];
  readonly paths: number;
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

const ROOT = 'walked';

export async function walkMachine({
  isPossible = () => true,
  machine,
  input,
  events,
  key = () => '',
  paths: given,
  depth = 12,
}: MachineWalk): Promise<WalkResult> {
  const names = transitionsOf(machine);
  const walked = new Set<string>();
  const serialize = (snapshot: AnyMachineSnapshot) =>
    `${JSON.stringify(snapshot.value)} ${JSON.stringify(key(snapshot.context as never))}`;
  const model = new TestModel(machine as AnyActorLogic, {
    events: events as never,
    serializeState: serialize as never,
  });
  const canCome = (snapshot: AnyMachineSnapshot, event: EventObject) =>
    snapshot.status === 'active' && isPossible(snapshot.context as never, event);
  if (given !== undefined) {
    for (const path of given) for (const event of events) run([...path, event]);
    return { walked, all: [...names.values()], paths: given.length };
  }
  const options = { input, filterEvents: canCome, limit: 100_000, allowDuplicatePaths: true };
  const paths = model.getShortestPaths(options as never);
  for (const path of paths) {
    if (path.steps.length > depth) continue;
    for (const event of events) run([...path.steps.slice(1).map((step) => step.event as EventObject), event]);
  }
  return { walked, all: [...names.values()], paths: paths.length };

  function run(steps: readonly EventObject[]): void {
    const actor = createActor(machine, {
      id: ROOT,
      input,
      clock: new VirtualClock(),
      inspect: (inspected) => {
        // By id: the first steps come before there is an actor to compare with.
        if (inspected.type !== '@xstate.microstep' || (inspected.actorRef as AnyActorRef).id !== ROOT) return;
        for (const transition of inspected._transitions) {
          const name = names.get(transition);
          if (name !== undefined) walked.add(name);
        }
      },
    });
    actor.start();
    for (const event of steps) {
      if (canCome(actor.getSnapshot(), event)) actor.send(event);
    }
    actor.stop();
  }
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
