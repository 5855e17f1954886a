/** `murmure completion`: a script that completes command lines, for a shell to read. */
import type { Command } from 'commander';
import { completables } from '../completion/completables.ts';
import { completionScript, SHELLS, type Shell } from '../completion/scripts.ts';
import type { CommandContext } from '../context.ts';
import { UsageError } from '../errors.ts';

export async function completion({ output }: CommandContext, program: Command, shell: string): Promise<void> {
  if (!isShell(shell)) throw new UsageError(`completion is made for ${SHELLS.join(', ')}, not for "${shell}"`);
  const script = completionScript(shell, completables(program));
  output.data({ shell, script }, () => script.trimEnd());
}

function isShell(text: string): text is Shell {
  return (SHELLS as readonly string[]).includes(text);
}
