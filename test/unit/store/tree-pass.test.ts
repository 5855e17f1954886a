/** The pass through a tree, beside the leaves that are listed and counted in memory. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { countLeaves, leavesOf } from '../../../src/merkle/leaves.ts';
import { seededRandom } from '../../../src/simulation/seeded-random.ts';
import { migrate } from '../../../src/store/migrations.ts';
import { openDatabase } from '../../../src/store/open-database.ts';
import { SqliteConnection } from '../../../src/store/sqlite-connection.ts';
import { SqliteNodes } from '../../../src/store/sqlite-nodes.ts';
import type { StoredNode } from '../../../src/store/store.ts';
import { TreePass } from '../../../src/store/tree-pass.ts';
import type { Hash } from '../../../src/wire/hash.ts';
import { messageNode, parentOf } from './support-trees.ts';

/** From the root down. Each internal node has up to three leaves on either side of the next one, and now and then another that is below, too. */
function deepTree(seed: number, depth: number): { readonly root: Hash; readonly nodes: readonly StoredNode[] } {
  const random = seededRandom(seed).fork('deep tree');
  const below = (count: number) => Math.floor(random.fraction() * count);
  const leaves = Array.from({ length: 50 }, (_, i) => messageNode(`leaf ${i}`));
  const some = () => Array.from({ length: below(4) }, () => leaves[below(leaves.length)]?.hash ?? '');
  const internal: StoredNode[] = [parentOf(...leaves.slice(0, 2).map(({ hash }) => hash))];
  while (internal.length < depth) {
    const next = internal.at(-1)?.hash ?? '';
    // Few of them: leaves are counted, and listed, wherever they stand.
    const again = below(100) === 0 ? [internal[Math.max(0, internal.length - 3)]?.hash ?? ''] : [];
    const children = [...some(), next, ...again, ...some()];
    internal.push(parentOf(...(children.length > 1 ? children : [next, leaves[0]?.hash ?? ''])));
  }
  return { root: internal.at(-1)?.hash ?? '', nodes: [...internal.toReversed(), ...leaves] };
}

function emptyNodes(): SqliteNodes {
  const db = openDatabase(':memory:', 0);
  migrate(db, ':memory:');
  return new SqliteNodes(new SqliteConnection(db, ':memory:'));
}

test.each([1, 2, 3, 4])(
  'counts and hands on every leaf of a deep tree once, in order, however late its nodes come (seed %i)',
  (seed) => {
    const { root, nodes } = deepTree(seed, 700);
    const values = new Map(nodes.map(({ hash, value }) => [hash, value]));
    const all = new Set(leavesOf(root, (hash) => values.get(hash), { limit: 100_000 }));
    const { leaves } = countLeaves(root, (hash) => values.get(hash), new Map()) as { leaves: number };

    const stored = emptyNodes();
    const handedOn = new Set<Hash>();
    const onLeaves = (some: readonly { hash: Hash }[]) => {
      for (const { hash } of some) handedOn.add(hash);
    };
    const quota = Number.MAX_SAFE_INTEGER;
    const pass = new TreePass(stored, root, { onLeaves, entersWhole: true, quota });
    const waiting = new Set(nodes);
    for (;;) {
      const state = pass.advance(50);
      if (state.status === 'done') {
        expect(state.leaves).toBe(leaves);
        break;
      }
      if (state.status !== 'missing') continue;
      const missing = nodes.filter((node) => node.hash === state.missing && waiting.delete(node));
      expect(missing).toHaveLength(1);
      stored.insert(missing);
    }
    expect([...handedOn]).toEqual([...all]);
    expect(stored.internal(root)?.leaves).toBe(leaves);
  },
);

test('a pass through a chain of 100,000 nodes, and the hashes that a walk has met, do with a heap of 24 MB', async () => {
  const script = `
import { hasHash, withHashes } from './src/merkle/hash-set.ts';
import { migrate } from './src/store/migrations.ts';
import { openDatabase } from './src/store/open-database.ts';
import { SqliteConnection } from './src/store/sqlite-connection.ts';
import { SqliteNodes } from './src/store/sqlite-nodes.ts';
import { TreePass } from './src/store/tree-pass.ts';
import { messageNode, parentOf } from './test/unit/store/support-trees.ts';

const db = openDatabase(':memory:', 0);
migrate(db, ':memory:');
const nodes = new SqliteNodes(new SqliteConnection(db, ':memory:'));
let root = messageNode('0').hash;
let met;
nodes.insert([messageNode('0')]);
for (let i = 1; i < 100_000; ) {
  const some = [];
  for (; some.length < 1_000; i += 2) {
    const leaf = messageNode(String(i));
    const node = parentOf(root, leaf.hash);
    met = withHashes(met, [root, leaf.hash]);
    root = node.hash;
    some.push(node, leaf);
  }
  nodes.insert(some);
}
const pass = new TreePass(nodes, root, { onLeaves() {}, entersWhole: true, quota: 1_000_000 });
for (const aim = 50_001; ; ) {
  const state = pass.advance(1_000);
  if (state.status === 'underway') continue;
  if (state.leaves !== aim || !hasHash(met, messageNode('0').hash)) throw new Error(JSON.stringify(state));
  break;
}
`;
  const argv = ['--max-old-space-size=24', '--max-semi-space-size=1', '--input-type=module-typescript', '-e', script];
  const { stderr } = await promisify(execFile)(process.execPath, argv);
  expect(stderr).toBe('');
});
