/** A published tree before and after one more message, and what a reader who has the first fetches of the second (protocol §2, §9). */
import { buildTree } from '../../src/merkle/build.ts';
import { childrenOf } from '../../src/merkle/read-node.ts';
import { type Hash, hashOf } from '../../src/wire/hash.ts';
import { encodeMessage } from '../../src/wire/node.ts';
import { titleLabel } from './overviews.ts';
import { type ColorName, color } from './palette.ts';
import type { Arrow, Picture } from './picture.ts';
import { airy, quote, row, span, table } from './text.ts';

const MESSAGES = 70;

interface Tree {
  readonly name: string;
  readonly root: Hash;
  readonly leaves: readonly Hash[];
  readonly children: (hash: Hash) => readonly Hash[];
}

/** Leaves that follow each other and are alike, as one box. */
interface Run {
  readonly first: number;
  readonly last: number;
  readonly isFetched: boolean;
}

export function merkleTreePicture(): Picture {
  const [before, after] = [treeOf('before', MESSAGES), treeOf('after', MESSAGES + 1)];
  const had = new Set(hashesOf(before));
  const fetched = hashesOf(after).filter((hash) => !had.has(hash));
  const trees = [before, after].map((tree) => drawTree(tree, new Set(tree === after ? fetched : [])));
  const title = titleLabel(
    'one more message',
    `A feed of ${MESSAGES} messages before and after the next one. A reader who has the first tree compares hashes from the root down and fetches ${fetched.length} nodes of the second, the orange ones: all other hashes are known, and what is below them cannot differ.`,
  );
  return {
    name: 'merkle-tree',
    structure: [title, ...trees.flatMap(({ structure }) => structure)],
    boxes: new Map(trees.flatMap(({ boxes }) => boxes)),
    arrows: trees.flatMap(({ arrows }) => arrows),
  };
}

function treeOf(name: string, count: number): Tree {
  const leaves = Array.from({ length: count }, (_, i) =>
    hashOf(encodeMessage({ date: i, inReplyTo: null, body: `message ${i + 1}` })),
  );
  const { root, nodes } = buildTree(leaves);
  return {
    name,
    root,
    leaves,
    children: (hash) => (nodes.has(hash) ? (childrenOf(hash, (of) => nodes.get(of)) ?? []) : []),
  };
}

function hashesOf({ root, leaves, children }: Tree): Hash[] {
  const internal = (hash: Hash): Hash[] => (leaves.includes(hash) ? [] : [hash, ...children(hash).flatMap(internal)]);
  return [...internal(root), ...leaves];
}

function drawTree({ name, root, leaves, children }: Tree, fetched: ReadonlySet<Hash>) {
  const boxes: [string, string][] = [];
  const arrows: Arrow[] = [];
  const draw = (hash: Hash, title: string, parent: string | undefined): void => {
    const path = `${name} ${hash}`;
    boxes.push([path, nodeBox([title, shortened(hash)], fetched.has(hash))]);
    if (parent !== undefined) arrows.push({ from: parent, to: path, attributes: 'arrowhead=none' });
    for (const child of children(hash)) if (!leaves.includes(child)) draw(child, 'internal node', path);
    for (const { first, last, isFetched } of runsOf(children(hash))) {
      const only = [`message ${first}`, shortened(leaves[first - 1] as Hash)];
      boxes.push([`${name} ${first}`, nodeBox(first === last ? only : [`messages ${first} to ${last}`], isFetched)]);
      arrows.push({ from: path, to: `${name} ${first}`, attributes: 'arrowhead=none' });
    }
  };
  const runsOf = (hashes: readonly Hash[]): Run[] => {
    const runs: Run[] = [];
    for (const hash of hashes.filter((child) => leaves.includes(child))) {
      const number = leaves.indexOf(hash) + 1;
      const last = runs.at(-1);
      if (last?.isFetched === fetched.has(hash)) runs[runs.length - 1] = { ...last, last: number };
      else runs.push({ first: number, last: number, isFetched: fetched.has(hash) });
    }
    return runs;
  };
  draw(root, 'root', undefined);
  const label = span(`${name}: ${leaves.length} messages`, { color: 'ink', bold: true, size: 15 });
  const frame = `color="${color('groupLine')}", penwidth=1.2, style=rounded, margin=16`;
  const structure = [
    `subgraph ${quote(`cluster ${name}`)} {`,
    `graph [label=<${label}>, labeljust=l, ${frame}]`,
    ...boxes.map(([path]) => quote(path)),
    '}',
  ];
  return { structure, boxes, arrows };
}

/** The first digits of a hash, which is what a person compares. */
function shortened(hash: Hash): string {
  return `${hash.slice(0, 8)}…`;
}

function nodeBox([title = '', ...lines]: readonly string[], isFetched: boolean): string {
  const [fill, line]: [ColorName, ColorName] = isFetched ? ['fetched', 'fetchedLine'] : ['box', 'boxLine'];
  const rows = [
    row(span(title, { color: 'ink', bold: true }), { align: 'CENTER' }),
    ...lines.map((text) => row(span(text, { color: 'muted' }), { align: 'CENTER' })),
  ];
  return table(
    airy(rows),
    `BORDER="1" STYLE="ROUNDED" COLOR="${color(line)}" BGCOLOR="${color(fill)}" CELLPADDING="1"`,
  );
}
