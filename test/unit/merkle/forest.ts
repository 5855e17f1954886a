/** Trees for tests: nodes by hash, and a `read` that counts. */

import { type Hash, hashOf } from '../../../src/wire/hash.ts';
import { encodeInternal, encodeMessage } from '../../../src/wire/node.ts';

export class Forest {
  readonly nodes = new Map<Hash, Uint8Array>();
  reads = 0;

  readonly read = (hash: Hash): Uint8Array | undefined => {
    this.reads += 1;
    return this.nodes.get(hash);
  };

  /** Any bytes as a node. */
  add(value: Uint8Array): Hash {
    const hash = hashOf(value);
    this.nodes.set(hash, value);
    return hash;
  }

  /** Leaf `index` of vectors/trees.json. */
  leaf(index: number): Hash {
    return this.add(encodeMessage({ date: 1000 + index, inReplyTo: null, body: `message ${index}` }));
  }

  /** Leaves 0 to `count` - 1. */
  leaves(count: number): Hash[] {
    return Array.from({ length: count }, (_, index) => this.leaf(index));
  }

  internal(...children: Hash[]): Hash {
    return this.add(encodeInternal(children));
  }

  addAll(nodes: Iterable<readonly [Hash, Uint8Array]>): void {
    for (const [hash, value] of nodes) this.nodes.set(hash, value);
  }

  /** How many reads `action` takes, with its result. */
  counting<T>(action: () => T): { result: T; reads: number } {
    const before = this.reads;
    const result = action();
    return { result, reads: this.reads - before };
  }
}
