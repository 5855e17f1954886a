/**
 * Names of actions and guards. An action has the name that the machine gave it; one of XState's own without a name is
 * called by what is known of it: whom it spawns, which event it sends.
 */

interface ActionObject {
  readonly type?: string;
  readonly name?: string;
  readonly id?: string;
  readonly sendId?: string;
  readonly src?: unknown;
  readonly event?: unknown;
}

/** What unnamed actions are called, by the names that XState's functions bear. */
const UNNAMED: Readonly<Record<string, string>> = {
  assign: 'assign',
  sendTo: 'send',
  raise: 'raise',
  emit: 'emit',
  spawnChild: 'spawn',
  stopChild: 'stop',
  enqueueActions: 'decide',
};

/** Names in order; equal ones that follow each other are given once. */
export function nameActions(actions: readonly unknown[]): string[] {
  const names = actions.map(nameAction);
  return names.filter((name, i) => name !== names[i - 1]);
}

function nameAction(action: unknown): string {
  if (typeof action === 'string') return action;
  const { type, name, src, event } = action as ActionObject;
  if (typeof action !== 'function') {
    if (type === undefined) throw new Error('an action has no name that a diagram could show');
    return type;
  }
  if (name === undefined || name === '') throw new Error('an action is a function without a name');
  const what = UNNAMED[name];
  if (what === undefined) return name;
  const sent = (event as { type?: unknown } | undefined)?.type;
  const object = typeof src === 'string' ? src : typeof sent === 'string' ? sent : '';
  return `${what} ${object}`.trimEnd();
}

export function nameGuard(guard: unknown): string {
  const name = typeof guard === 'string' ? guard : (guard as { type?: unknown }).type;
  if (typeof name !== 'string') throw new Error('a guard has no name that a diagram could show: name it in setup()');
  return name;
}

/** XState arms and disarms `after` by actions of its own. */
export function isOwnTimer(action: unknown): boolean {
  const { id, sendId } = action as ActionObject;
  return `${id ?? sendId}`.startsWith('xstate.after.');
}
