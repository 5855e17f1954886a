/** Text fitted into columns, as a terminal counts them: wide letters and emoji take two. Escape sequences for colours take none. */
import truncateWidth from 'fast-string-truncated-width';
import { wrapAnsi } from 'fast-wrap-ansi';

/** Lines of at most `columns` columns; what does not fit on the first goes on below, indented by `hanging`. Words that are too long are broken. */
export function wrapText(text: string, columns: number, hanging = 0): string[] {
  const margin = ' '.repeat(hanging);
  const room = Math.max(2, columns - hanging);
  return text.split('\n').flatMap((line) => {
    const [first = '', ...rest] = wrapAnsi(line, room, { hard: true, trim: false }).split('\n');
    return [first.trimEnd(), ...rest.map((part) => margin + part.trimEnd())];
  });
}

const ELLIPSIS = '…';

/** The text on at most `columns` columns, with an ellipsis where something is left out. */
export function truncate(text: string, columns: number): string {
  const { index, truncated, ellipsed } = truncateWidth(text, { limit: columns, ellipsis: ELLIPSIS });
  if (!truncated) return text;
  // What was coloured is so no more behind the end.
  const end = text.includes('\u001B') ? '\u001B[0m' : '';
  return `${text.slice(0, index)}${ellipsed ? ELLIPSIS : ''}${end}`;
}
