/** `murmure diagrams`: pictures of all state machines. */
import { writeDiagrams } from '../../../diagrams/draw/write-diagrams.ts';
import { safeLine } from '../../feed/safe-text.ts';
import type { CommandContext } from '../context.ts';
import { InvalidFileError } from '../errors.ts';
import { requirePath } from '../input/validate.ts';
import { systemFailure } from '../output/system-failure.ts';

export async function diagrams({ output }: CommandContext, folder: string): Promise<void> {
  requirePath('FOLDER', folder);
  const files = await writeDiagrams(folder).catch((error: Error) => {
    throw systemFailure(error) === undefined ? new InvalidFileError(folder, error.message) : error;
  });
  for (const file of files) output.data({ file }, () => safeLine(file));
}
