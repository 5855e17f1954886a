/** Names of actions and guards, as the machines give them (`machines/named.ts`). */

/** What functions are called that XState makes: they tell of what kind an action is, not what it does. */
const KINDS = new Set([
  '',
  'assign',
  'cancel',
  'emit',
  'enqueueActions',
  'log',
  'raise',
  'sendTo',
  'spawnChild',
  'stopChild',
]);

/** @throws Error if an action has no name of its own; `where` says which machine and state to look at */
export function namesOfActions(actions: readonly unknown[], where: string): string[] {
  return actions.map((action) => {
    const { name, type } = action as { readonly name?: string; readonly type?: string };
    const own = typeof action === 'string' ? action : typeof action === 'function' ? name : type;
    if (own === undefined || KINDS.has(own)) {
      throw new Error(`an action of ${where} has no name (it is ${own || 'a function'}): list it in nameActions()`);
    }
    return own;
  });
}

/** @throws Error as above */
export function nameOfGuard(guard: unknown, where: string): string {
  const name = typeof guard === 'string' ? guard : (guard as { readonly type?: unknown }).type;
  if (typeof name !== 'string') throw new Error(`a guard of ${where} has no name: give it one in setup()`);
  return name;
}

/** XState arms and disarms `after` by actions of its own. */
export function isOwnTimer(action: unknown): boolean {
  const { id, sendId } = action as { readonly id?: string; readonly sendId?: string };
  return `${id ?? sendId}`.startsWith('xstate.after.');
}
