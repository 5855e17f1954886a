/** `murmure show`: one stored message. */
import type { Command } from 'commander';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { findMessage, HASH_ARGUMENT } from '../messages/message-hash.ts';
import { markSeen, messagePrinter } from '../messages/print-messages.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('show')
    .summary('show one message')
    .description('Shows one stored message.')
    .argument('<hash>', HASH_ARGUMENT)
    .addHelpText('after', examples('show 3f9a2c'))
    .action((hash: string) => run((context) => show(context, hash)));
}

export async function show(context: CommandContext, text: string): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const found = findMessage(store, text);
  messagePrinter(context, { name, store })(found, { wholeHashes: true });
  markSeen(context, store, [found]);
}
