/** Searches a store of 100,000 messages; prints the slowest of several queries, ms, each at its best of three. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '../../src/index.ts';
import { buildTree } from '../../src/merkle/build.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeMessage } from '../../src/wire/node.ts';

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
  store.adopt({ feed: 'alice', root, nowMs, authenticated: true, quota: MESSAGES });
  const slowest = QUERIES.map((text) => {
    const runs = [1, 2, 3].map(() => {
      const startMs = performance.now();
      store.search({ text });
      return performance.now() - startMs;
    });
    return Math.min(...runs);
  });
  process.stdout.write(`${Math.max(...slowest)}\n`);
}
rmSync(folder, { recursive: true });
