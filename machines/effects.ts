/** How machines name what they need done outside: an action that whoever runs the machine provides. */

/** An effect: an action without an implementation of its own. Running it unprovided is a programming error. */
export function effect<P>(name: string): (_args: unknown, _params: P) => void {
  return () => {
    throw new Error(`effect "${name}" is not provided: run this machine through .provide({ actions: { ${name} } })`);
  };
}

/** What a machine does itself is made by XState (`assign`, `sendTo`, …), which says of what kind it is; a plain function is an effect. */
export function isEffect(action: unknown): boolean {
  return typeof action === 'function' && !('type' in action);
}

/** Randomness, provided: ids come from a CSPRNG in a real peer, from a seed in tests and replays. */
export interface Random {
  /** 0 … 2^32 - 1 */
  uint32(): number;
  /** 0 ≤ x < 1 */
  fraction(): number;
}
