/** `murmure export`: stored messages as a static web site. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { toMessage } from '../../feed/message.ts';
import { safeLine } from '../../feed/safe-text.ts';
import { withFile } from '../../identity/file-errors.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError, UsageError } from '../errors.ts';
import { countFiles, isSiteFile, siteFiles } from '../export/site.ts';
import { openStore } from '../home/open-home.ts';
import { withKnownOfLists } from '../input/peer-lists.ts';
import { requirePath, requireValidName } from '../input/validate.ts';
import { wantedAuthors } from '../messages/authors.ts';
import { systemFailure } from '../output/system-failure.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('export')
    .summary('write messages as a web site')
    .description(
      'Writes stored messages as static pages that need no server and no JavaScript: your own, or those of the peers that you name. Run it again to bring the pages up to date; links to messages stay valid.',
    )
    .argument('[peer...]', 'the peers whose messages are exported ; @LIST for all of a list (default: yourself)')
    .requiredOption('--html <dir>', 'the folder for the pages; created if it does not exist')
    .option('--atom', 'write an Atom feed of the newest messages as well')
    .addHelpText('after', examples('export --html site --atom', 'export --html friends alice bob'))
    .action((peers: string[], options: ExportOptions) => run((context) => exportSite(context, peers, options)));
}

interface ExportOptions {
  readonly html: string;
  readonly atom?: boolean;
}

async function exportSite(context: CommandContext, peers: readonly string[], { html, atom = false }: ExportOptions) {
  requirePath('--html', html);
  for (const peer of peers) requireValidName(peer);
  const { name, store: opened } = await openStore(context.settings.home);
  using store = opened;
  const nowMs = context.nowMs();
  const named = peers.length === 0 ? [name] : withKnownOfLists(store, peers);
  const authors = [...new Set(wantedAuthors(store, { ownName: name, named, nowMs }))];
  using progress = context.output.progress();
  progress.tell('reading messages');
  const messages = store
    .messages({ authors, limit: Number.MAX_SAFE_INTEGER })
    .map((message) => toMessage(message, nowMs));
  try {
    const site = siteFiles({ authors: authors.map((it) => safeLine(it)), messages, atom });
    const files = await writeSite(html, site, (written) =>
      progress.tell(`writing pages to ${html}`, written / countFiles(messages.length, atom)),
    );
    const index = path.join(html, 'index.html');
    const count = messages.length === 1 ? '1 message' : `${messages.length} messages`;
    context.output.data({ files }, () => `Wrote ${count} to ${safeLine(index)}`);
  } catch (error) {
    if (error instanceof UsageError || systemFailure(error) !== undefined) throw withFile(error, html);
    throw new InvalidFileError(html, (error as Error).message);
  }
}

/** Writes the files, and removes pages of an earlier export that are no longer needed. Returns their paths. */
async function writeSite(
  folder: string,
  files: Iterable<[string, string]>,
  onWritten: (count: number) => void,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const former = (await readdir(folder)).filter(isSiteFile).map((name) => path.join(folder, name));
  for (const file of former) await requireOwnFile(file);
  const written: string[] = [];
  for (const [name, content] of files) {
    const file = path.join(folder, name);
    await writeFile(file, content);
    written.push(file);
    onWritten(written.length);
  }
  for (const file of former) if (!written.includes(file)) await rm(file);
  return written;
}

const GENERATORS = ['<meta name="generator" content="murmure">', '<generator>murmure</generator>'];

/** @throws UsageError for a file that somebody else has written: it is kept */
async function requireOwnFile(file: string): Promise<void> {
  const content = await readFile(file, 'utf8');
  if (GENERATORS.some((generator) => content.includes(generator))) return;
  throw new UsageError(`${safeLine(file)} is not from "murmure export", and was not changed: choose another folder`);
}
