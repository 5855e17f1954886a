/** Why a session or a download is where it is: its state, what it waits for, and the transitions that brought it there. */
import type { AnyActorRef, AnyMachineSnapshot, AnyStateNode, InspectionEvent } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import type { Faults, RequestContext } from '../../machines/request-context.ts';
import { actorsFrom, escapeId, pathOf, stateOf } from '../runtime/actor-tree.ts';
import { formatAddress } from '../wire/socket-address.ts';
import { Tracer, type Transition } from './trace.ts';

export interface Explanation {
  readonly actor: string;
  readonly state: string;
  /** Sentences, the most telling first. Texts of others are in there as they came. */
  readonly sentences: readonly string[];
  /** The last ones that changed its state, oldest first. */
  readonly transitions: readonly Transition[];
}

/** Transitions remembered of each actor. */
const REMEMBERED = 12;
/** Actors remembered at most: those of ended downloads go first. */
const ACTORS = 4_096;

export class Explainer {
  readonly #tracer = new Tracer((transition) => this.#note(transition));
  readonly #past = new Map<string, Transition[]>();

  readonly inspect = (inspected: InspectionEvent, atMs: number, seq?: number): void => {
    this.#tracer.inspect(inspected, atMs, seq);
  };

  /** Of everything that has to do with this peer, living or ended. */
  explain(root: AnyActorRef, name: string, nowMs: number): Explanation[] {
    const explanations = livingOf(root, name).map((actor) => this.#explainLiving(actor, nowMs));
    for (const id of [actorId.outgoingSession(name), actorId.merkleWalk(name)]) {
      const path = `${pathOf(root)}/${escapeId(id)}`;
      const past = this.#past.get(path);
      if (past !== undefined && !explanations.some(({ actor }) => actor === path)) explanations.push(ended(path, past));
    }
    return explanations;
  }

  #explainLiving(actor: AnyActorRef, nowMs: number): Explanation {
    const path = pathOf(actor);
    const state = stateOf(actor);
    const transitions = this.#past.get(path) ?? [];
    const since = transitions.at(-1)?.atMs;
    const how = since === undefined ? '' : ` for ${seconds(nowMs - since)}`;
    const sentences = [`${path} is ${state}${how}: ${descriptionOf(actor)}`];
    const { failure } = actor.getSnapshot().context as { failure?: { message: string } };
    if (failure !== undefined) sentences.push(`It failed: ${failure.message}.`);
    sentences.push(...this.#requestsOf(actor, nowMs));
    const last = transitions.at(-1);
    if (last !== undefined) sentences.push(sentenceOf(last));
    return { actor: path, state, sentences, transitions };
  }

  /** What is in flight: "RootRequest to … was sent 3 times, …". */
  #requestsOf(actor: AnyActorRef, nowMs: number): string[] {
    const waiting = actorsFrom(actor)
      .filter((child) => child !== actor && stateOf(child) === WAITING)
      .map((child) => this.#requestSentence(child, nowMs));
    const shown = waiting.slice(0, 3);
    return waiting.length > 3 ? [...shown, `${waiting.length - 3} more requests are in flight.`] : shown;
  }

  #requestSentence(request: AnyActorRef, nowMs: number): string {
    const { current } = request.getSnapshot().context as RequestContext;
    if (current === undefined) return '';
    const { order, sends, timeoutMs, waitedMs, faults } = current;
    const sinceMs = nowMs - (this.#past.get(pathOf(request))?.at(-1)?.atMs ?? nowMs);
    const what = `${order.question.type} to ${formatAddress(order.to)}`;
    const times = sends === 1 ? 'once' : `${sends} times`;
    const left = order.maxSends - sends;
    const next = `in ${seconds(timeoutMs - sinceMs)}`;
    const then = left > 0 ? `retrying ${next}; ${left} more ${left === 1 ? 'try' : 'tries'}` : `giving up ${next}`;
    const got = refusals(faults) ?? 'no answer';
    return `${what} was sent ${times}, and got ${got} for ${seconds(waitedMs + sinceMs)}; ${then}.`;
  }

  #note(transition: Transition): void {
    const { actor, from, to, event } = transition;
    // A repeated request stays in its state: each send counts.
    if (from === to && !event.startsWith('after ')) return;
    let past = this.#past.get(actor);
    if (past === undefined) {
      const oldest = this.#past.size >= ACTORS ? this.#past.keys().next().value : undefined;
      if (oldest !== undefined) this.#past.delete(oldest);
      past = [];
      this.#past.set(actor, past);
    }
    past.push(transition);
    if (past.length > REMEMBERED) past.shift();
  }
}

/** Answers that came and were not believed: "2 answers that were refused (unsigned)". */
function refusals(faults: Faults): string | undefined {
  const kinds = Object.keys(faults);
  const count = Object.values(faults).reduce((sum, number) => sum + number, 0);
  if (count === 0) return undefined;
  return `${count === 1 ? 'one answer that was' : `${count} answers that were`} refused (${kinds.join(', ')})`;
}

/** The state of requests that are in flight. */
const WAITING = 'open.awaitingAnswer';

/** Sessions and downloads that are alive and have to do with this peer, in the order of their ids. */
function livingOf(root: AnyActorRef, name: string): AnyActorRef[] {
  const { children = {} } = root.getSnapshot() as { children?: Record<string, AnyActorRef | undefined> };
  return Object.keys(children)
    .sort()
    .flatMap((id) => children[id] ?? [])
    .filter((actor) => nameOf(actor) === name);
}

function nameOf(actor: AnyActorRef): string | undefined {
  if (actor.id.startsWith('incoming-session.')) return (actor.getSnapshot().context as { name?: string }).name;
  return nameIn(actor.id);
}

/** The peer's name in the id of a session or download; undefined for a session with an address. */
function nameIn(id: string): string | undefined {
  const [, prefix, name] = /^(outgoing-session|merkle-walk)\.(.*)$/s.exec(id) ?? [];
  if (prefix !== 'outgoing-session' || !name?.startsWith('@')) return name;
  return name.startsWith('@@') ? name.slice(1) : undefined;
}

function ended(path: string, transitions: readonly Transition[]): Explanation {
  const last = transitions.at(-1);
  const sentences = [`${path} has ended${last === undefined ? '' : ` as ${last.to}`}.`];
  if (last !== undefined) sentences.push(sentenceOf(last));
  return { actor: path, state: 'ended', sentences, transitions };
}

function sentenceOf({ event, guard, from, to, actions }: Transition): string {
  const because = guard === undefined ? '' : `, since ${guard} holds`;
  const did = actions.length === 0 ? '' : ` (${actions.join(', ')})`;
  return from === to
    ? `Last, ${event} was handled there${because}${did}.`
    : `It went from ${from} to ${to} on ${event}${because}${did}.`;
}

function descriptionOf(actor: AnyActorRef): string {
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  let state: AnyStateNode = snapshot.machine.root;
  for (const key of stateOf(actor).split('.')) state = state.states[key] ?? state;
  return state.description ?? '';
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}
