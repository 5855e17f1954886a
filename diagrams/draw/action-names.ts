/** Names of actions and guards, as the machines' configurations give them. */

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

/**
 * @param actions as a configuration has them: none, one or several
 * @throws Error if an action has no name of its own; `where` says which machine and state to look at
 */
export function namesOfActions(actions: unknown, where: string): string[] {
  return [actions ?? []].flat().map((action: unknown) => {
    const { name, type } = action as { readonly name?: string; readonly type?: string };
    const own = typeof action === 'string' ? action : typeof action === 'function' ? name : type;
    if (own === undefined || KINDS.has(own)) {
      throw new Error(`an action of ${where} has no name (it is ${own || 'a function'}): give it one in setup()`);
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
