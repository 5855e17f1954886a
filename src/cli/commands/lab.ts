/** `murmure lab`: a page in which real peers run on a simulated network, for experiments and for teaching. */
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError } from '../errors.ts';
import { openInBrowser } from '../input/browser.ts';
import { requirePath } from '../input/validate.ts';
import { systemFailure } from '../output/system-failure.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('lab')
    .summary('try out the protocol in a browser')
    .description(
      'Prints a link to a page in which a directory and up to six peers run on a simulated network. They are the same state machines that users run. You can delay or lose datagrams, cut the network in two, put a peer to sleep, make one lie, and look at every step. The page is a single file that needs no network and no server.',
    )
    .option('--open', 'open the browser')
    .option('--html <file>', 'write the page to this file, for example to share it or to publish it on a web site')
    .addHelpText('after', examples('lab --open', 'lab --html lab.html'))
    .action((options: LabOptions) => run((context) => lab(context, options)));
}

interface LabOptions {
  readonly open?: boolean;
  readonly html?: string;
}

export async function lab({ output }: CommandContext, { open: opens = false, html }: LabOptions): Promise<void> {
  if (html !== undefined) requirePath('--html', html);
  const page = html === undefined ? await builtPage() : resolve(html);
  if (html !== undefined) await writePage(page);
  const { href } = pathToFileURL(page);
  output.data({ page, url: href }, (paint) => paint('bold', safeLine(href)));
  if (opens) await openInBrowser(href);
  else output.note('Open this link in a browser on this machine.');
}

/** The page that the build has made. When murmure runs from its sources there is none, so one is made now. */
async function builtPage(): Promise<string> {
  const built = fileURLToPath(new URL('../../../docs/lab.html', import.meta.url));
  if (existsSync(built)) return built;
  const page = join(await mkdtemp(join(tmpdir(), 'murmure-lab-')), 'lab.html');
  await writePage(page);
  return page;
}

async function writePage(page: string): Promise<void> {
  const { labPage } = await import('../../inspector/lab-page.ts');
  const html = await labPage();
  try {
    await writeFile(page, html);
  } catch (error) {
    throw systemFailure(error) === undefined ? new InvalidFileError(page, (error as Error).message) : error;
  }
}
