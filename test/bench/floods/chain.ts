/** A tree as deep as it has internal nodes: each has one message, or always the same one, beside the next internal node. */
import { type Hash, hashOf } from '../../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../../src/wire/node.ts';

export const CHAINS = ['leaning to the left', 'leaning to the right', 'with one message only'] as const;
export type Chain = (typeof CHAINS)[number];

export interface DeepTree {
  readonly root: Hash;
  readonly nodes: ReadonlyMap<Hash, Uint8Array>;
}

export function chainOf(chain: Chain, count: number): DeepTree {
  const nodes = new Map<Hash, Uint8Array>();
  const keep = (value: Uint8Array) => {
    const hash = hashOf(value);
    nodes.set(hash, value);
    return hash;
  };
  const message = (date: number) => keep(encodeMessage({ date, inReplyTo: null, body: `message ${date}` }));
  let root = message(0);
  for (let date = 1; nodes.size < count; date++) {
    const leaf = message(chain === 'with one message only' ? 0 : date);
    root = keep(encodeInternal(chain === 'leaning to the right' ? [leaf, root] : [root, leaf]));
  }
  return { root, nodes };
}
