/** `murmure config`: every setting, its value, and where that comes from. */
import { safeLine } from '../../feed/safe-text.ts';
import type { CommandContext } from '../context.ts';
import { columns } from '../render/text.ts';

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
