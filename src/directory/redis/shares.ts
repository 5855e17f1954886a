/**
 * The registry lies in 64 shares. All keys of a share have one hash tag, so that in a cluster they lie together, and one script may
 * change them together.
 */
export const SHARES = 64;

export interface ShareKeys {
  /** Hash: name → record. */
  readonly names: string;
  /** Stream: what changed. BOUNDED by `CHANGES_KEPT`. */
  readonly changes: string;
  /** Hash: which registry this is, its clocks, and the latest change. */
  readonly state: string;
}

/** FNV-1a over the name's UTF-16 code units. Whoever picks names for one share fills that one, which costs nobody an answer. */
export function shareOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % SHARES;
}

export function keysOf(share: number): ShareKeys {
  const tag = `murmure:{${share}}`;
  return { names: `${tag}:names`, changes: `${tag}:changes`, state: `${tag}:state` };
}

/** Hash: instance → what the others are to know of it. */
export const INSTANCES_KEY = 'murmure:instances';
/** The key under which every instance signs. */
export const SERVER_KEY_KEY = 'murmure:server-key';

/** On which an instance hears whom to send NatTraversalServer to. */
export const orderChannel = (instance: string): string => `murmure:orders:{${instance}}`;
