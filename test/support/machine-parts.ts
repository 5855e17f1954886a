/**
 * The states and transitions that a machine consists of: a key for each, the same whatever effects it is provided with, and a
 * name for a person. Two transitions of one event differ by their place in the order in which they are tried.
 */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/** Names by key. */
export interface MachineParts {
  readonly states: ReadonlyMap<string, string>;
  readonly transitions: ReadonlyMap<string, string>;
}

export function stateKey({ machine, path }: AnyStateNode): string {
  return `${machine.id}: ${path.join('.')}`;
}

export function transitionKey(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const tried = eventType === '' ? source.always : source.transitions.get(eventType);
  return `${stateKey(source)} –${eventType}→ ${tried?.indexOf(transition)}`;
}

export function partsOf(machine: AnyStateMachine): MachineParts {
  const states = new Map<string, string>();
  const transitions = new Map<string, string>();
  const nodes: AnyStateNode[] = [machine.root];
  for (const node of nodes) {
    nodes.push(...Object.values<AnyStateNode>(node.states));
    if (node.parent !== undefined) states.set(stateKey(node), `${machine.id}: ${nameOf(node)}`);
    for (const tried of [...node.transitions.values(), node.always ?? []]) {
      for (const [index, transition] of tried.entries()) {
        transitions.set(transitionKey(transition), transitionName(transition, index));
      }
    }
  }
  return { states, transitions };
}

function nameOf({ path }: AnyStateNode): string {
  return path.length === 0 ? 'every state' : path.join('.');
}

/** "outgoing-session: closed –sweep [isIdle]→ ended" */
function transitionName({ source, target, eventType, guard }: AnyTransitionDefinition, index: number): string {
  const on = eventType === '' ? 'always' : eventType.replace(/^xstate\.after\.([^.]+)\..*/, 'after $1');
  const condition = guard === undefined ? (index > 0 ? ' [else]' : '') : ` [${nameOfGuard(guard)}]`;
  const where = target === undefined ? '(stays)' : target.map(nameOf).join(', ');
  return `${source.machine.id}: ${nameOf(source)} –${on}${condition}→ ${where}`;
}

function nameOfGuard(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  const { type, name } = guard as { type?: string; name?: string };
  return type ?? name ?? 'guard';
}
