/** `murmure diagrams`: the drawings of all state machines, which ship with the package. */

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { withFile } from '../../identity/file-errors.ts';
import { packageFolder } from '../../runtime/version.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError } from '../errors.ts';
import { requirePath } from '../input/validate.ts';
import { systemFailure } from '../output/system-failure.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('diagrams')
    .summary('write the drawings of the state machines')
    .description(
      'Writes drawings of the state machine of every actor, of the supervision tree, and of the messages between actors: as SVG and as Mermaid, with a page that shows them all.',
    )
    .argument('[folder]', 'where to write them; created if it does not exist', 'diagrams')
    .addHelpText('after', examples('diagrams drawings'))
    .action((folder: string) => run((context) => diagrams(context, folder)));
}

/** Beside the sources as well as in the installed package. */
const DRAWINGS = new URL('diagrams/', packageFolder());

async function diagrams({ output }: CommandContext, folder: string): Promise<void> {
  requirePath('FOLDER', folder);
  const names = (await readdir(DRAWINGS)).filter((name) => /\.(?:svg|mmd|md)$/.test(name));
  try {
    await mkdir(folder, { recursive: true });
    for (const name of names.sort()) {
      const file = join(folder, name);
      await writeFile(file, await readFile(new URL(name, DRAWINGS)));
      output.data({ file }, () => safeLine(file));
    }
  } catch (error) {
    throw systemFailure(error) === undefined
      ? new InvalidFileError(folder, (error as Error).message)
      : withFile(error, folder);
  }
}
