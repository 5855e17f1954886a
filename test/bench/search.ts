/** Adopts 10,000 messages that came at once, then adopts and searches 100,000; prints, as JSON, what that took. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillStore } from './filled-store.ts';

export interface SearchFigures {
  readonly adoptMs: number;
  /** The longest single call of adopting 10,000, and 100,000. */
  readonly longestCallMs: readonly [number, number];
  /** A search before any of them is indexed. */
  readonly firstMs: number;
  /** The slowest of several searches after it, each at its best of three. */
  readonly slowestMs: number;
}

const QUERIES = ['message', 'm', 'bread 77', 'number 5', '"message about birds"', 'nothing', '99999', 'me ab wi'];

const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
const few = fillStore(join(folder, 'few.db'), 'alice', 10_000);
few.store.close();
{
  const { store, adoptMs, longestCallMs } = fillStore(join(folder, 'store.db'), 'alice');
  using _ = store;
  const search = (text: string) => {
    const startMs = performance.now();
    store.search({ text });
    return performance.now() - startMs;
  };
  const firstMs = search('bread');
  const slowestMs = Math.max(...QUERIES.map((text) => Math.min(search(text), search(text), search(text))));
  const figures: SearchFigures = {
    adoptMs,
    longestCallMs: [few.longestCallMs, longestCallMs],
    firstMs,
    slowestMs,
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
rmSync(folder, { recursive: true });
