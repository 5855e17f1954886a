/** `murmure search`: stored messages with given words in them. */
import type { Command } from 'commander';
import { parseSearch } from '../../store/search-words.ts';
import type { SearchQuery, Store, StoredMessage } from '../../store/store.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { requireCount } from '../input/validate.ts';
import { printMessages } from '../messages/print-messages.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('search')
    .summary('find words in stored messages')
    .description(
      'Shows stored messages that contain all of these words, newest last. It ignores accents and case, and the start of a word is enough; "words in quotes" must follow each other. Works offline.',
    )
    .argument('<query...>', 'what to look for')
    .option('--limit <n>', 'show at most this many, the newest (default: 50)')
    .addHelpText('after', examples('search bread', `search '"night train"' --limit 5`))
    .action((words: string[], options: SearchOptions) => run((context) => search(context, words, options)));
}

interface SearchOptions {
  readonly limit?: string;
}

export async function search(context: CommandContext, words: readonly string[], options: SearchOptions): Promise<void> {
  const text = words.join(' ');
  const limit = options.limit === undefined ? {} : { limit: requireCount('--limit', options.limit) };
  if (parseSearch(text).length === 0) throw new UsageError(`there is no word in "${text}" to search for`);
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const found = findWords(context, store, { text, ...limit });
  printMessages(context, { name, store }, found);
  if (found.length === 0) context.output.note(`No stored message contains "${text}".`);
}

/** After a large download, the words of what has come are taken note of first. */
function findWords({ output }: CommandContext, store: Store, query: SearchQuery): StoredMessage[] {
  using progress = output.progress();
  return store.search({
    ...query,
    onIndexed: (share) => progress.tell('taking note of the words in new messages', share),
  });
}
