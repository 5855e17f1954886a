/** Why a session or a download is where it is: its state, what it waits for, and the transitions that brought it there. */
import type { AnyActorRef, AnyMachineSnapshot, AnyStateNode, InspectionEvent } from 'xstate';
import { actorId } from '../../machines/actor-ids.ts';
import type { RequestContext } from '../../machines/request-context.ts';
import { actorsFrom, escapeId, pathOf, stateOf } from '../runtime/actor-tree.ts';
import { isReason, sentencesOf, sentencesOfEnded, WAITING, type Waiting } from './reasons.ts';
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
    const { failure } = actor.getSnapshot().context as { failure?: { message: string } };
    const description = descriptionOf(actor);
    const waiting = this.#waitingOf(actor, nowMs);
    const standing = { path, state, description, failure: failure?.message, last: transitions.at(-1), waiting };
    return { actor: path, state, sentences: sentencesOf(standing, nowMs), transitions };
  }

  #waitingOf(actor: AnyActorRef, nowMs: number): Waiting[] {
    return actorsFrom(actor).flatMap((child) => {
      if (child === actor || stateOf(child) !== WAITING) return [];
      const { current } = child.getSnapshot().context as RequestContext;
      const sentAtMs = this.#past.get(pathOf(child))?.at(-1)?.atMs ?? nowMs;
      return current === undefined ? [] : [{ request: current, sentAtMs }];
    });
  }

  #note(transition: Transition): void {
    if (!isReason(transition)) return;
    const { actor } = transition;
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
  return { actor: path, state: 'ended', sentences: sentencesOfEnded({ path, last: transitions.at(-1) }), transitions };
}

function descriptionOf(actor: AnyActorRef): string {
  const snapshot = actor.getSnapshot() as AnyMachineSnapshot;
  let state: AnyStateNode = snapshot.machine.root;
  for (const key of stateOf(actor).split('.')) state = state.states[key] ?? state;
  return state.description ?? '';
}
