/** The commands about messages besides post, timeline and show. */
import type { Command } from 'commander';
import type { SearchOptions } from '../commands/search.ts';
import type { TreeOptions } from '../commands/tree.ts';
import type { WithdrawOptions } from '../commands/withdraw.ts';
import type { Run } from './run.ts';

export function addReadingCommands(program: Command, run: Run): void {
  program
    .command('thread')
    .summary('show a conversation')
    .description(
      'Shows the conversation that a message belongs to, as far as it is stored: what it began with, and all answers, indented.',
    )
    .argument('<hash>', 'of any message in it, or the start of that: 6 to 64 hexadecimal digits')
    .action((hash: string) => run(async (context) => (await import('../commands/thread.ts')).thread(context, hash)));
  program
    .command('search')
    .summary('find words in stored messages')
    .description(
      'Shows stored messages that have all of these words, the newest last. Accents and capitals do not count, and a word may be cut short; "words in quotes" have to follow each other. Works offline.',
    )
    .argument('<query...>', 'what to look for')
    .option('--limit <n>', 'at most so many, the newest (default: 50)')
    .action((words: string[], options: SearchOptions) =>
      run(async (context) => (await import('../commands/search.ts')).search(context, words, options)),
    );
  program
    .command('withdraw')
    .summary('take a message back')
    .description(
      'Takes one of your messages out of your tree. Others drop it when they sync next; what they have read, they have read. At a terminal you are asked whether you mean it.',
    )
    .argument('<hash>', 'its hash, or the start of it: 6 to 64 hexadecimal digits')
    .option('--yes', 'without asking')
    .action((hash: string, options: WithdrawOptions) =>
      run(async (context) => (await import('../commands/withdraw.ts')).withdraw(context, hash, options)),
    );
  program
    .command('watch')
    .summary('print messages as they arrive')
    .description(
      'Prints messages as they arrive, until it is stopped. Beside a running "murmure serve" it only looks on; else it downloads by itself.',
    )
    .argument('[peer...]', 'only messages of these (default: everyone who is not muted)')
    .action((peers: string[]) =>
      run(async (context) => (await import('../commands/watch.ts')).watch(context, peers), { bounded: false }),
    );
  program
    .command('tree')
    .summary("show the shape of a peer's tree")
    .description('Shows the nodes of a stored tree, yours included, each with its depth, its hash, and what it is.')
    .argument('<peer>')
    .option('--depth <n>', 'only so many levels below the root')
    .option('--limit <n>', 'at most so many nodes (default: 1000)')
    .action((peer: string, options: TreeOptions) =>
      run(async (context) => (await import('../commands/tree.ts')).tree(context, peer, options)),
    );
}
