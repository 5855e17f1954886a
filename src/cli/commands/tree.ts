/** `murmure tree`: the shape of a stored tree, node by node. */
import type { Command } from 'commander';
import { isEmptyRoot } from '../../wire/hash.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { requireNoList } from '../input/peer-lists.ts';
import { unknownPeer } from '../input/peer-names.ts';
import { requireCount, requireValidName } from '../input/validate.ts';
import { renderTreeLine, treeLines } from '../render/tree.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('tree')
    .summary("show the shape of a peer's tree")
    .description('Shows the nodes of a stored tree, or of your own: the depth, hash and content of each.')
    .argument('<peer>', 'whose tree')
    .option('--depth <n>', 'go only this many levels below the root')
    .option('--limit <n>', 'show at most this many nodes (default: 1000)')
    .addHelpText('after', examples('tree alice --depth 2'))
    .action((peer: string, options: TreeOptions) => run((context) => tree(context, peer, options)));
}

export interface TreeOptions {
  readonly depth?: string;
  readonly limit?: string;
}

/** A few nodes can expand to billions (protocol §9): what is printed is bounded, whatever the tree. */
const DEFAULT_LIMIT = 1_000;

export async function tree(context: CommandContext, peer: string, options: TreeOptions): Promise<void> {
  requireValidName(peer);
  const maxDepth = options.depth === undefined ? Number.POSITIVE_INFINITY : requireCount('--depth', options.depth);
  const limit = options.limit === undefined ? DEFAULT_LIMIT : requireCount('--limit', options.limit);
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  requireNoList(store, peer);
  const root = peer === name ? store.ownFeed().root : store.currentRoot(peer);
  if (root === undefined) throw unknownPeer(store, peer);
  if (isEmptyRoot(root)) return context.output.note(`"${peer}" has no messages, and so no tree.`);

  let printed = 0;
  for (const line of treeLines(store, root, maxDepth)) {
    if (printed === limit) {
      return context.output.note(
        `There are more nodes: show more than ${limit} with --limit, or fewer levels with --depth.`,
      );
    }
    printed += 1;
    context.output.data(line, (paint) => renderTreeLine(line, paint));
  }
}
