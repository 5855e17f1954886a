/** A wide terminal has room for a list, and for more about the item under the cursor beside it. */
import width from 'fast-string-width';
import type { Paint } from '../../output/output.ts';
import type { Screen } from '../screen.ts';

/** From so many columns on. */
const WIDE = 110;
/** Lines that are longer are hard to read. */
const LONGEST = 90;
const RULE = ' │ ';

/** How wide each is; `beside` is 0 where there is nothing, or no room. */
export function columnsOf(screen: Screen, columns: number, items: number): { list: number; beside: number } {
  if (columns < WIDE || screen.beside === undefined || screen.isText || items === 0)
    return { list: columns, beside: 0 };
  const list = Math.min(LONGEST, Math.floor((columns - RULE.length) / 2));
  return { list, beside: Math.min(LONGEST, columns - list - RULE.length) };
}

/** `left` decides how many lines there are. */
export function besideEachOther(
  left: readonly string[],
  right: readonly string[],
  columns: number,
  paint: Paint,
): string[] {
  return left.map((line, row) => {
    const padding = ' '.repeat(Math.max(0, columns - width(line)));
    return `${line}${padding}${paint('dim', RULE)}${right[row] ?? ''}`.trimEnd();
  });
}
