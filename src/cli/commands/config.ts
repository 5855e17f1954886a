/** `murmure config`: every setting, its value, and where that comes from. */
import type { Command } from 'commander';
import { safeLine } from '../../feed/safe-text.ts';
import { examples, type Run } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { columns } from '../render/text.ts';

export function declare(program: Command, run: Run): void {
  program
    .command('config')
    .summary('show the settings')
    .description(
      'Shows every setting with its value, and whether it comes from a flag, the environment or config.toml.',
    )
    .addHelpText('after', examples('config'))
    .action(() => run(config));
}

export async function config({ settings, output }: CommandContext): Promise<void> {
  const { origins } = settings;
  if (output.json) {
    for (const origin of origins) output.data(origin, () => '');
    return;
  }
  const rows = origins.map(({ setting, value, from, source }) => [
    setting,
    value === null ? '' : safeLine(String(value)),
    source === null ? from : `${from} ${safeLine(source)}`,
  ]);
  output.data(origins, (paint) =>
    columns(rows, (cell, column) => (column === 0 ? paint('bold', cell) : column === 2 ? paint('dim', cell) : cell)),
  );
}
