/**
 * `node test/bench/store.ts SIZE`: what the store costs for each node of a feed of so many messages that is downloaded for the first time,
 * as a walk does it: children are looked up, batches are put, the tree is adopted. Prints, as JSON, microseconds of the processor's time,
 * and how often a node of 300 bytes is hashed in as long a time: the ratio travels better from machine to machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/index.ts';
import { buildTree } from '../../src/merkle/build.ts';
import type { AdoptionStep, StoredNode } from '../../src/store/store.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { decodeNode, encodeMessage } from '../../src/wire/node.ts';

export interface StoreFigures {
  readonly messages: number;
  readonly microsecondsPerNode: number;
  /** The same as a number of hashes. */
  readonly hashesPerNode: number;
  /** Looking up, putting, and adopting after the last node: their shares, in microseconds. */
  readonly shares: { readonly lookUp: number; readonly put: number; readonly adopt: number };
  /** The longest single call, wall time, in each of which nothing else is done. */
  readonly longestCallMs: { readonly lookUp: number; readonly put: number; readonly adopt: number };
  /** The first search after the last node, wall time. */
  readonly firstSearchMs: number;
  /** One more message: looked up, put and adopted; the processor's time. */
  readonly oneMoreMs: number;
}

/** As src/peer/node-buffer.ts gathers them. */
const BATCH = 512;
const NOW_MS = Date.UTC(2026, 0, 1);

const VOCABULARY = Array.from({ length: 20_000 }, (_, i) => ((i * 2_654_435_761) % 2 ** 32).toString(36));
let seed = 1;
function word(): string {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  // Few words are common, most are rare.
  return VOCABULARY[Math.floor((seed / 2 ** 32) ** 3 * VOCABULARY.length)] ?? '';
}

function leaf(i: number): StoredNode {
  let body = `${i}`;
  while (body.length < 200) body += ` ${word()}`;
  const value = encodeMessage({ date: i, inReplyTo: null, body });
  return { hash: hashOf(value), value };
}

function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Of processor time. */
function hashMicroseconds(): number {
  const node = new Uint8Array(300);
  const hashes = 200_000;
  for (let i = 0; i < hashes; i++) hashOf(node);
  const start = cpuMicroseconds();
  for (let i = 0; i < hashes; i++) hashOf(node);
  return (cpuMicroseconds() - start) / hashes;
}

class Meter {
  cpu = 0;
  longestMs = 0;

  measure<T>(work: () => T): T {
    const [cpu, startMs] = [cpuMicroseconds(), performance.now()];
    const result = work();
    this.cpu += cpuMicroseconds() - cpu;
    this.longestMs = Math.max(this.longestMs, performance.now() - startMs);
    return result;
  }
}

const size = Number(process.argv[2] ?? 10_000);
const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
const reference = hashMicroseconds();
{
  using store = openSqliteStore(join(folder, 'store.db'));
  const leaves = new Map<Hash, Uint8Array>();
  for (let i = 0; i < size + 1; i++) {
    const { hash, value } = leaf(i);
    leaves.set(hash, value);
  }
  const hashes = [...leaves.keys()];
  const meters = { lookUp: new Meter(), put: new Meter(), adopt: new Meter() };
  let put = 0;

  /** Fetches a tree depth first, what is known is not gone into; the loop has its turn after each batch, as in a download. */
  async function download(count: number): Promise<void> {
    const { root, nodes } = buildTree(hashes.slice(0, count));
    const terms = { authenticated: true, quota: 2_000_000 };
    store.beginWalk('alice', root, NOW_MS, terms);
    let batch: StoredNode[] = [];
    const flush = async () => {
      const nodes = batch;
      batch = [];
      put += nodes.length;
      meters.put.measure(() => store.putNodes(nodes));
      await new Promise((resolve) => setImmediate(resolve));
    };
    const open = [root];
    const statusOf = (hashes: Hash[]) => meters.lookUp.measure(() => store.statusOf(hashes));
    for (let hash = open.pop(); hash !== undefined; hash = open.pop()) {
      const value = nodes.get(hash) ?? leaves.get(hash) ?? new Uint8Array();
      batch.push({ hash, value });
      if (batch.length === BATCH) await flush();
      const node = decodeNode(value);
      if (!node.ok || node.value.kind !== 'internal') continue;
      const children = [...new Set(node.value.children)];
      const statuses = statusOf(children);
      open.push(...children.filter((_, at) => statuses[at] !== 'complete').toReversed());
    }
    await flush();
    const input = { feed: 'alice', root, nowMs: NOW_MS, ...terms };
    let adoption: AdoptionStep;
    do adoption = meters.adopt.measure(() => store.adopt(input));
    while (adoption.status === 'underway');
    if (adoption.status !== 'adopted' || adoption.totalMessages !== count) throw new Error(JSON.stringify(adoption));
    store.endWalk('alice');
  }

  await download(size);
  const nodes = put;
  const shares = {
    lookUp: meters.lookUp.cpu / nodes,
    put: meters.put.cpu / nodes,
    adopt: meters.adopt.cpu / nodes,
  };
  const longestCallMs = {
    lookUp: meters.lookUp.longestMs,
    put: meters.put.longestMs,
    adopt: meters.adopt.longestMs,
  };
  const search = performance.now();
  store.search({ text: word() });
  const firstSearchMs = performance.now() - search;
  const spent = () => Object.values(meters).reduce((sum, { cpu }) => sum + cpu, 0);
  const before = spent();
  await download(size + 1);
  const oneMoreMs = (spent() - before) / 1000;
  const microsecondsPerNode = shares.lookUp + shares.put + shares.adopt;
  const figures: StoreFigures = {
    messages: size,
    microsecondsPerNode,
    hashesPerNode: microsecondsPerNode / reference,
    shares,
    longestCallMs,
    firstSearchMs,
    oneMoreMs,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
rmSync(folder, { recursive: true });
