/** Adopts and searches 100,000 messages that came at once; prints, as JSON, what that took. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/index.ts';
import { buildTree } from '../../src/merkle/build.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeMessage } from '../../src/wire/node.ts';

export interface SearchFigures {
  /** Making the fetched messages a feed's current ones: one call, in which nothing else is done. */
  readonly adoptMs: number;
  /** A search before any of them is indexed. */
  readonly firstMs: number;
  /** The slowest of several searches after it, each at its best of three. */
  readonly slowestMs: number;
}

const MESSAGES = 100_000;
const QUERIES = ['message', 'm', 'bread 77', 'number 5', '"message about birds"', 'nothing', '99999', 'me ab wi'];
const topics = ['weather', 'music', 'bread', 'trains', 'birds'];

const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
{
  using store = openSqliteStore(join(folder, 'store.db'));
  const leaves = Array.from({ length: MESSAGES }, (_, i) => {
    const body = `a message about ${topics[i % 5]}, number ${i}, with some more words: ${i % 97} ${i % 89}`;
    const value = encodeMessage({ date: i, inReplyTo: null, body });
    return { hash: hashOf(value), value };
  });
  const { root, nodes } = buildTree(leaves.map(({ hash }) => hash));
  const nowMs = Date.now();
  store.beginWalk('alice', root, nowMs);
  store.putNodes([...leaves, ...nodes.entries().map(([hash, value]) => ({ hash, value }))]);
  const adoptMs = msOf(() => store.adopt({ feed: 'alice', root, nowMs, authenticated: true, quota: MESSAGES }));
  const firstMs = msOf(() => store.search({ text: 'bread' }));
  const search = (text: string) => msOf(() => store.search({ text }));
  const slowestMs = Math.max(...QUERIES.map((text) => Math.min(search(text), search(text), search(text))));
  const figures: SearchFigures = { adoptMs, firstMs, slowestMs };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
rmSync(folder, { recursive: true });

function msOf(work: () => void): number {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}
