/** Gives actions the names that diagrams and traces show: XState's own know only of what kind they are. */
export function nameActions(actions: Readonly<Record<string, object>>): void {
  for (const [name, action] of Object.entries(actions)) Object.defineProperty(action, 'name', { value: name });
}
