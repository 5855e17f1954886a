/** `murmure thread`: the conversation that a message belongs to. */
import type { Command } from 'commander';
import { startOfConversation, turnsFrom } from '../../feed/conversation.ts';
import type { StoredMessage } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { findMessage, HASH_ARGUMENT } from '../messages/message-hash.ts';
import { markSeen, messagePrinter } from '../messages/print-messages.ts';
import type { Paint } from '../output/output.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('thread')
    .summary('show a conversation')
    .description(
      'Shows the stored part of the conversation that a message belongs to: its first message, and all replies, indented.',
    )
    .argument('<hash>', HASH_ARGUMENT)
    .addHelpText('after', examples('thread 3f9a2c'))
    .action((hash: string) => run((context) => thread(context, hash)));
}

const INDENT = '  ';
/** Deeper than this, there would be no room left for the text. */
const MAX_INDENTS = 12;

export async function thread(context: CommandContext, text: string): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const asked = findMessage(store, text);
  const print = messagePrinter(context, { name, store });
  const shown: StoredMessage[] = [];
  for (const { message, depth } of turnsFrom(store, startOfConversation(store, asked))) {
    shown.push(message);
    const margin = INDENT.repeat(Math.min(depth, MAX_INDENTS));
    const decorate = (text: string, paint: Paint) =>
      indent(message.hash === asked.hash ? paint('cyan', '→ ') + text : text, margin);
    print(message, { fields: { depth }, decorate });
  }
  markSeen(context, store, shown);
}

function indent(text: string, margin: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : margin + line))
    .join('\n');
}
