/** Transitions as they happen, in words: from XState's inspection events. */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { pathOf, stateOf, stateText } from '../runtime/actor-tree.ts';

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

interface Taken {
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

/** Calls back for each transition that does anything. */
export class Tracer {
  readonly #onTransition: (transition: Transition, actor: AnyActorRef) => void;
  readonly #states = new WeakMap<AnyActorRef, string>();

  constructor(onTransition: (transition: Transition, actor: AnyActorRef) => void) {
    this.#onTransition = onTransition;
  }

  inspect(inspected: InspectionEvent, atMs: number, seq = 0): void {
    if (inspected.type !== '@xstate.microstep') return;
    const actor = inspected.actorRef as AnyActorRef;
    const { value } = inspected.snapshot as { value?: unknown };
    const from = this.#states.get(actor) ?? stateOf(actor);
    const to = stateText(value);
    this.#states.set(actor, to);
    const taken = inspected._transitions as unknown as readonly Taken[];
    if (taken.length === 0) return;
    const guard = taken.map((transition) => nameOf(transition.guard)).find((name) => name !== '');
    const actions = taken.flatMap((transition) => transition.actions.map(nameOf)).filter((name) => name !== '');
    const event = eventName(inspected.event.type);
    this.#onTransition(
      { atMs, seq, actor: pathOf(actor), event, ...(guard !== undefined && { guard }), from, to, actions },
      actor,
    );
  }
}

function nameOf(implementation: unknown): string {
  if (typeof implementation === 'string') return implementation;
  if (typeof implementation === 'function') return implementation.name;
  const { type } = (implementation ?? {}) as { type?: unknown };
  return typeof type === 'string' ? type : '';
}

/** "after retransmissionTimeout" rather than XState's own name for it. */
function eventName(type: string): string {
  const [, delay] = /^xstate\.after\.(.+?)\.[^.]+(?:\..*)?$/.exec(type) ?? [];
  if (delay !== undefined) return `after ${delay}`;
  const [, outcome, id] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  if (id !== undefined) return outcome === 'done' ? `${id} is done` : `${id} failed`;
  return type;
}
