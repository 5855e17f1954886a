/** Why a session or a download is where it is: its state, what it waits for, and the transitions that brought it there. */
import type { AnyActorRef, AnyStateNode, InspectionEvent } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import type { NodeRequestsContext } from '../../machines/node-requests.machine.ts';
import type { RequestContext } from '../../machines/request.machine.ts';
import { actorsFrom, escapeId, pathOf, stateOf, unescapeId } from '../runtime/actor-tree.ts';
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
    const wanted = [actorId.outgoingSession(name), actorId.merkleWalk(name)];
    const living = actorsFrom(root).filter((actor) => wanted.includes(actor.id) || isIncomingOf(actor, name));
    const explanations = living.map((actor) => this.#explainLiving(actor, nowMs));
    for (const id of wanted) {
      const path = `${pathOf(root)}/${escapeId(id)}`;
      const past = this.#past.get(path);
      if (past !== undefined && !explanations.some(({ actor }) => actor === path)) explanations.push(ended(path, past));
    }
    return explanations;
  }

  /** Names of the peers there is something to say of. */
  names(): string[] {
    const names = [...this.#past.keys()].map(
      (path) => /^[^/]+\/(?:outgoing-session|merkle-walk)\.([^@][^/]*)$/.exec(path)?.[1],
    );
    return [...new Set(names.flatMap((name) => (name === undefined ? [] : [unescapeId(name)])))];
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
      .filter((child) => child !== actor && WAITING.includes(stateOf(child)))
      .map((child) => this.#requestSentence(child, nowMs));
    const shown = waiting.slice(0, 3);
    return waiting.length > 3 ? [...shown, `${waiting.length - 3} more requests are in flight.`] : shown;
  }

  #requestSentence(request: AnyActorRef, nowMs: number): string {
    const { current } = request.getSnapshot().context as RequestContext | NodeRequestsContext;
    if (current === undefined) return '';
    const { order, sends, timeoutMs, waitedMs } = current;
    const sinceMs = nowMs - (this.#past.get(pathOf(request))?.at(-1)?.atMs ?? nowMs);
    const asked = 'open' in current ? nodesText(current.open.length) : current.order.question.type;
    const what = `${asked} to ${formatAddress(order.to)}`;
    const times = sends === 1 ? 'once' : `${sends} times`;
    const left = order.maxSends - sends;
    const next = `in ${seconds(timeoutMs - sinceMs)}`;
    const then = left > 0 ? `retrying ${next}; ${left} more ${left === 1 ? 'try' : 'tries'}` : `giving up ${next}`;
    return `${what} was sent ${times}, and got no answer for ${seconds(waitedMs + sinceMs)}; ${then}.`;
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

/** States of requests that are in flight. */
const WAITING = ['awaitingAnswer', 'awaitingAnswers'];

function nodesText(count: number): string {
  return count === 1 ? 'GetDatum' : `GetDatum for ${count} nodes`;
}

function isIncomingOf(actor: AnyActorRef, name: string): boolean {
  return actor.id.startsWith('incoming-session.') && (actor.getSnapshot().context as { name?: string }).name === name;
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
  const { _nodes } = actor.getSnapshot() as { _nodes?: readonly AnyStateNode[] };
  return _nodes?.at(-1)?.description ?? '';
}

function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}
