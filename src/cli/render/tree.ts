/** The shape of a stored tree: a line for each node. */
import { safeLine } from '../../feed/safe-text.ts';
import type { Store } from '../../store/store.ts';
import type { Hash } from '../../wire/hash.ts';
import { decodeNode } from '../../wire/node.ts';
import type { Paint } from '../output/output.ts';
import { shortHash } from './text.ts';

const FIRST_LINE = 60;

export interface NodeLine {
  readonly depth: number;
  readonly hash: Hash;
  readonly kind: 'internal' | 'message' | 'unknown' | 'malformed' | 'missing';
  /** How many nodes are below it at once; 0 for a leaf. */
  readonly children: number;
  /** Of a message, its first line. */
  readonly text: string | null;
}

/** Depth first, left to right, as the messages stand in it. */
export function* treeLines(
  store: Pick<Store, 'getNode'>,
  root: Hash,
  maxDepth: number,
): Generator<NodeLine, void, undefined> {
  const open: { hash: Hash; depth: number }[] = [{ hash: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { hash, depth } = next;
    const value = store.getNode(hash);
    const node = value === undefined ? undefined : decodeNode(value);
    if (!node?.ok) {
      yield { depth, hash, kind: node === undefined ? 'missing' : 'malformed', children: 0, text: null };
      continue;
    }
    const children = node.value.kind === 'internal' ? node.value.children : [];
    const text = node.value.kind === 'message' ? firstLine(node.value.body) : null;
    yield { depth, hash, kind: node.value.kind, children: children.length, text };
    if (depth < maxDepth) for (const child of children.toReversed()) open.push({ hash: child, depth: depth + 1 });
  }
}

function firstLine(body: string): string {
  return safeLine(body.trimStart().split(/\r?\n/, 1)[0] ?? '', FIRST_LINE);
}

export function renderTreeLine({ depth, hash, kind, children, text }: NodeLine, paint: Paint): string {
  // A chain may be a million nodes deep: the depth is a number where it would run off the screen.
  const margin = depth <= 20 ? '  '.repeat(depth) : `${'  '.repeat(20)}(${depth}) `;
  const what = kind === 'internal' ? paint('bold', `${children} children`) : (text ?? paint('yellow', kind));
  return `${margin}${paint('dim', shortHash(hash))} ${what}`;
}
