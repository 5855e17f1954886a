/** A store on disk that has downloaded very many messages of one peer. */
import { openSqliteStore } from '../../src/index.ts';
import { buildTree } from '../../src/merkle/build.ts';
import { hashOf } from '../../src/wire/hash.ts';
import { encodeMessage } from '../../src/wire/node.ts';

export const MESSAGES = 100_000;

const topics = ['weather', 'music', 'bread', 'trains', 'birds'];

export interface FilledStore {
  readonly store: ReturnType<typeof openSqliteStore>;
  /** Making the fetched messages a feed's current ones: all of it, and the longest of its calls, in each of which nothing else is done. */
  readonly adoptMs: number;
  readonly longestCallMs: number;
}

export function fillStore(path: string, author: string, messages = MESSAGES): FilledStore {
  const store = openSqliteStore(path);
  const leaves = Array.from({ length: messages }, (_, i) => {
    const body = `a message about ${topics[i % 5]}, number ${i}, with some more words: ${i % 97} ${i % 89}`;
    const value = encodeMessage({ date: i, inReplyTo: null, body });
    return { hash: hashOf(value), value };
  });
  const { root, nodes } = buildTree(leaves.map(({ hash }) => hash));
  const nowMs = Date.now();
  store.beginWalk(author, root, nowMs);
  store.putNodes([...leaves, ...nodes.entries().map(([hash, value]) => ({ hash, value }))]);
  const input = { feed: author, root, nowMs, authenticated: true, quota: messages };
  const callsMs: number[] = [];
  let status: string;
  do {
    const startMs = performance.now();
    ({ status } = store.adopt(input));
    callsMs.push(performance.now() - startMs);
  } while (status === 'underway');
  return { store, adoptMs: callsMs.reduce((sum, ms) => sum + ms), longestCallMs: Math.max(...callsMs) };
}
