/** `murmure tree`: the shape of a stored tree, node by node. */
import { safeLine } from '../../feed/safe-text.ts';
import type { Store } from '../../store/store.ts';
import { type Hash, isEmptyRoot } from '../../wire/hash.ts';
import { decodeNode } from '../../wire/node.ts';
import type { CommandContext } from '../context.ts';
import { UnknownPeerError } from '../errors.ts';
import { openStore } from '../open-home.ts';
import type { Paint } from '../output.ts';
import { shortHash } from '../render/text.ts';
import { requireCount } from '../validate.ts';

export interface TreeOptions {
  readonly depth?: string;
  readonly limit?: string;
}

/** A few nodes can expand to billions (protocol §9): what is printed is bounded, whatever the tree. */
const DEFAULT_LIMIT = 1_000;
const FIRST_LINE = 60;

interface NodeLine {
  readonly depth: number;
  readonly hash: Hash;
  readonly kind: 'internal' | 'message' | 'unknown' | 'malformed' | 'missing';
  /** How many nodes are below it at once; 0 for a leaf. */
  readonly children: number;
  /** Of a message, its first line. */
  readonly text: string | null;
}

export async function tree(context: CommandContext, peer: string, options: TreeOptions): Promise<void> {
  const maxDepth = options.depth === undefined ? Number.POSITIVE_INFINITY : requireCount('--depth', options.depth);
  const limit = options.limit === undefined ? DEFAULT_LIMIT : requireCount('--limit', options.limit);
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const root = peer === name ? store.ownFeed().root : store.currentRoot(peer);
  if (root === undefined) throw new UnknownPeerError(peer);
  if (isEmptyRoot(root)) return context.output.note(`"${peer}" has no messages, so there is no tree.`);

  let printed = 0;
  for (const line of linesOf(store, root, maxDepth)) {
    if (printed === limit) {
      return context.output.note(`There is more: --limit allows for more than ${limit} nodes, --depth for less depth.`);
    }
    printed += 1;
    context.output.data(line, (paint) => render(line, paint));
  }
}

/** Depth first, left to right, as the messages stand in it. */
function* linesOf(store: Store, root: Hash, maxDepth: number): Generator<NodeLine, void, undefined> {
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

function render({ depth, hash, kind, children, text }: NodeLine, paint: Paint): string {
  // A chain may be a million nodes deep: the depth is a number where it would run off the screen.
  const margin = depth <= 20 ? '  '.repeat(depth) : `${'  '.repeat(20)}(${depth}) `;
  const what = kind === 'internal' ? paint('bold', `${children} children`) : (text ?? paint('yellow', kind));
  return `${margin}${paint('dim', shortHash(hash))} ${what}`;
}
