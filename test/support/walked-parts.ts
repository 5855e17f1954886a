/**
 * Notes which states and transitions of machines the tests of a file walk – on actors, and in pure transitions – and leaves
 * their keys in the file's metadata, where the reporter of transition coverage finds them. A setup file of Vitest.
 *
 * XState tells every microstep to the system that an actor belongs to, whether anybody inspects it or not. Listening there
 * costs next to nothing; an inspector of its own for each system would cost a copy of every event.
 */
import { afterAll } from 'vitest';
import { type AnyStateNode, type AnyTransitionDefinition, StateMachine } from 'xstate';
import { stateKey, transitionKey } from './machine-parts.ts';

declare module 'vitest' {
  interface TaskMeta {
    /** Keys of the states and transitions that a test file walked. */
    walked?: string[];
  }
}

interface Inspected {
  readonly type: string;
  readonly snapshot?: { readonly _nodes?: readonly AnyStateNode[] };
  readonly _transitions?: readonly AnyTransitionDefinition[];
}

interface Scope {
  readonly system: { _sendInspectionEvent(event: Inspected): void };
}

const walked = new Set<string>();
/** Each peer has machines of its own, with its effects: they are not kept alive by having been seen. */
const known = new WeakSet<object>();
const tapped = new WeakSet<object>();

function noteStates(nodes: readonly AnyStateNode[] = []): void {
  for (const node of nodes) {
    if (known.has(node)) continue;
    known.add(node);
    walked.add(stateKey(node));
  }
}

function noteTransitions(transitions: readonly AnyTransitionDefinition[]): void {
  for (const transition of transitions) {
    if (known.has(transition)) continue;
    known.add(transition);
    walked.add(transitionKey(transition));
    // A first state that is left at once by an "always" is in no snapshot.
    noteStates([transition.source]);
  }
}

function tap({ system }: Scope): void {
  if (tapped.has(system)) return;
  tapped.add(system);
  const tell = system._sendInspectionEvent;
  system._sendInspectionEvent = (event) => {
    if (event.type === '@xstate.microstep') {
      noteTransitions(event._transitions ?? []);
      noteStates(event.snapshot?._nodes);
    }
    tell(event);
  };
}

type Method = (this: unknown, ...args: unknown[]) => unknown;
const prototype = StateMachine.prototype as unknown as { transition: Method; getInitialSnapshot: Method };
const { transition, getInitialSnapshot } = prototype;

prototype.transition = function (snapshot, event, scope) {
  tap(scope as Scope);
  return transition.call(this, snapshot, event, scope);
};

prototype.getInitialSnapshot = function (scope, input) {
  tap(scope as Scope);
  const snapshot = getInitialSnapshot.call(this, scope, input) as { _nodes?: readonly AnyStateNode[] };
  noteStates(snapshot._nodes);
  return snapshot;
};

// biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern which fixtures a hook needs
afterAll(({}, file) => {
  file.meta.walked = [...walked];
});
