/** Text fitted into columns, as a terminal counts them: wide letters and emoji take two. Escape sequences for colours take none. */
import width from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';

/** Lines of at most `columns` columns; what does not fit on the first goes on below, indented by `hanging`. Words that are too long are broken. */
export function wrapText(text: string, columns: number, hanging = 0): string[] {
  const margin = ' '.repeat(hanging);
  const wrap = (line: string, room: number) =>
    wrapAnsi(line, Math.max(2, room), { hard: true, trim: false }).split('\n');
  return text.split('\n').flatMap((line) => {
    const [first = '', ...rest] = wrap(line, columns);
    // Below there is less room.
    const below = hanging === 0 || rest.length === 0 ? rest : wrap(rest.join('').trimStart(), columns - hanging);
    return [first.trimEnd(), ...below.map((part) => margin + part.trim())];
  });
}

const ELLIPSIS = '…';

/** The text on at most `columns` columns, with an ellipsis where something is left out. */
export function truncate(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  const [start = ''] =
    columns < 2 ? [] : wrapAnsi(text, columns - 1, { hard: true, wordWrap: false, trim: false }).split('\n');
  // A wide letter may not fit into the one column that is left.
  return (width(start) < columns ? start : '') + ELLIPSIS;
}
