/** Names of actions and guards, as the machines' configurations give them. */

/**
 * @param actions as a configuration has them: none, one or several
 * @throws Error if an action has no name; `where` says which machine and state to look at
 */
export function namesOfActions(actions: unknown, where: string): string[] {
  return [actions ?? []].flat().map((action: unknown) => nameOf(action, `an action of ${where}`));
}

/** @throws Error as above */
export function nameOfGuard(guard: unknown, where: string): string {
  return nameOf(guard, `a guard of ${where}`);
}

function nameOf(named: unknown, what: string): string {
  const name = typeof named === 'object' && named !== null && 'type' in named ? named.type : named;
  if (typeof name !== 'string') throw new Error(`${what} has no name: give it one in setup()`);
  return name;
}
