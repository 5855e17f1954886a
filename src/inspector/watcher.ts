/** Tells what actors do, line by line (lines.ts): from XState's inspection events, of a replay or of a system that runs. */
import type {
  AnyActor,
  AnyActorRef,
  AnyEventObject,
  AnyMachineSnapshot,
  AnyTransitionDefinition,
  InspectionEvent,
} from 'xstate';
import { eventName, Tracer, type Transition } from '../journal/trace.ts';
import { actorsFrom, pathOf, stateText } from '../runtime/actor-tree.ts';
import { type Line, NOBODY, type Status, type Step } from './lines.ts';
import { SharedValues } from './shared-values.ts';

/** Objects after which values are numbered anew, so that neither side remembers more than that for them. */
const RESET_AFTER = 1_000_000;

export class Watcher {
  readonly #write: (line: Line) => void;
  readonly #values = new SharedValues();
  readonly #tracer = new Tracer((transition, _actor, taken) => {
    this.#taken = { transition, taken };
  });
  #taken: Taken | undefined;
  #numbers = new WeakMap<AnyActorRef, number>();
  #actors = 0;
  #messages = 0;
  /** Of each actor, what it is sent and how many messages there had been then. */
  readonly #sent = new WeakMap<AnyEventObject, Map<number, number>>();
  readonly #contexts = new WeakMap<AnyActorRef, unknown>();

  constructor(write: (line: Line) => void) {
    this.#write = write;
  }

  /** Tells what there is already of a system that runs. */
  begin(root: AnyActorRef, atMs: number): void {
    for (const actor of actorsFrom(root)) this.#begins(actor, atMs, 0, 0);
  }

  readonly inspect = (inspected: InspectionEvent, atMs: number, seq = 0): void => {
    if (inspected.type === '@xstate.event') this.#message(inspected, atMs, seq);
    else if (inspected.type === '@xstate.microstep') this.#microstep(inspected, atMs, seq);
    else if (inspected.type === '@xstate.snapshot') this.#breakdown(inspected, atMs, seq);
    if (this.#values.count < RESET_AFTER) return;
    this.#values.reset();
    this.#write(['reset']);
  };

  #message(
    { sourceRef, actorRef, event }: Extract<InspectionEvent, { type: '@xstate.event' }>,
    atMs: number,
    seq: number,
  ) {
    const from = sourceRef === undefined ? NOBODY : this.#numberOf(sourceRef as AnyActorRef);
    const to = this.#numberOf(actorRef as AnyActorRef);
    this.#messages += 1;
    const sent = this.#sent.get(event);
    if (sent === undefined) this.#sent.set(event, new Map([[to, this.#messages]]));
    else sent.set(to, this.#messages);
    const { type, ...members } = event;
    this.#write(['message', atMs, seq, from, to, eventName(type), this.#values.encode({ ...members }) ?? null]);
    if (type === 'xstate.init') this.#begins(actorRef as AnyActorRef, atMs, seq, 1);
  }

  /** No step leads to the first state. */
  #begins(actor: AnyActorRef, atMs: number, seq: number, message: number): void {
    const { value, context, status } = actor.getSnapshot() as AnyMachineSnapshot;
    const event = message === 0 ? 'seen' : 'start';
    this.#step(actor, atMs, seq, message, { event, from: '', to: stateText(value), ...statusOf(status) }, context);
  }

  #microstep(inspected: Extract<InspectionEvent, { type: '@xstate.microstep' }>, atMs: number, seq: number) {
    const actor = inspected.actorRef as AnyActorRef;
    const { value, context, status } = inspected.snapshot as AnyMachineSnapshot;
    this.#taken = undefined;
    this.#tracer.inspect(inspected, atMs, seq);
    const to = stateText(value);
    const sent = this.#sent.get(inspected.event)?.get(this.#numberOf(actor));
    const message = sent === undefined ? 0 : this.#messages - sent + 1;
    const plain: Step = { event: eventName(inspected.event.type), from: to, to };
    const step = { ...(this.#taken === undefined ? plain : stepOf(this.#taken)), ...statusOf(status) };
    this.#step(actor, atMs, seq, message, step, context);
  }

  /** An action threw: no step tells of it. */
  #breakdown(inspected: Extract<InspectionEvent, { type: '@xstate.snapshot' }>, atMs: number, seq: number) {
    if ((inspected.snapshot as { status: string }).status !== 'error') return;
    const { error, value, context } = inspected.snapshot as AnyMachineSnapshot;
    const to = stateText(value);
    const event = `broke down: ${error instanceof Error ? error.message : String(error)}`;
    this.#step(inspected.actorRef as AnyActorRef, atMs, seq, 0, { event, from: to, to, status: 'error' }, context);
  }

  #step(actor: AnyActorRef, atMs: number, seq: number, message: number, step: Step, context: unknown): void {
    const number = this.#numberOf(actor);
    const encoded = this.#values.encode(context, this.#contexts.get(actor)) ?? null;
    this.#contexts.set(actor, context);
    this.#write(['step', atMs, seq, number, message, step, encoded]);
  }

  #numberOf(actor: AnyActorRef): number {
    const known = this.#numbers.get(actor);
    if (known !== undefined) return known;
    const { parent } = (actor as AnyActor).options;
    const above = parent === undefined ? NOBODY : this.#numberOf(parent);
    const number = this.#actors;
    this.#actors += 1;
    this.#numbers.set(actor, number);
    const [kind = ''] = actor.id.split('.');
    this.#write(['actor', number, pathOf(actor), kind, above]);
    return number;
  }
}

interface Taken {
  readonly transition: Transition;
  readonly taken: AnyTransitionDefinition;
}

function stepOf({ transition, taken }: Taken): Step {
  const { event, from, to, guard, actions } = transition;
  const target = taken.target?.[0];
  return {
    ...{ event, from, to },
    ...(guard !== undefined && { guard }),
    ...(actions.length > 0 && { actions }),
    source: taken.source.path.join('.'),
    ...(target !== undefined && { target: target.path.join('.') }),
  };
}

function statusOf(status: string): { status?: Status } {
  return status === 'active' ? {} : { status: status as Status };
}
