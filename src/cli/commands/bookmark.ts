/** `murmure bookmark` and `bookmarks`: messages to be found again. Nobody else learns of them. */
import type { Command } from 'commander';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { openStore } from '../home/open-home.ts';
import { changeMark } from '../messages/change-mark.ts';
import { findMessage, HASH_ARGUMENT, resolveHash } from '../messages/message-hash.ts';
import { printMessages } from '../messages/print-messages.ts';
import { counted, shortHash } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('bookmark')
    .summary('remember messages')
    .description('Remembers messages, so that "murmure bookmarks" shows them. Nobody else learns of it.')
    .argument('<hash...>', HASH_ARGUMENT)
    .option('--remove', 'forget these bookmarks')
    .addHelpText('after', examples('bookmark 3f9a2c', 'bookmark --remove 3f9a2c'))
    .action((hashes: string[], options: BookmarkOptions) => run((context) => bookmark(context, hashes, options)));
  program
    .command('bookmarks')
    .summary('show the messages you bookmarked')
    .description('Shows the messages that you bookmarked, in the order in which you did so. Works offline.')
    .addHelpText('after', examples('bookmarks', 'bookmarks --json'))
    .action(() => run(bookmarks));
}

interface BookmarkOptions {
  readonly remove?: boolean;
}

async function bookmark(context: CommandContext, texts: readonly string[], { remove = false }: BookmarkOptions) {
  using store = (await openStore(context.settings.home)).store;
  const find = (text: string) => (remove ? resolveHash(store, text) : findMessage(store, text).hash);
  const hashes = [...new Set(texts.map(find))];
  for (const hash of hashes) {
    const isChanged = await changeMark(
      context,
      store,
      { kind: 'bookmark', subject: hash, untilMs: undefined },
      !remove,
    );
    const already = remove ? 'had no bookmark' : 'is bookmarked already';
    const done = remove ? 'is no longer bookmarked' : 'is bookmarked';
    context.output.data({ hash, bookmarked: !remove }, () => `${shortHash(hash)} ${isChanged ? done : already}.`);
  }
}

async function bookmarks(context: CommandContext): Promise<void> {
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const marks = store.marks('bookmark');
  const found = marks.flatMap(({ subject }) => store.message(subject) ?? []);
  printMessages(context, { name, store }, found);
  if (marks.length === 0) context.output.note('There are no bookmarks yet: "murmure bookmark HASH" makes one.');
  const gone = marks.length - found.length;
  if (gone > 0) context.output.note(`${counted(gone, 'bookmarked message')} can no longer be shown: withdrawn since.`);
}
