/** `murmure diagrams`: pictures of all state machines. */
import { writeDiagrams } from '../../diagrams/generate.ts';
import { safeLine } from '../../feed/safe-text.ts';
import type { CommandContext } from '../context.ts';
import { requirePath } from '../validate.ts';

export async function diagrams({ output }: CommandContext, folder: string): Promise<void> {
  requirePath('FOLDER', folder);
  const files = await writeDiagrams(folder);
  for (const file of files) output.data({ file }, () => safeLine(file));
}
