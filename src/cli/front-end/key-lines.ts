/** The keys of a screen, on as few lines as they fit on. */
import width from 'fast-string-width';
import type { Paint } from '../output/output.ts';
import type { Key } from './screen.ts';

/** More than this take too much of a small terminal: `?` has the others. */
const MOST_LINES = 2;

const NAMES: Readonly<Record<string, string>> = { enter: 'Enter', escape: 'Esc' };

export function keyLines(keys: readonly Pick<Key, 'key' | 'label'>[], columns: number, paint: Paint): string[] {
  const lines: { text: string; columns: number }[] = [];
  for (const { key, label } of keys) {
    if (label === '') continue;
    const name = NAMES[key] ?? key;
    const columnsOfKey = width(name) + 1 + width(label);
    const last = lines.at(-1);
    const text = `${paint('bold', name)} ${paint('dim', label)}`;
    if (last !== undefined && last.columns + 2 + columnsOfKey < columns) {
      last.text += `  ${text}`;
      last.columns += 2 + columnsOfKey;
    } else if (lines.length < MOST_LINES) lines.push({ text, columns: columnsOfKey });
    else break;
  }
  return lines.map(({ text }) => text);
}
