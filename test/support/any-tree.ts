/** Trees of any legal shape (protocol §2), and the proof that one downloads to exactly its leaves. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Weather } from '../../src/simulation/virtual-network.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { encodeInternal, encodeMessage, MAX_CHILDREN } from '../../src/wire/node.ts';
import { Publisher } from './publisher.ts';
import { bodiesOf } from './scenarios.ts';
import { World } from './world.ts';

/** Leaves, then nodes over any of what came before: repeats, shared subtrees, chains, wide nodes, leaves of unknown kinds. */
export const anyTree = fc.record({
  messages: fc.integer({ min: 0, max: 40 }),
  others: fc.integer({ min: 1, max: 3 }),
  nodes: fc.array(fc.array(fc.nat(), { minLength: 2, maxLength: MAX_CHILDREN }), { maxLength: 20 }),
  recent: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1_000_000 }),
});

export type TreePlan = typeof anyTree extends fc.Arbitrary<infer T> ? T : never;

interface Grown {
  /** The root is the last one. */
  readonly nodes: readonly Uint8Array[];
  /** Bodies of the messages that the root reaches. */
  readonly bodies: readonly string[];
}

function grow({ messages, others, nodes, recent }: TreePlan): Grown {
  const bodies = new Map<Hash, string>();
  const children = new Map<Hash, readonly Hash[]>();
  const all: Uint8Array[] = [];
  for (let i = 0; i < messages; i++) {
    const node = encodeMessage({ date: i, inReplyTo: null, body: `message ${i}` });
    bodies.set(hashOf(node), `message ${i}`);
    all.push(node);
  }
  for (let i = 0; i < others; i++) all.push(Uint8Array.of(99, i));
  for (const picks of nodes) {
    const from = recent ? Math.max(0, all.length - 5) : 0;
    const below = picks.map((pick) => hashOf(all[from + (pick % (all.length - from))] as Uint8Array));
    const node = encodeInternal(below);
    children.set(hashOf(node), below);
    all.push(node);
  }
  const reached = new Set<Hash>();
  const open = [hashOf(all.at(-1) as Uint8Array)];
  for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
    if (reached.has(hash)) continue;
    reached.add(hash);
    open.push(...(children.get(hash) ?? []));
  }
  return { nodes: all, bodies: [...bodies].filter(([hash]) => reached.has(hash)).map(([, body]) => body) };
}

export async function downloadsToItsLeaves(plan: TreePlan, weather?: Weather): Promise<void> {
  const { nodes, bodies } = grow(plan);
  const world = new World(plan.seed, weather);
  await world.startDirectory();
  const reader = await world.addPeer('reader');
  const publisher = await Publisher.join(world, 'publisher', nodes.slice(0, -1), nodes.at(-1) as Uint8Array);
  const report = await world.settle(reader.peer.sync('publisher'));
  expect(report.error).toBeUndefined();
  expect(report.newMessages).toBe(bodies.length);
  expect(bodiesOf(reader, 'publisher').sort()).toEqual([...bodies].sort());
  // Each node is asked for once: what comes again is known by its hash.
  if (weather === undefined) expect(publisher.asked).toHaveLength(new Set(publisher.asked).size);
  await world.close();
}
