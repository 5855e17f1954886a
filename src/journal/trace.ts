/** Transitions as they happen, in words: from XState's inspection events. */
import {
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyTransitionDefinition,
  getNextTransitions,
  type InspectionEvent,
} from 'xstate';
import { pathOf, stateText } from '../runtime/actor-tree.ts';

export interface Transition {
  readonly atMs: number;
  /** Of the journal's entry that led to it; 0 for the start, and in a live system. */
  readonly seq: number;
  readonly actor: string;
  readonly event: string;
  /** Of the transition taken; undefined if it needed none. */
  readonly guard?: string;
  readonly from: string;
  readonly to: string;
  /** Of the transition itself; what is done on leaving and entering a state is in the diagrams. */
  readonly actions: readonly string[];
}

type OnTransition = (transition: Transition, actor: AnyActorRef, taken: AnyTransitionDefinition) => void;

/** Calls back for each transition that does anything. */
export class Tracer {
  readonly #onTransition: OnTransition;
  /** Of each actor, what its last step led to, and the event of that. */
  readonly #last = new WeakMap<AnyActorRef, Step>();

  constructor(onTransition: OnTransition) {
    this.#onTransition = onTransition;
  }

  inspect(inspected: InspectionEvent, atMs: number, seq = 0): void {
    if (inspected.type !== '@xstate.microstep') return;
    const actor = inspected.actorRef as AnyActorRef;
    const { event } = inspected;
    const snapshot = inspected.snapshot as AnyMachineSnapshot;
    const last = this.#last.get(actor);
    const before = last?.snapshot ?? (actor.getSnapshot() as AnyMachineSnapshot | undefined);
    this.#last.set(actor, { snapshot, event });
    if (before === undefined) return;
    // After the first step of an event come those that wait for no event (`always`).
    const taken = (last?.event === event ? alwaysTaken(before, event) : undefined) ?? takenOn(before, event);
    if (taken === undefined) return;
    const { guard } = taken;
    const actions = taken.actions.map(nameOf).filter((name) => name !== '');
    this.#onTransition(
      {
        atMs,
        seq,
        actor: pathOf(actor),
        event: eventName(event.type),
        ...(guard !== undefined && { guard: nameOf(guard) }),
        from: stateText(before.value),
        to: stateText(snapshot.value),
        actions,
      },
      actor,
      taken,
    );
  }
}

interface Step {
  readonly snapshot: AnyMachineSnapshot;
  readonly event: AnyEventObject;
}

/** The machine is asked once more: which transition was taken is not part of what XState's public API tells an inspector. */
function takenOn(snapshot: AnyMachineSnapshot, event: AnyEventObject): AnyTransitionDefinition | undefined {
  return snapshot.status === 'active' ? snapshot.machine.getTransitionData(snapshot, event)[0] : undefined;
}

function alwaysTaken(snapshot: AnyMachineSnapshot, event: AnyEventObject): AnyTransitionDefinition | undefined {
  const { guards } = snapshot.machine.implementations as unknown as {
    readonly guards: Readonly<Record<string, Guard>>;
  };
  return getNextTransitions(snapshot).find(
    ({ eventType, guard }) =>
      eventType === '' &&
      (guard === undefined || guards[nameOf(guard)]?.({ context: snapshot.context, event }) === true),
  );
}

type Guard = (args: { readonly context: unknown; readonly event: AnyEventObject }) => boolean;

/** Of an action or a guard, as a machine's configuration has it. */
function nameOf(implementation: unknown): string {
  if (typeof implementation === 'string') return implementation;
  const { name, type } = (implementation ?? {}) as { name?: unknown; type?: unknown };
  return `${(typeof implementation === 'function' ? name : type) ?? ''}`;
}

/** "after retransmissionTimeout" rather than XState's own name for it. */
export function eventName(type: string): string {
  const [, delay] = /^xstate\.after\.(.+?)\.[^.]+(?:\..*)?$/.exec(type) ?? [];
  if (delay !== undefined) return `after ${delay}`;
  const [, outcome, id] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  if (id !== undefined) return outcome === 'done' ? `${id} is done` : `${id} failed`;
  return type === 'xstate.init' ? 'start' : type === 'xstate.stop' ? 'stop' : type;
}
