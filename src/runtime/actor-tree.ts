/** Actors by path ("peer/outgoing-session.alice/request.3"), and what they all are in at an instant. */
import type { AnyActor, AnyActorRef } from 'xstate';

const paths = new WeakMap<AnyActorRef, string>();

/** Ids from the root down, joined by "/"; a "/" within an id is written "%2F". */
export function pathOf(actor: AnyActorRef): string {
  const known = paths.get(actor);
  if (known !== undefined) return known;
  const id = escapeId(actor.id);
  const { parent } = (actor as AnyActor).options;
  const path = parent === undefined ? id : `${pathOf(parent)}/${id}`;
  paths.set(actor, path);
  return path;
}

/** An id as it stands in a path. */
export function escapeId(id: string): string {
  return id.replaceAll('%', '%25').replaceAll('/', '%2F');
}

export function unescapeId(id: string): string {
  return id.replaceAll('%2F', '/').replaceAll('%25', '%');
}

/** The actor and all below it, each before its children; children in the order of their ids. */
export function actorsFrom(root: AnyActorRef): AnyActorRef[] {
  const all: AnyActorRef[] = [];
  const open = [root];
  for (let actor = open.pop(); actor !== undefined; actor = open.pop()) {
    all.push(actor);
    const { children = {} } = actor.getSnapshot() as { children?: Record<string, AnyActorRef | undefined> };
    for (const id of Object.keys(children).sort().reverse()) {
      const child = children[id];
      if (child !== undefined) open.push(child);
    }
  }
  return all;
}

/** The state a machine is in: "live.proven". */
export function stateOf(actor: AnyActorRef): string {
  const { value } = actor.getSnapshot() as { value?: unknown };
  return stateText(value);
}

export function stateText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const parts = Object.entries(value).map(([key, below]) => {
    const rest = stateText(below);
    return rest === '' ? key : `${key}.${rest}`;
  });
  return parts.join(' ');
}
