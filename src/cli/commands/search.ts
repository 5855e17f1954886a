/** `murmure search`: stored messages with given words in them. */
import { parseSearch } from '../../store/search-words.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';
import { openStore } from '../home/open-home.ts';
import { requireCount } from '../input/validate.ts';
import { printMessages } from '../messages/print-messages.ts';

export interface SearchOptions {
  readonly limit?: string;
}

export async function search(context: CommandContext, words: readonly string[], options: SearchOptions): Promise<void> {
  const text = words.join(' ');
  const limit = options.limit === undefined ? {} : { limit: requireCount('--limit', options.limit) };
  if (parseSearch(text).length === 0) throw new UsageError(`there is no word in "${text}" to look for: give one`);
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const found = store.search({ text, ...limit });
  printMessages(context, { name, store }, found);
  if (found.length === 0) context.output.note(`No stored message has "${text}".`);
}
