/** Adopts and searches 100,000 messages that came at once; prints, as JSON, what that took. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillStore } from './filled-store.ts';

export interface SearchFigures {
  readonly adoptMs: number;
  /** A search before any of them is indexed. */
  readonly firstMs: number;
  /** The slowest of several searches after it, each at its best of three. */
  readonly slowestMs: number;
}

const QUERIES = ['message', 'm', 'bread 77', 'number 5', '"message about birds"', 'nothing', '99999', 'me ab wi'];

const folder = mkdtempSync(join(tmpdir(), 'murmure-bench-'));
{
  const { store, adoptMs } = fillStore(join(folder, 'store.db'), 'alice');
  using _ = store;
  const search = (text: string) => {
    const startMs = performance.now();
    store.search({ text });
    return performance.now() - startMs;
  };
  const firstMs = search('bread');
  const slowestMs = Math.max(...QUERIES.map((text) => Math.min(search(text), search(text), search(text))));
  const figures: SearchFigures = { adoptMs, firstMs, slowestMs };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
}
rmSync(folder, { recursive: true });
